"""Exports: a range of a session as one file that plays anywhere, or as a film of it."""
