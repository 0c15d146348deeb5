"""Measures detectors against recordings of which it is known what happened in them."""
