"""The pages people look at: static files, their content security policies, and the HTML around them."""
