"""The core taken apart: the same work, one stage after the other over each poll, so that each can be timed."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec

from detectors.moments import At
from detectors.protocol import Finding
from detectors.registry import make_detectors
from engine.bench.load import Load
from engine.bench.timing import Rate, Stopwatch
from engine.core.panel import Panel
from engine.core.projects import Project
from engine.core.shared import Shared
from engine.errors import Poison
from engine.input.messages import DecodedBatch, decode_message
from engine.order import Verdict, WindowOrder, fingerprint
from engine.reasons import Reason
from engine.rebuild.clock import WindowClock
from engine.rebuild.context import Context
from engine.rebuild.rebuilder import Event, Rebuilder
from engine.runtime.collecting import collector_by_plan
from engine.settings import Settings
from replay.blocks import encode_block, join_lines

POLL: Final = 500
STAGES: Final = ("open", "order", "decode", "mask and mirror", "encode", "detect", "compress")
MASKING: Final = ("decode", "mask and mirror", "encode")
"""What it takes to publish events masked: all of it, from batches as they came to lines as they are stored."""

_encode: Final = msgspec.json.Encoder().encode


class _Window:
    """The parts of one window, each to be driven by itself."""

    def __init__(self, shared: Shared, project: Project) -> None:
        self.order: WindowOrder[DecodedBatch] = WindowOrder(shared.order)
        self.clock = WindowClock(project.session.idle_timeout_ms, project.session.longest_silence_ms)
        self.told: list[At] = []
        self.panel = Panel()
        self.panel.seat(make_detectors(project.detectors, _ignore_finding), project.wishes)
        context = Context(project.policy, shared.tools, self.told.append, self.panel.kinds, _ignore_reason)
        self.rebuilder = Rebuilder(context)


def _ignore_finding(_finding: Finding) -> None:
    """Findings cost what reporting them costs; the stage ends there."""


def _ignore_reason(_reason: Reason) -> None:
    """Counting is part of the whole core's time, not of a stage's."""


def measure_stages(load: Load, settings: Settings) -> dict[str, Rate]:
    """Time each stage over a load. The stages add up to less than the whole core, which also keeps the sessions."""
    shared, project, watch = Shared(settings), Project(settings), Stopwatch()
    windows: dict[tuple[str, str], _Window] = {}
    position = 0
    with collector_by_plan() as collect:
        batches = iter(load.batches)
        while poll := list(islice(batches, POLL)):
            _run_poll(poll, position, windows, shared, project, watch)
            position += len(poll)
            collect()
    return {stage: Rate(watch.seconds[stage], load.events, load.size_bytes) for stage in STAGES}


def masking_rate(stages: Mapping[str, Rate]) -> Rate:
    """Return what masking takes with the decoding and encoding that belong to it."""
    parts = [stages[stage] for stage in MASKING]
    return Rate(sum(part.seconds for part in parts), parts[0].events, parts[0].size_bytes)


def _run_poll(
    poll: list[bytes],
    position: int,
    windows: dict[tuple[str, str], _Window],
    shared: Shared,
    project: Project,
    watch: Stopwatch,
) -> None:
    with watch.stage("open"):
        opened = list(_open(poll, shared))
    with watch.stage("order"):
        ordered = list(_order(opened, position, windows, shared, project))
    for window, batch in ordered:
        with watch.stage("decode"):
            events = shared.decoder.decode(batch.envelope.events).events
        with watch.stage("mask and mirror"):
            masked = list(_rebuild(events, window))
        with watch.stage("encode"):
            lines = [_encode(event) for event in masked]
        with watch.stage("detect"):
            _detect(window)
        with watch.stage("compress"):
            encode_block(join_lines(lines))


def _open(poll: list[bytes], shared: Shared) -> Iterator[DecodedBatch]:
    for value in poll:
        try:
            yield decode_message(value, None, shared.limits)
        except Poison:
            continue


def _order(
    opened: list[DecodedBatch],
    position: int,
    windows: dict[tuple[str, str], _Window],
    shared: Shared,
    project: Project,
) -> Iterator[tuple[_Window, DecodedBatch]]:
    for number, batch in enumerate(opened, position):
        envelope = batch.envelope
        key = (envelope.session_id, envelope.window_id)
        window = windows.get(key)
        if window is None:
            window = windows[key] = _Window(shared, project)
        mark = fingerprint(envelope.events)
        verdict = window.order.offer(envelope.seq, mark, batch.size_bytes, number, 0, batch)
        if verdict is Verdict.READY:
            yield window, batch
            for held in window.order.release():
                if held.payload is not None:
                    yield window, held.payload


def _rebuild(events: list[Event], window: _Window) -> Iterator[Event]:
    for event in events:
        window.clock.advance(event.timestamp)
        masked = window.rebuilder.feed(event, window.clock.now)
        if masked is not None:
            yield masked


def _detect(window: _Window) -> None:
    window.panel.tell(window.told)
    window.told.clear()
