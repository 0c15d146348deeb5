"""Makes writes of the core's effects, and remembers the versions that sessions have in the store."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from engine.core.effects import SessionEffects
from replay.writes import Outcome, SessionWrite, WriteResult

Describe = Callable[[SessionEffects], str]
"""How far the input was read, in the source's own notation."""


class Versions:
    """The versions of sessions as this process knows them, and writes built on them.

    `owner` names this process's run, `position` says how far the input was read, `shard` which part of it this is.
    With `keep_state` writes carry what is needed to resume the session; `outbox` is what is to be told of a write.
    `attempts` numbers writes: all writers of one `owner` have to share it.
    """

    def __init__(
        self,
        owner: str,
        position: Describe,
        *,
        keep_state: bool,
        shard: str = "",
        outbox: Callable[[SessionEffects], bytes] = lambda _effects: b"",
        attempts: Iterator[int] | None = None,
    ) -> None:
        self._owner = owner
        self._position = position
        self._keep_state = keep_state
        self._shard = shard
        self._outbox = outbox
        self._versions: dict[str, tuple[int, str]] = {}
        self._attempts = count(1) if attempts is None else attempts

    def know(self, session_id: str, version: int, token: str) -> None:
        """Build on this version of a session, made by the write of this token, from now on."""
        self._versions[session_id] = version, token

    def forget(self, session_ids: Iterable[str]) -> None:
        """Know nothing of these sessions any more."""
        for session_id in session_ids:
            self._versions.pop(session_id, None)

    def writes(self, effects: Iterable[SessionEffects]) -> list[SessionWrite]:
        """Make the writes of sessions not withdrawn; send the very same ones again if their fate is unknown."""
        return [self._write(effect) for effect in effects if not effect.withdrawn]

    def confirm(self, writes: Sequence[SessionWrite], results: Sequence[WriteResult]) -> list[SessionWrite]:
        """Take note of what became of writes; return those of sessions that another writer has moved on."""
        refused = []
        for write, result in zip(writes, results, strict=True):
            if result.outcome is Outcome.REFUSED:
                refused.append(write)
            else:
                self._versions[write.session_id] = result.version, write.token
        return refused

    def _write(self, effect: SessionEffects) -> SessionWrite:
        version, token = self._versions.get(effect.session_id, (0, ""))
        return SessionWrite(
            project_id=effect.project_id,
            session_id=effect.session_id,
            base_version=version,
            base_token=token,
            token=f"{self._owner}:{next(self._attempts)}",
            position=self._position(effect),
            record=effect.record,
            state=effect.state() if self._keep_state and effect.saves else b"",
            blocks=effect.blocks,
            holes=effect.holes,
            filled=effect.filled,
            signals=effect.signals,
            ended=effect.ended,
            deadline_ms=effect.deadline_ms,
            shard=self._shard,
            outbox=self._outbox(effect),
        )
