"""The arrival clock of recorded input, where nobody noted when a batch arrived."""

from collections import deque
from typing import Final

from schemas.numbers import LARGEST_INTEGER

WITNESSES: Final = 5
"""So many batches in a row have to agree before time goes on: one wrong clock must not end every session."""


class ArrivalClock:
    """Reads arrival times off `sent_at`: the time is what the last `WITNESSES` batches all say has passed.

    It never falls, and one batch sent in a far future, or a late one, doesn't move it. A batch that is ahead of it
    has all the same arrived when it says (`arrival_of`): at worst its own session ends later for it.
    """

    __slots__ = ("_last", "now_ms")

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=WITNESSES)
        self.now_ms = 0

    def saw(self, sent_at_ms: float) -> int:
        """Take note of a batch's `sent_at` (epoch ms, any number); return what time it is."""
        sent_ms = _moment(sent_at_ms)
        self._last.append(sent_ms)
        if len(self._last) == WITNESSES:
            self.now_ms = max(self.now_ms, min(self._last))
        elif not self.now_ms:
            self.now_ms = sent_ms
        return self.now_ms

    def arrival_of(self, sent_at_ms: float) -> int:
        """Return when a batch arrived, after `saw` was told of it."""
        return max(self.now_ms, _moment(sent_at_ms))


def _moment(sent_at_ms: float) -> int:
    return max(0, min(int(sent_at_ms), LARGEST_INTEGER))
