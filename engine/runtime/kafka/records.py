"""Records as the worker sees them, whatever client fetched them."""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

CONTENT_ENCODING: Final = "content-encoding"
OVERHEAD_BYTES: Final = 200
"""What a record costs in memory besides its value, about."""


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Record(Protocol):
    """One message of a partition; `timestamp` is epoch ms, `value` is `None` for a tombstone."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def timestamp(self) -> int:
        """When it was written (epoch ms; -1 if nobody said)."""

    @property
    def value(self) -> bytes | None:
        """Its content."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Its headers, in their order."""


def encoding_of(record: Record) -> str | None:
    """Return the `content-encoding` header; `None` if there is none."""
    for name, value in record.headers:
        if name.lower() == CONTENT_ENCODING:
            return (value or b"").decode("latin-1").lower()
    return None


def size_of(record: Record) -> int:
    """Return about how much memory a record takes (bytes)."""
    return len(record.value or b"") + OVERHEAD_BYTES
