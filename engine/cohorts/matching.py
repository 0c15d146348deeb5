"""Which sessions meet a condition, and whose they are: all of a window, or those of some users."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple, cast

import msgspec

from engine.cohorts.condition import within
from engine.cohorts.events import support_digest
from engine.cohorts.membership import Match
from replay.entries import listing_name
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.search.filters import SessionFilter
from replay.search.finding import SessionSearch
from schemas.session_record import SessionRecord

SESSIONS_AT_ONCE: Final = 500
_OF_A_USER_AT_ONCE: Final = 20

IsExcluded = Callable[[SessionRecord], bool]
"""Says whether a session is one of a user of whom nothing may be told."""


class Found(NamedTuple):
    """Sessions that were looked at: the last one of each user, how many there were, and how many without a user id."""

    matches: Mapping[str, Match]
    sessions: int
    anonymous: int


class Looked(NamedTuple):
    """A session, by a digest of its id: whose it is, if it meets the condition, and its match."""

    support: str
    user_id: str
    match: Match | None


class Matching:
    """Looks for sessions of a project that meet a condition. Methods raise what the Redis client raises."""

    def __init__(
        self,
        client: RedisClient,
        key_prefix: str,
        project_id: str,
        wanted: SessionFilter,
        window_ms: int,
        is_excluded: IsExcluded,
    ) -> None:
        self._client = client
        self._names = KeyNames(key_prefix)
        self._search = SessionSearch(client, self._names)
        self._project_id = project_id
        self._wanted = wanted
        self._matches = wanted.matcher()
        self._window_ms = window_ms
        self._is_excluded = is_excluded

    async def all(self, now_ms: int) -> AsyncIterator[Found]:
        """Give all sessions of the window before `now_ms` (epoch ms), the latest first, some hundred at a time."""
        wanted, cursor = within(self._wanted, self._window_ms, now_ms), ""
        while True:
            page = await self._search.find(self._project_id, wanted, sort="time", limit=SESSIONS_AT_ONCE, cursor=cursor)
            yield self._found(page.sessions)
            cursor = page.cursor
            if not cursor:
                return

    def _found(self, records: Sequence[SessionRecord]) -> Found:
        matches: dict[str, Match] = {}
        sessions = anonymous = 0
        for record in records:
            if self._is_excluded(record):
                continue
            sessions += 1
            if record.user_id:
                matches.setdefault(record.user_id, _match(record))
            else:
                anonymous += 1
        return Found(matches, sessions, anonymous)

    async def sessions(self, session_ids: Sequence[str]) -> list[Looked]:
        """Look at sessions by their ids."""
        records = await self._search.records(session_ids)
        return [
            Looked(support_digest(session_id), record.user_id or "", _match(record))
            if record is not None and self._meets(record)
            else Looked(support_digest(session_id), "", None)
            for session_id, record in zip(session_ids, records, strict=True)
        ]

    def _meets(self, record: SessionRecord) -> bool:
        return record.project_id == self._project_id and self._matches(record) and not self._is_excluded(record)

    async def latest(self, users: Collection[str], now_ms: int) -> dict[str, Match]:
        """Find the last session of each user in the window before `now_ms`; users without one are left out."""
        found: dict[str, Match] = {}
        waiting, looked = list(users), 0
        earliest = now_ms - self._window_ms + 1
        while waiting:
            listed = await self._listed(waiting, earliest, looked)
            await self._look(listed, found)
            looked += _OF_A_USER_AT_ONCE
            waiting = [user for user, ids in listed.items() if len(ids) == _OF_A_USER_AT_ONCE and user not in found]
        return found

    async def _listed(self, users: Sequence[str], earliest: int, looked: int) -> dict[str, list[str]]:
        """List the next sessions of users, the latest first."""
        bounds = ("+inf", earliest, "BYSCORE", "REV", "LIMIT", looked, _OF_A_USER_AT_ONCE)
        keys = [self._names.project(self._project_id, listing_name("user", user)) for user in users]
        replies = await self._client.run_many([Call("ZRANGE", (key,), bounds) for key in keys], in_order=False)
        return {
            user: [id_.decode("utf-8", "surrogatepass") for id_ in cast("list[bytes]", reply)]
            for user, reply in zip(users, replies, strict=True)
        }

    async def _look(self, listed: Mapping[str, Sequence[str]], found: dict[str, Match]) -> None:
        asked = [(user, session_id) for user, ids in listed.items() for session_id in ids]
        records = await self._search.records([session_id for _, session_id in asked])
        for (user, _), record in zip(asked, records, strict=True):
            if user not in found and record is not None and record.user_id == user and self._meets(record):
                found[user] = _match(record)


def _match(record: SessionRecord) -> Match:
    return Match(record.started_at, support_digest(record.session_id))


class Tally(msgspec.Struct):
    """What a look at all sessions counted."""

    sessions: int = 0
    anonymous: int = 0

    def add(self, found: Found) -> None:
        """Add some sessions."""
        self.sessions += found.sessions
        self.anonymous += found.anonymous
