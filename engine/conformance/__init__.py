"""Conformance: whether presets say what their vendors say, by cases that run through the whole engine."""
