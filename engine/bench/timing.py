"""Timing of one process on one core."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """How much was done in how many seconds of processor time."""

    seconds: float
    events: int
    size_bytes: int

    @property
    def events_per_s(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def mb_per_s(self) -> float:
        """Megabytes (10^6) of JSON per second."""
        return self.size_bytes / self.seconds / 1e6

    @property
    def us_per_event(self) -> float:
        """Microseconds an event."""
        return self.seconds / self.events * 1e6


class Stopwatch:
    """Sums of processor seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the processor time spent inside to a stage."""
        start = time.process_time()
        yield
        self.seconds[name] += time.process_time() - start
