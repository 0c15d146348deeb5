"""What the core asks for: for each session that was touched, everything that has to be written."""

from collections.abc import Callable

import msgspec

from engine.reasons import Reason
from replay.writes import BlockDraft, FilledRange
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal


class SessionEffects(msgspec.Struct, frozen=True):
    """What one session wants written: as a whole or not at all.

    `state` packs the session for resuming when called, before the session is fed again. `position` is the highest
    input position taken, `replay_from` the lowest one that has to be read again after a restart (its batch is held
    back), if any. `deadline_ms` is the next moment (arrival clock, epoch ms) to call `tick`. `withdrawn` means that the
    session must not exist: everything stored of it is to be deleted, and nothing else here is to be written.
    """

    project_id: str
    session_id: str
    record: SessionRecord
    blocks: tuple[BlockDraft, ...]
    holes: tuple[Hole, ...]
    filled: tuple[FilledRange, ...]
    signals: tuple[Signal, ...]
    ended: bool
    deadline_ms: int | None
    position: int
    replay_from: int | None
    state: Callable[[], bytes]
    withdrawn: bool = False


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that can never succeed: where it was, how large it was, and why; never what was in it."""

    source: str
    position: int
    reason: Reason
    size_bytes: int
