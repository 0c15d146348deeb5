"""Judges a stored bundle as a live session is judged: the same windows, rebuild and detectors, over masked events.

Nothing is published here, so a window's masked output is thrown away; what counts is what its detectors find.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from detectors.interactions import Interaction
from detectors.protocol import Finding
from detectors.score import score
from engine.core.activity import ActivityLog
from engine.core.blocks import Run
from engine.core.findings import make_signal
from engine.core.ledger import Ledger
from engine.core.shared import Shared
from engine.core.window import Window
from engine.reasons import Reason
from schemas.bundle_index import BlockEntry, Hole
from schemas.session_record import ScorePart, SessionRecord
from schemas.signals import Signal

EVENTS_AT_ONCE: Final = 500
"""Events decoded together: memory stays small however large a compacted block is."""

ENDLESS: Final = 1 << 60


class Verdict(msgspec.Struct, frozen=True):
    """What a session comes to: its signals in order of time, then id, and what they make of its record.

    `notes` count what was met on the way and can make a verdict differ from the live one: reasons of events that could
    not be used again.
    """

    signals: tuple[Signal, ...]
    tags: dict[str, int]
    errors: dict[str, int]
    score: float
    score_parts: list[ScorePart]
    notes: Mapping[str, int]


class BundleJudge:
    """Takes the blocks of one session in playing order, then gives its verdict.

    `holes` are those of the bundle's index: what was known of a page is doubted behind them, as it was live. What a
    session ran on is no part of its bundle: signals that were there `before` say what they said, others what the record
    says.
    """

    def __init__(self, record: SessionRecord, before: Sequence[Signal], holes: Sequence[Hole], shared: Shared) -> None:
        self._ledger = Ledger(record.project_id, record.session_id)
        self._attributes = {signal.id: signal.attributes for signal in before}
        self._record = record
        self._project = shared.projects.of(record.project_id)
        self._shared = shared
        self._holes = holes
        self._signals: dict[str, Signal] = {}
        self._notes: Counter[str] = Counter()
        self._lane: _Lane | None = None
        self.activity = ActivityLog(record.project_id, record.session_id, self.repair)

    # -- what windows ask and tell ------------------------------------------------------------------------------

    @property
    def capped(self) -> None:
        """What is stored lies within the caps."""

    def room(self) -> tuple[int, int, int]:
        """Return that there is room for everything."""
        return ENDLESS, -ENDLESS, ENDLESS

    def admit(self, _run: Run) -> int:
        """Publish nothing: it is stored already."""
        return 0

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count events that could not be used again."""
        self._notes[reason] += count

    def repair(self, reason: Reason) -> None:
        """Masked events are masked once more, which is nothing to tell of; failures of plugins are."""
        if reason is Reason.PLUGIN_FAILED:
            self._notes[reason] += 1

    def visit(self, window_id: str, url: str, t: int) -> None:
        """Pages stand in the record already."""

    def saw(self, interaction: Interaction) -> None:
        """Totals stand in the record already."""

    def find(self, window_id: str, finding: Finding) -> None:
        """Take what a detector found."""
        signal = make_signal(self._record.project_id, self._record.session_id, window_id, finding)
        if signal.id in self._signals:
            return
        if len(self._signals) >= self._shared.limits.max_signals_per_session:
            self._notes[Reason.TOO_MANY_SIGNALS] += 1
            return
        attributes = self._attributes.get(signal.id, self._record.attributes)
        self._signals[signal.id] = msgspec.structs.replace(signal, attributes=attributes)
        if self._project.scores(finding.rule):
            self._ledger.tag(finding)

    # -- blocks -------------------------------------------------------------------------------------------------

    def feed(self, block: BlockEntry, lines: bytes) -> None:
        """Take the next block and its decoded JSON lines."""
        lane = self._lane
        if lane is None or lane.window_id != block.window_id:
            self._finish_lane()
            window = Window(block.window_id, self._project, self._shared.tools, self)
            holes = [hole for hole in self._holes if hole.window_id == block.window_id]
            lane = self._lane = _Lane(window, holes)
        if lane.loses_before(block):
            lane.window.lost()
        if not block.late:
            for events in _batches(lines, min(EVENTS_AT_ONCE, self._shared.limits.max_batch_events)):
                self._process(lane.window, events, block.sequence)

    def _process(self, window: Window, events: bytes, sequence: int) -> None:
        decoded = self._shared.decoder.decode(events)
        for reason, count in decoded.dropped.items():
            self.drop(reason, count)
        window.process(decoded.events, sequence)
        # What it would publish is not taken.
        window.blocks.take()

    def _finish_lane(self) -> None:
        if self._lane is not None:
            self._lane.window.finish()

    def verdict(self) -> Verdict:
        """End all windows, and sum up."""
        self._finish_lane()
        self._lane = None
        signals = sorted(self._signals.values(), key=lambda signal: (signal.t, signal.id))
        tags, errors = dict(sorted(self._ledger.tags.items())), dict(sorted(self._ledger.fingerprints.items()))
        points, parts = score(tags)
        return Verdict(tuple(signals), tags, errors, points, parts, dict(sorted(self._notes.items())))


class _Lane:
    """One window, and what is known to be missing of it."""

    def __init__(self, window: Window, holes: Iterable[Hole]) -> None:
        self.window = window
        self.window_id = window.window_id
        self._missing_up_to = sorted(hole.last_seq for hole in holes if hole.last_seq is not None)
        self._in_late = False

    def loses_before(self, block: BlockEntry) -> bool:
        """Tell whether something was missing before this block when its window was judged live.

        Late blocks stand where it was.
        """
        was_late, self._in_late = self._in_late, block.late
        if block.late:
            return False
        passed = [last for last in self._missing_up_to if last < block.sequence]
        del self._missing_up_to[: len(passed)]
        return was_late or bool(passed)


def _batches(lines: bytes, size: int) -> Iterable[bytes]:
    """Cut JSON lines into JSON arrays."""
    events = [line for line in lines.split(b"\n") if line]
    for start in range(0, len(events), size):
        yield b"[" + b",".join(events[start : start + size]) + b"]"
