"""What another judgement would change: signals matched one to one, tags, score."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from engine.reprocess.judging import Verdict
from schemas.session_record import SessionRecord
from schemas.signals import Signal


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of the signals and the record of one session.

    `altered` signals tell the same incident (detector, window, first moment, element) under another rule or with other
    evidence; each pair is before and after.
    """

    session_id: str
    project_id: str
    kept: tuple[Signal, ...]
    altered: tuple[tuple[Signal, Signal], ...]
    added: tuple[Signal, ...]
    removed: tuple[Signal, ...]
    tags_before: Mapping[str, int]
    tags_after: Mapping[str, int]
    errors_change: bool
    score_before: float
    score_after: float

    @property
    def is_any(self) -> bool:
        """Whether anything would change."""
        news = self.altered or self.added or self.removed
        return (
            bool(news)
            or self.errors_change
            or (self.tags_before, self.score_before) != (self.tags_after, self.score_after)
        )


def compare(record: SessionRecord, before: Sequence[Signal], verdict: Verdict) -> Changes:
    """Match the signals that are stored with those of a verdict, each at most once."""
    stored = {signal.id: signal for signal in before}
    kept = tuple(signal for signal in verdict.signals if stored.get(signal.id) == signal)
    same = {signal.id for signal in kept}
    altered, added, removed = _paired(
        [signal for signal in before if signal.id not in same],
        [signal for signal in verdict.signals if signal.id not in same],
    )
    return Changes(
        session_id=record.session_id,
        project_id=record.project_id,
        kept=kept,
        altered=tuple(altered),
        added=tuple(added),
        removed=tuple(removed),
        tags_before=record.tags,
        tags_after=verdict.tags,
        errors_change=record.errors != verdict.errors,
        score_before=record.score,
        score_after=verdict.score,
    )


def _incident(signal: Signal) -> tuple[str, str, int, int | str | None]:
    return signal.detector, signal.window_id, signal.t, None if signal.target is None else signal.target.node_id


def _paired(
    old: Iterable[Signal], new: Iterable[Signal]
) -> tuple[list[tuple[Signal, Signal]], list[Signal], list[Signal]]:
    waiting: dict[object, list[Signal]] = {}
    for signal in old:
        waiting.setdefault(_incident(signal), []).append(signal)
    altered: list[tuple[Signal, Signal]] = []
    added: list[Signal] = []
    for signal in new:
        candidates = waiting.get(_incident(signal))
        if candidates:
            altered.append((candidates.pop(0), signal))
        else:
            added.append(signal)
    return altered, added, [signal for left in waiting.values() for signal in left]


class DetectorTotals(msgspec.Struct):
    """How many signals of a detector stay, change, come and go."""

    kept: int = 0
    altered: int = 0
    added: int = 0
    removed: int = 0


class Totals:
    """Sums over sessions; `lost` counts what their bundles lack by reason, as their records say."""

    def __init__(self) -> None:
        self.sessions = 0
        self.changing = 0
        self.tags_changing = 0
        self.score_changing = 0
        self.score_before = self.score_after = 0.0
        self.detectors: dict[str, DetectorTotals] = {}
        self.notes: Counter[str] = Counter()

    def add(self, changes: Changes, notes: Mapping[str, int]) -> None:
        """Count a session."""
        self.sessions += 1
        self.changing += changes.is_any
        self.tags_changing += changes.tags_before != changes.tags_after
        self.score_changing += changes.score_before != changes.score_after
        self.score_before += changes.score_before
        self.score_after += changes.score_after
        self.notes.update(notes)
        for signal in changes.kept:
            self._of(signal).kept += 1
        for _, signal in changes.altered:
            self._of(signal).altered += 1
        for signal in changes.added:
            self._of(signal).added += 1
        for signal in changes.removed:
            self._of(signal).removed += 1

    def _of(self, signal: Signal) -> DetectorTotals:
        return self.detectors.setdefault(signal.detector, DetectorTotals())
