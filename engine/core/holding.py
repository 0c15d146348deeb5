"""The sessions that hold batches back behind missing ones, and how much that is."""

from engine.core.session import Session


class Holding:
    """Knows of each session what it holds back, as far as it was told; longest known first."""

    __slots__ = ("_sessions", "_sizes", "total_bytes")

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._sizes: dict[str, int] = {}
        self.total_bytes = 0

    def note(self, session: Session) -> None:
        """Take note of what a session holds back now."""
        session_id, size_bytes = session.ledger.session_id, session.held_bytes
        self.total_bytes += size_bytes - self._sizes.get(session_id, 0)
        if session.holds:
            self._sessions[session_id] = session
            self._sizes[session_id] = size_bytes
        else:
            self._sessions.pop(session_id, None)
            self._sizes.pop(session_id, None)

    def forget(self, session_id: str) -> None:
        """Know nothing of a session."""
        self.total_bytes -= self._sizes.pop(session_id, 0)
        self._sessions.pop(session_id, None)

    def sessions(self) -> list[tuple[str, Session]]:
        """List the sessions that hold something back, with their ids."""
        return list(self._sessions.items())

    def replay_from(self) -> int | None:
        """Return the smallest input position of a batch held back."""
        held = (session.replay_from() for session in self._sessions.values())
        return min((position for position in held if position is not None), default=None)
