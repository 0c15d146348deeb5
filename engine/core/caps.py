"""How much a session may take: bytes of masked events, and time from its first event to its last."""

from typing import Final

from engine.core.blocks import Run
from engine.core.ledger import Ledger
from engine.reasons import Reason
from engine.settings import SessionSettings
from schemas.bundle_index import HoleReason
from schemas.session_record import EndReason

CAP_REASONS: Final[dict[Reason, EndReason]] = {
    Reason.SESSION_MAX_BYTES: "max_bytes",
    Reason.SESSION_MAX_DURATION: "max_duration",
}
CAP_HOLES: Final[dict[Reason, HoleReason]] = {
    Reason.SESSION_MAX_BYTES: "max_bytes",
    Reason.SESSION_MAX_DURATION: "max_duration",
}


class Caps:
    """The caps of a project's sessions; what was taken stands in each session's ledger."""

    __slots__ = ("_max_bytes", "_max_duration_ms")

    def __init__(self, settings: SessionSettings) -> None:
        self._max_bytes = settings.max_bytes
        self._max_duration_ms = settings.max_duration_ms

    def room(self, ledger: Ledger) -> tuple[int, int, int]:
        """Return how many bytes of events, and from when to when, are certain to be admitted."""
        if ledger.started_at < 0:
            return 0, 0, 0
        return self._max_bytes - ledger.bytes, ledger.started_at, ledger.started_at + self._max_duration_ms

    def take_all(self, ledger: Ledger, run: Run) -> bool:
        """Take masked events if all of them are certain to be admitted; say whether that is so."""
        last_t, count = run.times[-1], len(run.lines)
        left_bytes, first_t, most_t = self.room(ledger)
        size_bytes = sum(map(len, run.lines)) + count
        if size_bytes > left_bytes or not first_t <= run.times[0] or last_t > most_t:
            return False
        ledger.bytes += size_bytes
        ledger.events += count
        ledger.last_event_at = max(ledger.last_event_at, last_t)
        return True

    def take(self, ledger: Ledger, t: int, size_bytes: int) -> Reason | None:
        """Take one masked event of time `t` (epoch ms); return why there is no room left for it, if so."""
        if not ledger.started_at <= t <= ledger.last_event_at:
            self._see(ledger, t)
        size_bytes += ledger.bytes + 1
        if size_bytes > self._max_bytes:
            return Reason.SESSION_MAX_BYTES
        if t - ledger.started_at > self._max_duration_ms:
            return Reason.SESSION_MAX_DURATION
        ledger.bytes = size_bytes
        ledger.events += 1
        return None

    def _see(self, ledger: Ledger, t: int) -> None:
        """Move the session's first or last event time.

        A window whose clock is further off than a session may last tells no time: the later of both clocks holds.
        """
        longest_ms = self._max_duration_ms
        if ledger.started_at < 0 or t - ledger.last_event_at > longest_ms:
            ledger.started_at = ledger.last_event_at = t
        elif t > ledger.last_event_at:
            ledger.last_event_at = t
        elif ledger.started_at - t <= longest_ms:
            ledger.started_at = t
