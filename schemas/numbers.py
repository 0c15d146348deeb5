"""Numbers as JSON has them, bounded where a wild value would do harm."""

from typing import Annotated, Final

from msgspec import Meta

LARGEST_INTEGER: Final = 2**53
"""Beyond this a JavaScript number is no exact integer; Python's JSON parsers would build integers of any length."""

Number = Annotated[int, Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)] | float
"""A JSON number; integers stay integers, so that re-encoding gives the same text."""

Milliseconds = int | float
"""A moment (epoch) or a duration in milliseconds; recorders send integers, some send fractions."""

Timestamp = (
    Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)] | Annotated[float, Meta(ge=0, le=LARGEST_INTEGER)]
)  # fmt: skip
"""When an event happened (epoch milliseconds)."""

NodeId = Annotated[int, Meta(ge=1, le=LARGEST_INTEGER)]
"""The id of a node, unique within one page load of one window."""

NodeReference = Annotated[int, Meta(ge=-2, le=LARGEST_INTEGER)]
"""The id of the node something happened to; -1 and -2 are rrweb's for nodes that are not in its tree."""
