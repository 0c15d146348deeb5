"""What the core asks for: for each session that was touched, everything that has to be written."""

from collections.abc import Callable, Mapping

import msgspec

from engine.reasons import Reason
from replay.writes import BlockDraft, FilledRange
from schemas.activity import Activity
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal


class SessionEffects(msgspec.Struct, frozen=True):
    """What one session wants written: as a whole or not at all.

    `state` packs the session for resuming when called, before the session is fed again; it wants to be stored if
    `saves`, otherwise the one stored last stays. `position` is the highest input position taken. `next_seqs` has, by
    window, the number of the batch that comes next. `deadline_ms` is the next moment (arrival clock, epoch ms) to call
    `tick`. A `withdrawal` is the reason why the session must not exist: everything stored of it is to be deleted, and
    nothing else here is to be written. One that `is_new` never was anywhere: only a tombstone is wanted, which keeps
    the rest of it out.
    """

    project_id: str
    session_id: str
    record: SessionRecord
    blocks: tuple[BlockDraft, ...]
    holes: tuple[Hole, ...]
    filled: tuple[FilledRange, ...]
    signals: tuple[Signal, ...]
    activities: tuple[Activity, ...]
    ended: bool
    deadline_ms: int | None
    position: int
    next_seqs: Mapping[str, int]
    saves: bool
    state: Callable[[], bytes]
    withdrawal: Reason | None = None
    is_new: bool = False

    @property
    def withdrawn(self) -> bool:
        """Whether the session must not exist."""
        return self.withdrawal is not None


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that can never succeed: where it was, how large it was, and why; never what was in it."""

    source: str
    position: int
    reason: Reason
    size_bytes: int
