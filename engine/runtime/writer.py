"""Hands the core's effects to a store, and remembers the versions it has written."""

from collections.abc import Iterable, Sequence
from itertools import count

from engine.core.core import Refusal
from engine.core.effects import SessionEffects
from engine.errors import Broken
from replay.store import Store
from replay.writes import Outcome, SessionWrite


class Writer:
    """The only owner of the sessions it writes; another one at work on them is an error here.

    `log` names the input whose positions are written, `owner` this writer. With `keep_state` each write carries what
    is needed to resume the session.
    """

    def __init__(self, store: Store, log: str, owner: str, *, keep_state: bool) -> None:
        self._store = store
        self._log = log
        self._owner = owner
        self._keep_state = keep_state
        self._versions: dict[str, int] = {}
        self._attempts = count(1)

    async def write(self, effects: Sequence[SessionEffects]) -> None:
        """Write what each session wants; compact those that ended.

        Raises Broken if somebody else wrote one of the sessions; what the store raises.
        """
        for effect in effects:
            if effect.withdrawn:
                await self._store.withdraw(effect.session_id)
                self._versions.pop(effect.session_id, None)
        writes = [self._session_write(effect) for effect in effects if not effect.withdrawn]
        results = await self._store.apply_many(writes) if writes else []
        for write, result in zip(writes, results, strict=True):
            if result.outcome is Outcome.REFUSED:
                message = f"session was moved on to version {result.version} by another writer"
                raise Broken(message)
            self._versions[write.session_id] = result.version
            if write.ended and result.blocks > 1:
                await self._store.compact(write.session_id, result.version)

    async def note(self, refusals: Iterable[tuple[Refusal, int]], now_ms: int) -> None:
        """Have it remembered why batches of sessions were refused, for `explain`."""
        for refusal, batches in refusals:
            await self._store.note_fate(refusal.session_id, refusal.project_id, refusal.reason, batches, now_ms)

    def _session_write(self, effect: SessionEffects) -> SessionWrite:
        return SessionWrite(
            project_id=effect.project_id,
            session_id=effect.session_id,
            base_version=self._versions.get(effect.session_id, 0),
            token=f"{self._owner}:{next(self._attempts)}",
            position=f"{self._log}:{effect.position}",
            record=effect.record,
            state=effect.state() if self._keep_state else b"",
            blocks=effect.blocks,
            holes=effect.holes,
            filled=effect.filled,
            signals=effect.signals,
            ended=effect.ended,
            deadline_ms=effect.deadline_ms,
        )
