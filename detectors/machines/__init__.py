"""General state machines with parameters, of which presets of vendors' rules are made."""
