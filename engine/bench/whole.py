"""The whole core: decode, order, mask, mirror, all detectors, block compression; no Redis."""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from detectors.registry import RULES
from detectors.settings import DetectorSettings
from engine.bench.load import Load
from engine.bench.timing import Rate, Stopwatch
from engine.core.arrival import ArrivalClock
from engine.core.core import Core
from engine.runtime.collecting import collector_by_plan
from engine.runtime.recorded import POLL_BYTES, POLL_MESSAGES
from engine.settings import Settings

TURNS: Final = 3
"""What is told of by a difference is measured so often: others use the machine as well."""


def measure_detectors(load: Load, settings: Settings) -> tuple[Rate, Rate]:
    """Time the core with its detectors and without any, in turns; the least of each.

    The difference is all that detectors cost: telling them, what they do, what they push out of caches, their signals.
    """
    bare = without_detectors(settings)
    turns = [(measure_core(load, settings), measure_core(load, bare)) for _ in range(TURNS)]
    by_time = [sorted(rates, key=lambda rate: rate.seconds) for rates in zip(*turns, strict=True)]
    return by_time[0][0], by_time[1][0]


def without_detectors(settings: Settings) -> Settings:
    """Return settings under which nothing is looked for, but in projects with detectors of their own."""
    none = msgspec.convert({name: {"enabled": False} for name in RULES}, DetectorSettings)
    return replace(settings, detectors=none)


def measure_core(load: Load, settings: Settings) -> Rate:
    """Time the core over a load, polls and effects as in a runtime."""
    watch = Stopwatch()
    core = Core(settings)
    with collector_by_plan() as collect, watch.stage("core"):
        run_core(core, load, after_poll=collect)
    return Rate(watch.seconds["core"], load.events, load.size_bytes)


def without_known_pages(settings: Settings) -> Settings:
    """Return settings under which no page is remembered: every snapshot is parsed and masked as if it were new."""
    return replace(settings, limits=replace(settings.limits, max_known_pages_bytes=0))


def run_core(core: Core, load: Load, after_poll: Callable[[], None]) -> None:
    """Feed a load and take the effects, calling `after_poll` between polls."""
    clock = ArrivalClock()
    size = 0
    for position, value in enumerate(load.batches):
        batch = core.open(value, None, "bench", position)
        if batch is not None:
            now_ms = clock.saw(batch.envelope.sent_at, batch.envelope.session_id)
            deadline = core.next_deadline()
            if deadline is not None and now_ms >= deadline:
                core.tick(now_ms)
            core.feed(batch, position, clock.arrival_of(batch.envelope.sent_at))
        size += len(value)
        if position % POLL_MESSAGES == POLL_MESSAGES - 1 or size >= POLL_BYTES:
            size = 0
            core.take()
            after_poll()
    core.take()
