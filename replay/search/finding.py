"""Finding sessions: candidates from listings, records to show and to check them by, a cursor to go on from."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Final, Literal, cast

import msgspec

from replay.api.types_listing import SessionsPage
from replay.errors import Mismatched
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.redis_reads import decode_record
from replay.search.filters import SessionFilter, Sort
from replay.search.plan import listings_of
from replay.search.walking import Batch, Place, Walk, merged
from schemas.page_paths import page_of
from schemas.session_record import SessionRecord

RECORDS_MAX: Final = 2_000
"""Records read for one answer: some may be gone, or not match."""

_RECORDS_AT_ONCE: Final = 100
_LARGEST_BATCH: Final = 500
_FIRST_OF_PAGE: Final = 200
"""Records read first where they have to be looked into."""

By = Literal["all", "name", "page"]
"""What `q` is taken for: nothing, the start of a session id or a user, or a part of a page's address."""


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    digest: str
    by: By
    number: float
    session_id: str


_decode_cursor: Final = msgspec.json.Decoder(_Cursor).decode


class SessionSearch:
    """Finds sessions of a project in Redis."""

    def __init__(self, client: RedisClient, names: KeyNames) -> None:
        self._client = client
        self._names = names

    async def find(
        self, project_id: str, wanted: SessionFilter, *, sort: Sort = "time", limit: int = 50, cursor: str = ""
    ) -> SessionsPage:
        """List up to `limit` sessions, highest first. Raises Mismatched if the cursor is not one of this list."""
        digest = wanted.digest(project_id, sort)
        by, after = _read_cursor(cursor, digest)
        if by == "all" and wanted.q:
            by = "page" if "/" in wanted.q else "name"
        found = await self._collect(project_id, wanted, sort, limit, by, after)
        if by == "name" and not cursor and not found.sessions and found.up_to is None:
            by = "page"
            found = await self._collect(project_id, wanted, sort, limit, by, after)
        is_partial = found.up_to is not None and len(found.sessions) < limit
        total = found.total
        if total is None and not cursor and found.up_to is None:
            total = len(found.sessions)
        next_cursor = "" if found.up_to is None else _write_cursor(_Cursor(digest, by, *found.up_to))
        return SessionsPage(found.sessions, next_cursor, total, is_partial)

    async def _collect(
        self, project_id: str, wanted: SessionFilter, sort: Sort, limit: int, by: By, after: Place | None
    ) -> "_Collected":
        walk = Walk(self._client, self._names, project_id, sort)
        matches = _matcher(project_id, wanted, by)
        collected = _Collected([], after)
        read, ask = 0, max(limit + 1, _FIRST_OF_PAGE if by == "page" else 0)
        while read < RECORDS_MAX:
            ask = min(ask, RECORDS_MAX - read)
            batch = await self._candidates(walk, wanted, by, collected.up_to, ask)
            if collected.total is None and by == "all":
                collected.total = batch.total
            read += len(batch.places)
            if await self._take(collected, batch, limit, matches):
                return collected
            collected.up_to = batch.up_to
            # Fewer than asked for, and no end: so much was looked at that the rest is for the next request.
            if batch.up_to is None or len(batch.places) < ask:
                return collected
            ask = min(2 * ask, _LARGEST_BATCH)
        return collected

    async def _candidates(self, walk: Walk, wanted: SessionFilter, by: By, after: Place | None, ask: int) -> Batch:
        if by != "name":
            return await walk.next(listings_of(wanted), after, ask)
        by_user = await walk.next(listings_of(wanted, [("user", wanted.q)]), after, ask)
        return merged([by_user, await walk.next(listings_of(wanted), after, ask, wanted.q)], ask)

    async def _take(
        self, collected: "_Collected", batch: Batch, limit: int, matches: Callable[[SessionRecord], bool]
    ) -> bool:
        """Take what matches of a batch; say whether enough is there."""
        records = await self.records([place.session_id for place in batch.places])
        for number, (place, record) in enumerate(zip(batch.places, records, strict=True), 1):
            if record is None or not matches(record):
                continue
            collected.sessions.append(record)
            if len(collected.sessions) == limit:
                is_end = batch.up_to is None and number == len(batch.places)
                collected.up_to = None if is_end else place
                return True
        return False

    async def records(self, session_ids: Sequence[str]) -> list[SessionRecord | None]:
        """Read records, `None` for a session that is gone."""
        keys = [self._names.session(session_id).record for session_id in session_ids]
        if self._client.is_cluster:
            replies = await self._client.run_many([Call("GET", (key,)) for key in keys], in_order=False)
            return [decode_record(reply) for reply in replies]
        pages = [tuple(keys[start : start + _RECORDS_AT_ONCE]) for start in range(0, len(keys), _RECORDS_AT_ONCE)]
        lists = await self._client.run_many([Call("MGET", page) for page in pages])
        return [decode_record(reply) for replies in lists for reply in cast("list[bytes | None]", replies)]


class _Collected(msgspec.Struct):
    """What was found so far, and up to which place; `None` at the end."""

    sessions: list[SessionRecord]
    up_to: Place | None
    total: int | None = None


def _matcher(project_id: str, wanted: SessionFilter, by: By) -> Callable[[SessionRecord], bool]:
    """Say what a record has to be like: listings may be behind or ahead of it."""
    text, is_wanted = wanted.q.lower(), wanted.matcher()

    def matches(record: SessionRecord) -> bool:
        if record.project_id != project_id or not is_wanted(record):
            return False
        if by == "name":
            is_user = wanted.q in (record.user_id, record.anonymous_id)
            return is_user or record.session_id.startswith(wanted.q)
        return by == "all" or any(text in page_of(visit.url).lower() for visit in record.pages)

    return matches


def _write_cursor(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _read_cursor(cursor: str, digest: str) -> tuple[By, Place | None]:
    if not cursor:
        return "all", None
    try:
        read = _decode_cursor(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise Mismatched("this is not a cursor of a list of sessions") from None
    if read.digest != digest:
        raise Mismatched("this cursor is of a list with other filters, or in another order")
    return read.by, Place(read.number, read.session_id)
