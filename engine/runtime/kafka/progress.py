"""What became durable, told to metrics."""

from collections.abc import Iterable

from engine.core.effects import SessionEffects
from engine.operate.meters import Count, Histogram
from engine.operate.registry import Meters
from replay.writes import Outcome, WriteResult


class Progress:
    """Counts writes and what was in them."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def wrote(self, results: Iterable[WriteResult]) -> None:
        """Count writes of sessions."""
        for result in results:
            self._meters.count(Count.SESSION_WRITES, outcome=_OUTCOMES[result.outcome])

    def published(self, effects: Iterable[SessionEffects], latency_seconds: float) -> None:
        """Count what became durable, `latency_seconds` after the record that decided it was written."""
        meters = self._meters
        for effect in effects:
            for signal in effect.signals:
                meters.count(Count.SIGNALS, detector=signal.detector)
                meters.observe(Histogram.SIGNAL_LATENCY, latency_seconds)
            for hole in effect.holes:
                meters.count(Count.HOLES, reason=hole.reason)
            if effect.activities:
                self._count_ends(effect)

    def _count_ends(self, effect: SessionEffects) -> None:
        for activity in effect.activities:
            if activity.kind == "session_end" and activity.reason is not None:
                self._meters.count(Count.SESSIONS_ENDED, reason=activity.reason)


_OUTCOMES = {Outcome.APPLIED: "applied", Outcome.REPEATED: "repeated", Outcome.REFUSED: "refused"}
