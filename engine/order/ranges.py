"""Holes: the ranges of numbers below the next one that were given up."""

from bisect import bisect_right
from typing import Final

import msgspec

MAX_HOLES: Final = 64
"""Holes remembered of one window. The oldest is closed for one more: its batches, should they come at last, count as
duplicates then. So one may be lost, but none is ever taken twice."""


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Batches `first_seq` to `last_seq` of a window that were given up."""

    first_seq: int
    last_seq: int


class Holes:
    """Disjoint ranges in rising order, at most `MAX_HOLES`; `closed` counts those forgotten for want of room."""

    __slots__ = ("_ranges", "closed")

    def __init__(self, ranges: tuple[tuple[int, int], ...] = (), closed: int = 0) -> None:
        self._ranges = list(ranges)
        self.closed = closed

    def open(self, gap: Gap) -> None:
        """Remember a range above all others."""
        self._ranges.append((gap.first_seq, gap.last_seq))
        self._forget()

    def take(self, seq: int) -> bool:
        """Close a hole at `seq`; return false if there is none."""
        index = bisect_right(self._ranges, seq, key=_first) - 1
        if index < 0 or seq > self._ranges[index][1]:
            return False
        first, last = self._ranges[index]
        rest = [(low, high) for low, high in ((first, seq - 1), (seq + 1, last)) if low <= high]
        self._ranges[index : index + 1] = rest
        self._forget()
        return True

    def as_tuple(self) -> tuple[tuple[int, int], ...]:
        """Return all ranges, first and last number each."""
        return tuple(self._ranges)

    def _forget(self) -> None:
        while len(self._ranges) > MAX_HOLES:
            del self._ranges[0]
            self.closed += 1


def _first(numbers: tuple[int, int]) -> int:
    return numbers[0]
