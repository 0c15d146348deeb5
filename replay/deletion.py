"""Deleting sessions: which ones, their removal, and proof that nothing is left.

Whoever deletes (a command, an HTTP endpoint) calls `plan`, then `delete`, then `prove`, and tells readers elsewhere.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final

import msgspec

from replay.entries import listing_name
from replay.errors import Poison
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.redis_reads import decode_record, pairs, texts
from replay.redis_removal import Removal
from replay.redis_search import Search, Searched, Trace
from replay.redis_store import wall_clock_ms
from replay.store import StoreSettings
from replay.tombstones import DELETED, Removed
from replay.withdrawals import Withdrawals

_PAGE: Final = 500
_ROUNDS: Final = 3
"""A worker that was about to list a session takes that back itself; by the next round it has."""


class DeletionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions: those of which everything given here is true; at least one thing has to be given.

    `user` is a user id or anonymous id, `page` a URL (query and fragment are ignored); `from_ms` and `to_ms` bound the
    start of a session (epoch ms; the first included, the second not).
    """

    session_ids: tuple[str, ...] = ()
    project_id: str = ""
    user: str = ""
    tag: str = ""
    page: str = ""
    from_ms: int | None = None
    to_ms: int | None = None

    def __post_init__(self) -> None:
        if not any(
            (self.session_ids, self.project_id, *self.listings(), self.from_ms is not None, self.to_ms is not None)
        ):
            raise Poison("say which sessions: nothing was chosen")

    def listings(self) -> list[str]:
        """Name the listings a session has to be in."""
        page = self.page.partition("#")[0].partition("?")[0]
        wanted = (("user", self.user), ("tag", self.tag), ("page", page))
        return [listing_name(by, value) for by, value in wanted if value]

    def is_in_time(self, started_at: float) -> bool:
        """Say whether a session that began then is meant."""
        return (self.from_ms is None or started_at >= self.from_ms) and (self.to_ms is None or started_at < self.to_ms)


class Deletable(msgspec.Struct, frozen=True):
    """A session to delete; what is not known of it, because it expired or was never stored, is empty."""

    session_id: str
    project_id: str = ""
    started_at: int | None = None


class Proof(msgspec.Struct, frozen=True):
    """What a search after a deletion looked at, what it found and took away, and what is `left`: should be nothing.

    `rounds` says how often everything was searched.
    """

    searched: Searched
    rounds: int
    taken: list[Trace]
    left: list[Trace]


class Deletion:
    """Deletes sessions in Redis. Methods raise Unavailable, Saturated and Broken as the client does."""

    def __init__(
        self, client: RedisClient, settings: StoreSettings, clock_ms: Callable[[], int] = wall_clock_ms
    ) -> None:
        self._client = client
        self._clock_ms = clock_ms
        self._names = KeyNames(settings.key_prefix)
        self._pattern = f"{settings.key_prefix}:session:*:entries"
        self._removal = Removal(client, settings, self._names)
        self._search = Search(client, settings)
        self._withdrawals = Withdrawals(client, self._names)

    async def plan(self, query: DeletionQuery, *, thorough: bool = True) -> list[Deletable]:
        """List the sessions that a query means, each once, in the order of their ids.

        Listings know of all sessions but those whose start a wrong clock put far back; `thorough` looks at every
        session that is stored, which takes time in proportion to how many there are.
        """
        found: dict[str, Deletable] = {}
        if query.session_ids:
            async for each in self._by_id(query):
                found[each.session_id] = each
        else:
            for project_id in [query.project_id] if query.project_id else await self._projects():
                async for each in self._listed(query, project_id):
                    found[each.session_id] = each
            if thorough:
                async for each in self._stored(query):
                    found[each.session_id] = each
        return [found[session_id] for session_id in sorted(found)]

    async def delete(self, session_ids: Iterable[str], reason: str = DELETED) -> AsyncIterator[Removed]:
        """Delete sessions and leave tombstones; give what was taken away, of each once it is gone.

        An id of which nothing is stored gets a tombstone too. Doing it again does no harm.
        """
        ids = list(dict.fromkeys(session_ids))
        for start in range(0, len(ids), _PAGE):
            now_ms = self._clock_ms()
            page = await self._removal.withdraw(ids[start : start + _PAGE], reason, now_ms)
            await self._withdrawals.tell(page, now_ms)
            for removed in page:
                yield removed

    async def prove(self, removed: Sequence[Removed]) -> Proof:
        """Search all of the installation for deleted sessions; take away what is found, and search again."""
        ids = {each.session_id: each.tombstone.reason for each in removed}
        signal_ids = {signal_id for each in removed for signal_id in each.signal_ids}
        searched, taken, left, rounds = Searched(), list[Trace](), list[Trace](), 0
        while rounds < _ROUNDS:
            rounds += 1
            left = [trace async for trace in self._search.find(ids, signal_ids, searched)]
            if not left or rounds == _ROUNDS:
                break
            taken += left
            await self._search.clean(left)
            again = {trace.session_id for trace in left if trace.kind == "session"}
            async for _ in self.delete(again):
                pass
        return Proof(searched, rounds, taken, left)

    async def _projects(self) -> list[str]:
        return texts(await self._client.run(Call("SMEMBERS", (self._names.projects,))))

    async def _by_id(self, query: DeletionQuery) -> AsyncIterator[Deletable]:
        is_only_by_id = msgspec.structs.replace(query, session_ids=("",)) == DeletionQuery(session_ids=("",))
        known = {each.session_id: each async for each in self._matching(query, list(query.session_ids))}
        for session_id in query.session_ids:
            if session_id in known:
                yield known[session_id]
            elif is_only_by_id:
                yield Deletable(session_id)

    async def _listed(self, query: DeletionQuery, project_id: str) -> AsyncIterator[Deletable]:
        """Look into the listings of a project; sessions that expired may be in them still."""
        first, *others = query.listings() or ["time"]
        low = "-inf" if query.from_ms is None else query.from_ms
        high = "+inf" if query.to_ms is None else f"({query.to_ms}"
        key = self._names.project(project_id, first)
        offset, is_more = 0, True
        while is_more:
            call = Call("ZRANGEBYSCORE", (key,), (low, high, "WITHSCORES", "LIMIT", offset, _PAGE))
            page = pairs(await self._client.run(call))
            offset, is_more = offset + len(page), len(page) == _PAGE
            for name in others:
                other = self._names.project(project_id, name)
                scores = await self._client.run_many([Call("ZSCORE", (other,), (id_,)) for id_, _ in page])
                page = [each for each, score in zip(page, scores, strict=True) if score is not None]
            for session_id, started_at in page:
                yield Deletable(session_id, project_id, int(started_at))

    async def _stored(self, query: DeletionQuery) -> AsyncIterator[Deletable]:
        """Look at every session that is stored."""
        keys: list[str] = []
        async for key in self._client.scan(self._pattern):
            keys.append(key.decode())
            if len(keys) >= _PAGE:
                async for each in self._of_entries(query, keys):
                    yield each
                keys = []
        async for each in self._of_entries(query, keys):
            yield each

    async def _matching(self, query: DeletionQuery, session_ids: Sequence[str]) -> AsyncIterator[Deletable]:
        for start in range(0, len(session_ids), _PAGE):
            some = [self._names.session(session_id).entries for session_id in session_ids[start : start + _PAGE]]
            async for each in self._of_entries(query, some):
                yield each

    async def _of_entries(self, query: DeletionQuery, keys: Sequence[str]) -> AsyncIterator[Deletable]:
        """Give the sessions with these keys `entries` that a query means; listings of a session never get fewer."""
        names = query.listings()
        asked = [Call("SISMEMBER", (key,), (name,)) for key in keys for name in names]
        replies = await self._client.run_many(asked, in_order=False)
        hits = [all(replies[place * len(names) : (place + 1) * len(names)]) for place in range(len(keys))]
        chosen = [key.removesuffix("entries") + "record" for key, hit in zip(keys, hits, strict=True) if hit]
        for reply in await self._client.run_many([Call("GET", (key,)) for key in chosen], in_order=False):
            record = decode_record(reply)
            if record is None or not query.is_in_time(record.started_at):
                continue
            if query.project_id in {"", record.project_id}:
                yield Deletable(record.session_id, record.project_id, record.started_at)


def count_removed(removed: Iterable[Removed]) -> dict[str, int]:
    """Sum up what was taken away."""
    sums = {"sessions": 0, "stored": 0, "keys": 0, "listings": 0, "stream_entries": 0, "signals": 0}
    for each in removed:
        found = (1, bool(each.keys), len(each.keys), len(each.listings), each.stream_entries, len(each.signal_ids))
        for name, number in zip(sums, found, strict=True):
            sums[name] += number
    return sums
