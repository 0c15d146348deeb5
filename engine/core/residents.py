"""The sessions a core holds: some at work, the others packed."""

from collections import OrderedDict
from collections.abc import Container, Iterator

import msgspec

from engine.core.session import Session, SessionState
from engine.core.shared import Shared


class PackedSession(msgspec.Struct, frozen=True, gc=False):
    """A session at rest."""

    project_id: str
    data: bytes


class Residents:
    """Sessions by id. The least recently touched ones are packed, and unpacked when they are asked for."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._hot: OrderedDict[str, Session] = OrderedDict()
        self._packed: OrderedDict[str, PackedSession] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hot) + len(self._packed)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._hot or session_id in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter([*self._hot, *self._packed])

    def project_of(self, session_id: str) -> str | None:
        """Return the project of a session that is held."""
        session = self._hot.get(session_id)
        if session is not None:
            return session.ledger.project_id
        packed = self._packed.get(session_id)
        return None if packed is None else packed.project_id

    def get(self, session_id: str) -> Session | None:
        """Return a session, at work from now on; `None` if it is not held."""
        session = self._hot.get(session_id)
        if session is None and session_id in self._packed:
            packed = self._packed.pop(session_id)
            session = self._unpack(session_id, packed.project_id, packed.data)
            self._hot[session_id] = session
        return session

    def create(self, project_id: str, session_id: str) -> Session:
        """Return a new session."""
        session = Session(project_id, session_id, self._shared.projects.of(project_id), self._shared)
        self._hot[session_id] = session
        return session

    def adopt(self, session_id: str, project_id: str, state: bytes) -> Session:
        """Hold a session as its state has it, a new one if `state` is empty. Raises ValueError if `state` isn't one."""
        if not state:
            return self.create(project_id, session_id)
        session = self._unpack(session_id, project_id, state)
        self._hot[session_id] = session
        return session

    def _unpack(self, session_id: str, project_id: str, data: bytes) -> Session:
        session = Session(project_id, session_id, self._shared.projects.of(project_id), self._shared)
        session.restore(self._shared.packer.unpack(data, SessionState))
        return session

    def touch(self, session: Session) -> None:
        """Hold a session; it is the last to be packed."""
        session_id = session.ledger.session_id
        self._hot[session_id] = session
        self._hot.move_to_end(session_id)

    def remove(self, session_id: str) -> None:
        """Hold a session no longer."""
        self._hot.pop(session_id, None)
        self._packed.pop(session_id, None)

    def coldest(self, limit: int) -> list[Session]:
        """List what `pack_all_but(limit)` would pack."""
        return [session for session, _ in zip(self._hot.values(), range(len(self._hot) - limit), strict=False)]

    def pack_all_but(self, limit: int) -> None:
        """Pack the least recently touched sessions, but none that holds batches back: a packed state has none."""
        for _ in range(len(self._hot) - limit):
            session_id, session = self._hot.popitem(last=False)
            if session.holds:
                self._hot[session_id] = session
            else:
                self._packed[session_id] = PackedSession(session.ledger.project_id, session.snapshot())

    def evict(self, limit: int, keep: Container[str]) -> list[str]:
        """Hold at most `limit` packed sessions: drop others, least recently packed first; return their ids."""
        excess = range(len(self._packed) - limit)
        evicted = [id_ for id_, _ in zip(self._packed, excess, strict=False) if id_ not in keep]
        for session_id in evicted:
            del self._packed[session_id]
        return evicted
