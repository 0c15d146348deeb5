"""Hands the core's effects to a store that has no other writer."""

from collections.abc import Iterable, Sequence

from engine.core.effects import SessionEffects
from engine.core.fates import Refusal
from engine.errors import Broken
from engine.runtime.versions import Versions
from replay.store import Store


class Writer:
    """The only owner of the sessions it writes; another one at work on them is an error here.

    `log` names the input whose positions are written, `owner` this writer. With `keep_state` writes carry what is
    needed to resume the session.
    """

    def __init__(self, store: Store, log: str, owner: str, *, keep_state: bool) -> None:
        self._store = store
        self._versions = Versions(owner, lambda effects: f"{log}:{effects.position}", keep_state=keep_state)

    async def write(self, effects: Sequence[SessionEffects]) -> None:
        """Write what each session wants; compact those that ended.

        Raises Broken if somebody else wrote one of the sessions; what the store raises.
        """
        for effect in effects:
            if effect.withdrawal is not None:
                await self._store.withdraw(effect.session_id, effect.withdrawal)
                self._versions.forget([effect.session_id])
        writes = self._versions.writes(effects)
        results = await self._store.apply_many(writes) if writes else []
        if self._versions.confirm(writes, results):
            raise Broken("a session was moved on by another writer")
        for write, result in zip(writes, results, strict=True):
            if write.ended and result.blocks > 1:
                await self._store.compact(write.session_id, result.version)

    async def note(self, refusals: Iterable[tuple[Refusal, int]], now_ms: int) -> None:
        """Have it remembered why batches of sessions were refused, for `explain`."""
        for refusal, batches in refusals:
            await self._store.note_fate(refusal.session_id, refusal.project_id, refusal.reason, batches, now_ms)
