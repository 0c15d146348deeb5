"""The arrival clock of recorded input, where nobody noted when a batch arrived."""

from collections import deque
from typing import Final

from schemas.numbers import LARGEST_INTEGER

WITNESSES: Final = 5
"""So many batches in a row have to agree before time goes on: one wrong batch must not end every session."""

SENDERS: Final = 3
"""So many sessions have to have come as far, where there are as many: nor must one wrong clock, however often told."""


class ArrivalClock:
    """Reads arrival times off `sent_at`: the time is what the last `WITNESSES` batches and `SENDERS` sessions agree on.

    It never falls, and a session whose clock is far ahead, or a late batch, doesn't move it. A batch that is ahead of
    it has all the same arrived when it says (`arrival_of`): at worst its own session ends later for it. Of sessions
    that follow each other instead of going on side by side, it lags behind by two.
    """

    __slots__ = ("_foremost", "_last", "now_ms")

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=WITNESSES)
        self._foremost: dict[str, int] = {}
        """The latest times told, by different sessions, `SENDERS` at most."""
        self.now_ms = 0

    def saw(self, sent_at_ms: float, session_id: str) -> int:
        """Take note of a batch's `sent_at` (epoch ms, any number) and session; return what time it is."""
        sent_ms = _moment(sent_at_ms)
        self._last.append(sent_ms)
        self._rank(sent_ms, session_id)
        if len(self._last) == WITNESSES:
            self.now_ms = max(self.now_ms, min(*self._last, *self._foremost.values()))
        elif len(self._last) == 1:
            self.now_ms = sent_ms
        return self.now_ms

    def _rank(self, sent_ms: int, session_id: str) -> None:
        foremost = self._foremost
        if sent_ms <= foremost.get(session_id, -1):
            return
        foremost[session_id] = sent_ms
        if len(foremost) > SENDERS:
            del foremost[min(foremost, key=lambda known: foremost[known])]

    def arrival_of(self, sent_at_ms: float) -> int:
        """Return when a batch arrived, after `saw` was told of it."""
        return max(self.now_ms, _moment(sent_at_ms))


def _moment(sent_at_ms: float) -> int:
    return max(0, min(int(sent_at_ms), LARGEST_INTEGER))
