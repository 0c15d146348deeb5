"""Arithmetic of byte ranges: which reads of a bundle's data give what is asked for. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar


class Placed(Protocol):
    """What lies somewhere in a bundle's data: a block, or a part of one."""

    @property
    def offset(self) -> int:
        """Say where it begins, in bytes."""
        ...

    @property
    def length(self) -> int:
        """Say how many bytes it has."""
        ...


T = TypeVar("T", bound=Placed)


class Segment(NamedTuple):
    """Some bytes of a bundle's data."""

    offset: int
    length: int


class Read(NamedTuple, Generic[T]):
    """One read of the data, and the parts that lie in it, in the order in which they are wanted."""

    offset: int
    length: int
    parts: Sequence[T]

    def cut(self, data: bytes, part: T) -> bytes:
        """Take the bytes of a part out of the bytes that were read."""
        start = part.offset - self.offset
        return data[start : start + part.length]


def plan_reads(parts: Iterable[T], max_bytes: int) -> list[Read[T]]:
    """Group parts, in their order, into reads of at most `max_bytes`, or of a single part that is larger.

    What lies between the parts of a read is read with them. Parts may lie behind one another in any order.
    """
    reads: list[Read[T]] = []
    group: list[T] = []
    start = end = 0
    for part in parts:
        span = min(start, part.offset), max(end, part.offset + part.length)
        if group and span[1] - span[0] > max_bytes:
            reads.append(Read(start, end - start, group))
            group = []
        start, end = span if group else (part.offset, part.offset + part.length)
        group.append(part)
    if group:
        reads.append(Read(start, end - start, group))
    return reads


def cut_segments(segments: Iterable[Placed], start: int, stop: int) -> Iterator[Segment]:
    """Give what lies from `start` up to, not including, `stop` in the segments put one after the other."""
    place = 0
    for segment in segments:
        first, last = max(start - place, 0), min(stop - place, segment.length)
        if first < last:
            yield Segment(segment.offset + first, last - first)
        place += segment.length


def split_segments(segments: Iterable[Placed], max_bytes: int) -> Iterator[Segment]:
    """Cut segments that are longer than `max_bytes` into some that are not."""
    for segment in segments:
        for start in range(0, segment.length, max_bytes):
            yield Segment(segment.offset + start, min(max_bytes, segment.length - start))
