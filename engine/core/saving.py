"""When the state of a session is stored: seldom enough to be cheap, often enough that little has to be read again.

What a session published is stored with every poll; its state costs more to pack than a small batch costs to process.
So the stored state may be behind what was published. After a restart the input since then is read again, and what it
gives is left out, because it is stored already.
"""

from collections import OrderedDict
from itertools import takewhile

import msgspec


class SavingRules(msgspec.Struct, frozen=True):
    """A session's state is stored when it is this far behind: bytes of input, or time (arrival clock).

    A session that ends, is packed or was changed by the passing of time is stored at once, whatever the rules say.
    """

    max_behind_bytes: int
    max_behind_ms: int


SAVE_ALWAYS = SavingRules(0, 0)
"""Every write carries the state."""


class Behind(msgspec.Struct, gc=False):
    """Since which input position and moment a session's stored state is behind, and by how many bytes."""

    position: int
    since_ms: int
    size_bytes: int


class Saving:
    """The sessions whose stored state is behind, longest first."""

    def __init__(self, rules: SavingRules) -> None:
        self._rules = rules
        self._behind: OrderedDict[str, Behind] = OrderedDict()

    def fed(self, session_id: str, position: int, size_bytes: int, now_ms: int) -> None:
        """Take note of a batch of a session."""
        behind = self._behind.get(session_id)
        if behind is None:
            self._behind[session_id] = Behind(position, now_ms, size_bytes)
        else:
            behind.size_bytes += size_bytes

    def is_behind(self, session_id: str) -> bool:
        """Say whether the session's stored state lacks something."""
        return session_id in self._behind

    def is_due(self, session_id: str, now_ms: int) -> bool:
        """Say whether a session that is written now should be stored with its state."""
        behind = self._behind.get(session_id)
        return behind is None or behind.size_bytes >= self._rules.max_behind_bytes or self._is_old(behind, now_ms)

    def overdue(self, now_ms: int) -> list[str]:
        """List the sessions that have been behind for too long, longest first."""
        old = takewhile(lambda item: self._is_old(item[1], now_ms), self._behind.items())
        return [session_id for session_id, _ in old]

    def _is_old(self, behind: Behind, now_ms: int) -> bool:
        return now_ms - behind.since_ms >= self._rules.max_behind_ms

    def saved(self, session_id: str) -> None:
        """Take note that the state is stored, or of no use any more."""
        self._behind.pop(session_id, None)

    def sessions(self) -> list[str]:
        """List all sessions that are behind."""
        return list(self._behind)

    def replay_from(self) -> int | None:
        """Return the lowest position that has to be read again after a restart."""
        return next(iter(self._behind.values())).position if self._behind else None
