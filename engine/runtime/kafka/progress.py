"""How far one partition is, and what a poll of it found: told to metrics."""

from collections.abc import Iterable

from engine.core.effects import SessionEffects
from engine.operate.meters import Count, Gauge, Histogram
from engine.operate.registry import Meters
from engine.runtime.kafka.records import Place
from replay.writes import Outcome, WriteResult


class Progress:
    """The metrics of one partition's work."""

    def __init__(self, meters: Meters, place: Place) -> None:
        self._meters = meters
        self._labels: dict[str, str | int] = {"topic": place.topic, "partition": place.partition}

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

    def stands(self, *, lag_records: int, lag_seconds: float, replay_records: int) -> None:
        """Tell how far the partition is, after a durable write."""
        self._meters.set(Gauge.LAG_RECORDS, lag_records, **self._labels)
        self._meters.set(Gauge.LAG_SECONDS, lag_seconds, **self._labels)
        self._meters.set(Gauge.REPLAY_RECORDS, replay_records, **self._labels)


_OUTCOMES = {Outcome.APPLIED: "applied", Outcome.REPEATED: "repeated", Outcome.REFUSED: "refused"}
