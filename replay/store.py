"""What every store is: guarded writes of sessions, and the reads of owners, viewers and `explain`."""

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from replay.errors import Poison
from replay.retention import DAY_MS, Retention
from replay.writes import SessionWrite, StoredSession, WriteResult
from schemas.bundle_index import BundleIndex
from schemas.session_record import SessionRecord
from schemas.signals import Signal

Listing = Literal["time", "score", "tag", "user", "page", "release", "device", "country", "error"]

Announce = Callable[[Sequence[SessionWrite]], Awaitable[None]]
"""Tells others of writes that were applied, now or before; what it raises goes through to the caller of the store."""


class StoreSettings(msgspec.Struct, frozen=True):
    """Limits of a store.

    `max_session_bytes` counts masked JSON before compression. `retention` is the rule of how long sessions are kept,
    `project_retention` that of projects with one of their own; `tombstone_ms` how long it is remembered that an id is
    not to come back; `max_life_ms` the longest time between a session's start and its last write. `fate_ttl_ms` is how
    long it is remembered why a session is not there. `stream_max_signals` is about how many signals a project's stream
    holds; `max_fates` how many sessions have a remembered fate. `key_prefix` is what the name of every key in Redis
    begins with.
    """

    max_session_bytes: int = 50 << 20
    compact_block_bytes: int = 1 << 20
    retention: Retention = Retention()
    project_retention: Mapping[str, Retention] = {}
    tombstone_ms: int = 34 * DAY_MS
    max_life_ms: int = 3 * DAY_MS
    fate_ttl_ms: int = 7 * DAY_MS
    stream_max_signals: int = 100_000
    max_fates: int = 100_000
    key_prefix: str = "wince"

    def retention_of(self, project_id: str) -> Retention:
        """Return the rule in force for a project."""
        return self.project_retention.get(project_id, self.retention)


class SessionQuery(msgspec.Struct, frozen=True):
    """Which sessions of a project to list.

    `by` is `time` (latest start first), `score` (highest first), or one of the others with the `value` they are to
    have (latest first). A page is its URL without query and fragment, or folded (`schemas.page_paths`); a
    user is a user id or anonymous id; an error is a fingerprint.
    `cursor` is the one a page before ended with. `limit` is 1 to 500.
    """

    project_id: str
    by: Listing = "time"
    value: str = ""
    limit: int = 50
    cursor: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_PAGE:
            raise Poison(f"limit is 1 to {MAX_PAGE}")


MAX_PAGE = 500


class SessionPage(msgspec.Struct, frozen=True):
    """Some sessions of a listing; `cursor` leads to the next ones and is empty at the end."""

    sessions: list[SessionRecord]
    cursor: str


class Fate(msgspec.Struct, frozen=True, gc=False):
    """What befell data of a session that was not stored: a reason's code, how often, and when last (epoch ms).

    `project_id` is the project the data last said it was of.
    """

    project_id: str
    reason: str
    count: int
    last_at: int


class BundleLine(msgspec.Struct, frozen=True, gc=False):
    """One masked event of a bundle, as JSON, and its window."""

    window_id: str
    event: bytes


class Store(Protocol):
    """Where sessions are kept. Each method may raise Unavailable; those that write may raise Saturated.

    After either nothing is known about the write that was tried: send it again, with the same token.
    """

    async def apply(self, write: SessionWrite) -> WriteResult:
        """Apply a write if the session is at its `base_version`; see `apply_many`."""
        ...

    async def apply_many(self, writes: Sequence[SessionWrite], announce: Announce | None = None) -> list[WriteResult]:
        """Apply each write as a whole or not at all, and say what became of each, in their order.

        There is no order or unity between sessions. Blocks beyond the byte cap are left out and a hole is put in
        their place.

        `announce` is called once with the writes that were not refused, if there are any, when all of them are stored
        and before anything is told outside the sessions themselves (listings, published signals, deadlines). Should
        it raise, nothing was told outside; send the same writes again: they are repetitions then, and announced again.
        """
        ...

    async def load(self, session_id: str) -> StoredSession | None:
        """Take over a session: see `load_many`."""
        ...

    async def load_many(self, session_ids: Sequence[str]) -> list[StoredSession | None]:
        """Read what a new owner needs, `None` for a session that is not stored; see `withdrawn` in `StoredSession`.

        What an owner before may have left undone outside the session itself (index entries, published signals,
        deadline) is done again, so this is for owners; viewers read `record`, `index` and so on.
        """
        ...

    async def due(self, now_ms: int, limit: int, offset: int = 0, shard: str = "") -> list[tuple[str, int]]:
        """List session ids of a shard whose deadline has come, with it, earliest first.

        A hint: the deadline and the shard of the stored session decide. `offset` pages past those already known.
        """
        ...

    async def forget_deadline(self, shard: str, session_id: str) -> None:
        """Take a session out of a shard's list, where `load_many` showed that it is not, or no longer, in that shard.

        That is so when it is not stored, was withdrawn, or was written under another shard since.
        """
        ...

    async def projects(self) -> list[str]:
        """List the ids of all projects with sessions, sorted."""
        ...

    async def sessions(self, query: SessionQuery) -> SessionPage:
        """List sessions. Raises Poison if the cursor is not one of ours."""
        ...

    async def record(self, session_id: str) -> SessionRecord | None:
        """Read a session's record."""
        ...

    async def index(self, session_id: str) -> BundleIndex | None:
        """Read a bundle's index."""
        ...

    async def signals(self, session_id: str) -> list[Signal]:
        """Read a session's signals in order of time, then id; empty for an unknown session."""
        ...

    def events(self, session_id: str, window_id: str, from_t: int, to_t: int) -> AsyncIterator[BundleLine]:
        """Read what shows a window from `from_t` to `to_t` (epoch ms): whole blocks, from the keyframe before."""
        ...

    def bundle(self, session_id: str) -> AsyncIterator[BundleLine]:
        """Read a whole bundle in playing order, one window after the other; nothing for an unknown session."""
        ...

    async def compact(self, session_id: str, version: int) -> bool:
        """Merge a session's small blocks, if it is still at `version`; say whether it was.

        Changes neither the version nor what the bundle plays. Doing it again changes nothing. A store without a
        bundle format of its own for ended sessions has nothing to merge.
        """
        ...

    async def withdraw(self, session_id: str, reason: str) -> None:
        """Delete everything of a session: bundle, record, signals, state, fate, index entries, published signals.

        A store that more than one run writes to leaves a tombstone, which holds nothing but that the id is not to
        come back and why: readers find no session, a write on any version is refused, and `load` says that it was
        withdrawn. It outlasts whatever could bring the session back. Doing this again changes nothing.
        """
        ...

    async def note_fate(self, session_id: str, project_id: str, reason: str, count: int, now_ms: int) -> None:
        """Count why data of a session was not stored, for `explain`; kept for a while, for a bounded number of ids.

        Call it once for each session, reason and moment: a second call with the same `now_ms` is taken for a
        repetition of the first. Nothing is noted of a session that was withdrawn.
        """
        ...

    async def fates(self, session_id: str) -> list[Fate]:
        """Read what was noted, ordered by reason."""
        ...

    async def close(self) -> None:
        """Finish what is open and let go of connections and files."""
        ...


def encode_cursor(score: float, session_id: str) -> str:
    """Make a cursor that leads to what follows this session."""
    return base64.urlsafe_b64encode(msgspec.json.encode((score, session_id))).decode()


def decode_cursor(cursor: str) -> tuple[float, str]:
    """Read a cursor. Raises Poison if it is not one of ours."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=tuple[float, str])
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise Poison("this is not a cursor of a listing") from error
