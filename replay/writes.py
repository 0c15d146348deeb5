"""The contract between the engine and a store: one write per session and poll, and what became of it."""

import enum

import msgspec

from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord, Totals
from schemas.signals import Signal


class BlockDraft(msgspec.Struct, frozen=True, gc=False):
    """A block that has no place yet: `BlockEntry` without its offset, and its compressed bytes.

    `sequence` is the `seq` of its first batch. A block must end where a hole begins: a late batch is placed by its
    sequence, before the blocks that follow the hole.
    """

    window_id: str
    sequence: int
    data: bytes
    raw_length: int
    events: int
    first_t: int
    last_t: int
    keyframe: bool = False
    late: bool = False
    policy: str = ""


class FilledRange(msgspec.Struct, frozen=True, gc=False):
    """Batches `first_seq` to `last_seq` of a window that came after all, late."""

    window_id: str
    first_seq: int
    last_seq: int


class SessionWrite(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Everything one poll changed in one session, to be applied as a whole or not at all.

    `base_version` is the version the writer built on (0: the session is new to it); `base_token` the token of the write
    that made that version, if the writer knows it: in a store that went back in time a version comes a second time.
    `token` is unique for each write attempt that is not a repetition of another; by it a writer whose reply was lost
    recognises its own write.
    `position` says, in the source's own notation, how far the input was read. `record` replaces the stored one, so
    does `state` unless it is empty, `blocks` are appended, `holes` added and `filled` taken out of them, `signals` set
    by their id.
    `deadline_ms` is the next moment (epoch ms) at which the session wants to be looked at without new input; `shard`
    names the part of the input under which that is listed, so that its owner finds it. `outbox` holds, in the
    writer's own form, what is to be told elsewhere of this write; it is kept until the next write replaces it.
    """

    project_id: str
    session_id: str
    base_version: int
    token: str
    position: str
    record: SessionRecord
    state: bytes
    blocks: tuple[BlockDraft, ...] = ()
    holes: tuple[Hole, ...] = ()
    filled: tuple[FilledRange, ...] = ()
    signals: tuple[Signal, ...] = ()
    ended: bool = False
    deadline_ms: int | None = None
    shard: str = ""
    outbox: bytes = b""
    base_token: str = ""


class Outcome(enum.Enum):
    """What became of a write."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """This very write had been applied before; nothing was changed now."""
    REFUSED = "refused"
    """Another owner moved on, the session is gone or withdrawn, or its id is another project's: load it and decide."""


class WriteResult(msgspec.Struct, frozen=True, gc=False):
    """The outcome, the version the session has now (0: none stored), and how many blocks its bundle has."""

    outcome: Outcome
    version: int
    blocks: int


class StoredSession(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a new owner needs to go on with a session.

    `outbox` is what the last write was to tell elsewhere, and may not have told; `token` is that write's; `shard` is
    where its deadline is listed.
    Of a `withdrawn` session there is only `session_id`, `version` and the `reason`, a code: all else is empty, and no
    write is accepted.
    """

    session_id: str
    version: int
    position: str
    state: bytes
    record: SessionRecord
    deadline_ms: int | None
    outbox: bytes = b""
    shard: str = ""
    token: str = ""
    withdrawn: bool = False
    reason: str = ""


def withdrawn_session(session_id: str, version: int, reason: str = "") -> StoredSession:
    """Make what stands for a session that was withdrawn."""
    record = SessionRecord(
        session_id=session_id,
        project_id="",
        started_at=0,
        last_event_at=0,
        status="ended",
        window_ids=[],
        pages=[],
        totals=Totals(),
        tags={},
        score=0.0,
        score_parts=[],
        privacy_level="",
        policy_version="",
    )
    return StoredSession(
        session_id=session_id,
        version=version,
        position="",
        state=b"",
        record=record,
        deadline_ms=None,
        withdrawn=True,
        reason=reason,
    )
