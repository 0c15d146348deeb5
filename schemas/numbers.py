"""Numbers as JSON has them."""

Number = int | float
"""A JSON number; integers stay integers, so that re-encoding gives the same text."""

Milliseconds = int | float
"""A moment (epoch) or a duration in milliseconds; recorders send integers, some send fractions."""
