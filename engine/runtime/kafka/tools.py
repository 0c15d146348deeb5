"""What all partitions of one process share."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from engine.core.shared import Shared
from engine.operate.health import Health
from engine.operate.meters import Count
from engine.operate.registry import Meters
from engine.operate.traces import SpanName, Tracer
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.patience import Patience
from engine.settings import Settings
from replay.marks import Marks
from replay.store import Store


def wall_clock_ms() -> int:
    """Read the time: epoch ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Made once per process. `owner` is the name of this run of it, which no other ever has.

    `attempts` numbers its writes, whichever partition they are of: no two of one run are ever taken for the same.
    `collect` runs the cyclic collector, for when a poll is over.
    """

    settings: Settings
    owner: str
    shared: Shared
    store: Store
    marks: Marks
    emitter: Emitter
    patience: Patience
    meters: Meters
    health: Health
    tracer: Tracer
    collect: Callable[[], None]
    clock_ms: Callable[[], int] = wall_clock_ms
    attempts: Iterator[int] = field(default_factory=lambda: count(1))

    def of_loop(self, name: str) -> "Tools":
        """Return the same tools for a loop of its own, whose heartbeat has this name."""
        patience = Patience(self.settings.worker, self.meters, partial(self.health.beat, name))
        return replace(self, patience=patience)

    @contextmanager
    def stage(self, name: SpanName, *, records: int | None = None, sessions: int | None = None) -> Iterator[None]:
        """Time one stage of a poll."""
        start = time.perf_counter()
        try:
            with self.tracer.span(name, records=records, sessions=sessions):
                yield
        finally:
            self.meters.count(Count.STAGE_SECONDS, time.perf_counter() - start, stage=name)
