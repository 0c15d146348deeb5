"""What a store has of sessions, so that another core can go on with them."""

from collections.abc import Iterable

import msgspec

from engine.core.core import Core, StoredState
from engine.core.effects import SessionEffects
from engine.core.residents import PackedSession
from engine.input.messages import DecodedBatch
from engine.reasons import Reason


class Shelf:
    """Takes effects as a store does; gives a core what it does not know before a batch is fed."""

    def __init__(self) -> None:
        self.sessions: dict[str, StoredState] = {}
        self.withdrawn: set[str] = set()

    def add(self, effects: Iterable[SessionEffects]) -> None:
        """Store what a restart needs."""
        for effect in effects:
            session_id = effect.session_id
            if effect.withdrawn:
                self.withdrawn.add(session_id)
                self.sessions.pop(session_id, None)
                continue
            known = self.sessions.get(session_id)
            state = effect.state() if effect.saves else b"" if known is None else known.state
            stored = StoredState(
                session_id,
                effect.project_id,
                state,
                effect.position,
                dict(effect.next_seqs),
                effect.record,
                effect.deadline_ms,
            )
            self.sessions[session_id] = msgspec.msgpack.decode(msgspec.msgpack.encode(stored), type=StoredState)

    def hand_over(self, core: Core, batch: DecodedBatch) -> None:
        """Let a core know the session of a batch."""
        self.hand_over_session(core, batch.envelope.session_id)

    def hand_over_session(self, core: Core, session_id: str) -> None:
        """Let a core know a session."""
        if core.knows(session_id):
            return
        if session_id in self.withdrawn:
            core.refuse(session_id, Reason.EXCLUDED_USER)
        elif session_id in self.sessions:
            core.adopt(self.sessions[session_id])


def packed_states(core: Core) -> dict[str, PackedSession]:
    """Return the state of every session a core holds, as it would be stored now."""
    hot = {
        session_id: PackedSession(session.ledger.project_id, session.snapshot())
        for session_id, session in core._sessions._hot.items()
    }
    return {**core._sessions._packed, **hot}
