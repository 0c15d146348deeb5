"""Incidents: signals that tell of one thing as a visitor met it, and repeats of it, put together."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from replay.summary.types import MAX_SIGNAL_IDS
from schemas.page_paths import page_of
from schemas.session_record import SessionRecord
from schemas.signals import Signal, Target

JOIN_MS: Final = 1_000
"""Signals of one control or one error that are no further apart are of one incident: as for bursts of errors."""

PRIORITY: Final = (
    "rage_click form_error_loop network_error error_click dead_click slow_response form_abandonment js_error "
    "rapid_reload quick_back thrashed_cursor scroll_thrash"
).split()
"""Which signal of an incident tells most, from the first on; others come after these, by name."""

PAUSE: Final = "idle"
"""The one detector whose signals are no friction."""

_OF_CLICKS: Final = frozenset(
    {"rage_click", "dead_click", "error_click", "network_error", "slow_response", "slow_click", "multi_click"}
)


@dataclass(slots=True)
class Incident:
    """Signals of one incident in one window, in order; grows while it is gathered."""

    signals: list[Signal]
    t: int
    end_t: int
    weight: float = 0.0
    by_detector: dict[str, list[Signal]] = field(default_factory=dict)

    @classmethod
    def of(cls, signal: Signal) -> "Incident":
        """Begin with one signal."""
        incident = cls([], signal.t, signal.end_t)
        incident.add(signal)
        return incident

    def add(self, signal: Signal) -> None:
        """Take one more signal in."""
        self.signals.append(signal)
        self.by_detector.setdefault(signal.detector, []).append(signal)
        self.t = min(self.t, signal.t)
        self.end_t = max(self.end_t, signal.end_t)

    @property
    def window_id(self) -> str:
        """The window it was in."""
        return self.signals[0].window_id

    @property
    def page(self) -> str:
        """The masked URL it began on."""
        return self.signals[0].page

    @property
    def target(self) -> Target | None:
        """The element it is about."""
        return next((signal.target for signal in self.signals if signal.target is not None), None)

    @property
    def detector(self) -> str:
        """The detector that tells most."""
        return min(self.by_detector, key=_rank)

    @property
    def is_pause(self) -> bool:
        """Whether it is no friction."""
        return self.detector == PAUSE

    @property
    def signal_ids(self) -> list[str]:
        """The ids of its first signals."""
        return [signal.id for signal in self.signals[:MAX_SIGNAL_IDS]]

    def total(self, detector: str) -> int:
        """Add up the counts of a detector's signals; one without a count counts once."""
        return sum(max(signal.count or 1, 1) for signal in self.by_detector.get(detector, ()))

    def likeness(self) -> tuple[object, ...]:
        """What two incidents have in common when one is a repeat of the other."""
        target, fingerprint = self.target, _fingerprint(self.signals[0])
        where = target.selector if target else fingerprint
        return (self.window_id, page_of(self.page), where, frozenset(self.by_detector))


def order(signal: Signal) -> tuple[int, int, str]:
    """Order signals by time, whatever order they came in."""
    return (signal.t, signal.end_t, signal.id)


def gather(signals: Iterable[Signal], record: SessionRecord, visits: Mapping[str, Sequence[int]]) -> list[Incident]:
    """Make incidents of signals, each with its weight, in order of time.

    `visits` are the times (epoch ms, ascending) at which pages were entered, by window: a repeat on a later visit is
    an incident of its own.
    """
    found = _merge_repeats(_join(sorted(signals, key=order)), visits)
    points = {part.detector: part.points / max(part.count, 1) for part in record.score_parts}
    for incident in found:
        incident.weight = round(sum(points.get(signal.detector, 0.0) for signal in incident.signals), 1)
    return found


def _join(signals: Sequence[Signal]) -> list[Incident]:
    found: list[Incident] = []
    latest: dict[tuple[str, ...], Incident] = {}
    for signal in signals:
        keys = _keys(signal)
        near = (latest[key] for key in keys if key in latest and signal.t <= latest[key].end_t + JOIN_MS)
        incident = next(near, None)
        if incident is None:
            incident = Incident.of(signal)
            found.append(incident)
        else:
            incident.add(signal)
        latest.update(dict.fromkeys(keys, incident))
    return found


def _keys(signal: Signal) -> list[tuple[str, ...]]:
    """Name what a signal is about: a control that was clicked, an error, or both."""
    keys: list[tuple[str, ...]] = []
    if signal.detector in _OF_CLICKS and signal.target is not None:
        keys.append(("control", signal.window_id, page_of(signal.page), signal.target.selector))
    if fingerprint := _fingerprint(signal):
        keys.append(("error", signal.window_id, fingerprint))
    return keys


def _fingerprint(signal: Signal) -> str:
    fingerprint = signal.evidence.get("fingerprint")
    return fingerprint if isinstance(fingerprint, str) else ""


def _merge_repeats(incidents: Sequence[Incident], visits: Mapping[str, Sequence[int]]) -> list[Incident]:
    """Make one of incidents that are alike, where neither another one nor a page came in between in their window."""
    merged: list[Incident] = []
    latest: dict[str, Incident] = {}
    for incident in incidents:
        before = latest.get(incident.window_id)
        if before and before.likeness() == incident.likeness() and not _visited(before, incident, visits):
            for signal in incident.signals:
                before.add(signal)
        else:
            merged.append(incident)
            latest[incident.window_id] = incident
    return merged


def _visited(before: Incident, after: Incident, visits: Mapping[str, Sequence[int]]) -> bool:
    entered = visits.get(after.window_id, ())
    return bisect_right(entered, before.end_t) < bisect_right(entered, after.t)


def _rank(detector: str) -> tuple[int, str]:
    return (PRIORITY.index(detector) if detector in PRIORITY else len(PRIORITY), detector)
