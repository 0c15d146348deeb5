"""The types of the HTTP API: what is taken and what is given, as JSON."""
