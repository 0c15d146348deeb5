"""When to look at which session again."""

import heapq
from collections.abc import Iterator
from typing import Final

MOST_ENTRIES_A_SESSION: Final = 4
"""Entries for each session that has a deadline; beyond, those that hold no more are taken out."""


class Deadlines:
    """The next deadline (arrival clock, epoch ms) of each session that has one.

    A deadline that was put off meanwhile comes up too early: whoever is told of it schedules the session again.
    """

    __slots__ = ("_entries", "_scheduled")

    def __init__(self) -> None:
        self._entries: list[tuple[int, str]] = []
        self._scheduled: dict[str, int] = {}

    def __contains__(self, session_id: str) -> bool:
        """Say whether a session has a deadline."""
        return session_id in self._scheduled

    def __len__(self) -> int:
        """Return how many entries are kept, those included that hold no more."""
        return len(self._entries)

    def schedule(self, session_id: str, deadline_ms: int) -> None:
        """Note when to look at a session, unless that is to be sooner already."""
        scheduled = self._scheduled.get(session_id)
        if scheduled is None or deadline_ms < scheduled:
            self._scheduled[session_id] = deadline_ms
            heapq.heappush(self._entries, (deadline_ms, session_id))
            if len(self._entries) > MOST_ENTRIES_A_SESSION * (len(self._scheduled) + 1):
                # Sessions that came and went left theirs behind.
                self._entries = [(at_ms, id_) for id_, at_ms in self._scheduled.items()]
                heapq.heapify(self._entries)

    def forget(self, session_id: str) -> None:
        """Take away a session's deadline."""
        self._scheduled.pop(session_id, None)

    def nearest(self) -> int | None:
        """Return the next moment at which there may be something to do."""
        return self._entries[0][0] if self._entries else None

    def due(self, now_ms: int, limit: int) -> Iterator[str]:
        """Take out the sessions whose time has come, earliest first; no more than `limit` entries are looked at."""
        for _ in range(limit):
            if not self._entries or self._entries[0][0] > now_ms:
                return
            deadline_ms, session_id = heapq.heappop(self._entries)
            if self._scheduled.get(session_id) == deadline_ms:
                del self._scheduled[session_id]
                yield session_id
