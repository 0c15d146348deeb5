"""The Redis store: one guarded script call for each session's write, everything else repeatable."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, cast

import msgspec

from replay.compaction import merge_blocks, plan_compaction
from replay.entries import listing_name
from replay.errors import Broken
from replay.index import blocks_to_play, playing_order
from replay.reading import read_lines
from replay.redis_client import Call, RedisClient, Reply, load_script
from replay.redis_keys import KeyNames
from replay.redis_outside import Listed, Outside
from replay.redis_reads import (
    data_reader,
    decode_index,
    decode_record,
    decode_signals,
    index_call,
    pairs,
    signal_texts,
    texts,
)
from replay.redis_removal import Removal
from replay.redis_slots import Prepared, Slots, index_head
from replay.store import (
    Announce,
    BundleLine,
    Fate,
    SessionPage,
    SessionQuery,
    StoreSettings,
    decode_cursor,
    encode_cursor,
)
from replay.tombstones import Tombstone
from replay.writes import Outcome, SessionWrite, StoredSession, WriteResult, withdrawn_session
from schemas.bundle_index import BundleIndex
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_COMPACT: Final = load_script("compact")
_LOAD: Final = load_script("load")
_FATE: Final = load_script("fate")

OLD_DATA_GRACE_MS: Final = 60_000
"""How long data replaced by compaction can still be read by those who have the old index."""

MAX_FATE_REASONS: Final = 64
_DATA_PAGE_BYTES: Final = 4 << 20


def wall_clock_ms() -> int:
    """Read the time: epoch ms."""
    return time.time_ns() // 1_000_000


class RedisStore:
    """A `Store` in Redis 6.2 or newer, single or cluster. Keys and their contents: docs/redis.md."""

    def __init__(
        self, client: RedisClient, settings: StoreSettings, clock_ms: Callable[[], int] = wall_clock_ms
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock_ms = clock_ms
        self._names = KeyNames(settings.key_prefix)
        self._slots = Slots(client, settings, self._names)
        self._outside = Outside(client, settings, self._names)
        self._removal = Removal(client, settings, self._names)

    async def apply(self, write: SessionWrite) -> WriteResult:
        """Apply a write if the session is at its `base_version`."""
        return (await self.apply_many([write]))[0]

    async def apply_many(self, writes: Sequence[SessionWrite], announce: Announce | None = None) -> list[WriteResult]:
        """Apply writes, each whole or not at all; see `Store.apply_many`."""
        listed = [self._listed(write) for write in writes]
        prepared = [Prepared(write, each.names, each.signals) for write, each in zip(writes, listed, strict=True)]
        results = await self._slots.apply(prepared)
        accepted = [place for place, result in enumerate(results) if result.outcome is not Outcome.REFUSED]
        if announce is not None and accepted:
            await announce([writes[place] for place in accepted])
        await self._tell([listed[place] for place in accepted])
        return results

    async def _tell(self, sessions: Sequence[Listed]) -> None:
        with_news = await self._outside.tell(sessions, self._clock_ms())
        for session_id in await self._removal.take_back_withdrawn(with_news):
            self._outside.forget(session_id)

    def _listed(self, write: SessionWrite) -> Listed:
        if not write.base_version:
            # An earlier session of this id may have been told; nothing of it is left.
            self._outside.forget(write.session_id)
        place, names = self._outside.place(write.record)
        signals = [(signal.id, msgspec.json.encode(signal)) for signal in write.signals]
        return Listed(write.session_id, place, names, signals, write.shard, write.deadline_ms, write.record.errors)

    async def load(self, session_id: str) -> StoredSession | None:
        """Take over a session; see `Store.load_many`."""
        return (await self.load_many([session_id]))[0]

    async def load_many(self, session_ids: Sequence[str]) -> list[StoredSession | None]:
        """Take over sessions; see `Store.load_many`."""
        calls = [Call(_LOAD, self._names.session(id_)[:4], _META_FIELDS) for id_ in session_ids]
        replies = await self._client.run_many(calls, "load", in_order=False)
        loaded: list[StoredSession | None] = []
        listed: list[Listed] = []
        for session_id, reply in zip(session_ids, replies, strict=True):
            meta, record, index_length, signals = cast("list[Reply]", reply)
            stored = _stored(session_id, meta, record, index_length)
            loaded.append(stored)
            if stored is not None and not stored.withdrawn:
                self._outside.forget(session_id)
                where, names = self._outside.place(stored.record)
                told, errors = signal_texts(signals), stored.record.errors
                listed.append(Listed(session_id, where, names, told, stored.shard, stored.deadline_ms, errors))
        await self._tell(listed)
        return loaded

    async def due(self, now_ms: int, limit: int, offset: int = 0, shard: str = "") -> list[tuple[str, int]]:
        """List sessions whose deadline has come; see `Store.due`."""
        arguments = ("-inf", now_ms, "WITHSCORES", "LIMIT", offset, limit)
        reply = await self._client.run(Call("ZRANGEBYSCORE", (self._names.deadlines(shard),), arguments), "load")
        return [(session_id, int(deadline)) for session_id, deadline in pairs(reply)]

    async def forget_deadline(self, shard: str, session_id: str) -> None:
        """Take a session out of a shard's list; see `Store.forget_deadline`."""
        await self._client.run(Call("ZREM", (self._names.deadlines(shard),), (session_id,)), "list")

    async def projects(self) -> list[str]:
        """List projects."""
        return texts(await self._client.run(Call("SMEMBERS", (self._names.projects,))))

    async def sessions(self, query: SessionQuery) -> SessionPage:
        """List sessions; a session deleted or expired since it was listed is left out."""
        key = self._names.project(query.project_id, listing_name(query.by, query.value))
        start = await self._start(key, query.cursor)
        reply = await self._client.run(Call("ZREVRANGE", (key,), (start, start + query.limit, "WITHSCORES")))
        listed = pairs(reply)
        shown = listed[: query.limit]
        records = await self._client.run_many([Call("GET", (self._names.session(id_).record,)) for id_, _ in shown])
        cursor = encode_cursor(shown[-1][1], shown[-1][0]) if len(listed) > query.limit else ""
        return SessionPage([record for reply in records if (record := decode_record(reply))], cursor)

    async def _start(self, key: str, cursor: str) -> int:
        """Find the rank after the cursor's session, or after its score if it has moved or gone."""
        if not cursor:
            return 0
        score, session_id = decode_cursor(cursor)
        calls = [
            Call("ZSCORE", (key,), (session_id,)),
            Call("ZREVRANK", (key,), (session_id,)),
            Call("ZCOUNT", (key,), (score, "+inf")),
        ]
        now, rank, up_to = await self._client.run_many(calls)
        if isinstance(rank, int) and isinstance(now, bytes | float) and float(now) == score:
            return rank + 1
        return cast("int", up_to)

    async def record(self, session_id: str) -> SessionRecord | None:
        """Read a session's record."""
        return decode_record(await self._client.run(Call("GET", (self._names.session(session_id).record,))))

    async def index(self, session_id: str) -> BundleIndex | None:
        """Read a bundle's index."""
        read = decode_index(await self._client.run(index_call(self._names.session(session_id))))
        return read[1] if read else None

    async def signals(self, session_id: str) -> list[Signal]:
        """Read a session's signals."""
        return decode_signals(await self._client.run(Call("HVALS", (self._names.session(session_id).signals,))))

    async def events(self, session_id: str, window_id: str, from_t: int, to_t: int) -> AsyncIterator[BundleLine]:
        """Read part of a bundle; see `Store.events`."""
        read = decode_index(await self._client.run(index_call(self._names.session(session_id))))
        if read:
            blocks = blocks_to_play(read[1], window_id, from_t, to_t)
            async for line in read_lines(blocks, data_reader(self._client, read[0].data)):
                yield line

    async def bundle(self, session_id: str) -> AsyncIterator[BundleLine]:
        """Read a whole bundle; see `Store.bundle`."""
        read = decode_index(await self._client.run(index_call(self._names.session(session_id))))
        if read:
            blocks = playing_order(read[1].blocks)
            async for line in read_lines(blocks, data_reader(self._client, read[0].data)):
                yield line

    async def compact(self, session_id: str, version: int) -> bool:
        """Merge small blocks; see `Store.compact`."""
        keys = self._names.session(session_id)
        read = decode_index(await self._client.run(index_call(self._names.session(session_id))))
        if read is None or read[1].version != version:
            return False
        head, index = read
        if index.compacted:
            return True
        fetch = data_reader(self._client, head.data)
        pages = range(0, index.length, _DATA_PAGE_BYTES)
        data = b"".join([await fetch(start, min(_DATA_PAGE_BYTES, index.length - start)) for start in pages])

        async def fetch_copy(offset: int, length: int) -> bytes:
            return data[offset : offset + length]

        groups = plan_compaction(index, self._settings.compact_block_bytes)
        entries, merged = await merge_blocks(groups, fetch_copy)
        generation = int(head.data == keys.data_1)
        new_head = index_head(session_id, head.project_id)
        arguments = (version, generation, merged, new_head, OLD_DATA_GRACE_MS, len(entries))
        blocks = [msgspec.json.encode(entry) for entry in entries]
        slot = (keys.meta, keys.bundle_index, keys.data_0, keys.data_1)
        return await self._client.run(Call(_COMPACT, slot, (*arguments, *blocks)), "write") == 1

    async def withdraw(self, session_id: str, reason: str) -> None:
        """Delete everything of a session and leave a tombstone; see `Store.withdraw`."""
        await self._removal.withdraw([session_id], reason, self._clock_ms())
        self._outside.forget(session_id)

    async def tombstone(self, session_id: str) -> Tombstone | None:
        """Read what stands for a session that was withdrawn, if that is so."""
        return await self._removal.tombstone(session_id)

    async def note_fate(self, session_id: str, project_id: str, reason: str, count: int, now_ms: int) -> None:
        """Count why data of a session was not stored; see `Store.note_fate`."""
        keys, fates = self._names.session(session_id), self._names.fates
        ttl_ms = self._settings.fate_ttl_ms
        fate = Call(_FATE, (keys.fate, keys.meta), (reason, count, now_ms, ttl_ms, MAX_FATE_REASONS, project_id))
        listing = [
            Call("ZADD", (fates,), (now_ms, session_id)),
            Call("ZREMRANGEBYSCORE", (fates,), ("-inf", f"({now_ms - ttl_ms}")),
            Call("ZCARD", (fates,)),
        ]
        replies = await self._client.run_many([fate, *listing], "list")
        # It may have been withdrawn meanwhile: who withdraws takes it out of the list, before this or after.
        if await self._client.run(Call("HEXISTS", (keys.meta,), ("withdrawn",)), "list"):
            await self._client.run(Call("ZREM", (fates,), (session_id,)), "list")
        excess = cast("int", replies[-1]) - self._settings.max_fates
        if excess > 0:
            oldest = pairs(await self._client.run(Call("ZRANGE", (fates,), (0, excess - 1, "WITHSCORES"))))
            await self._client.run_many([Call("DEL", (self._names.session(id_).fate,)) for id_, _ in oldest])
            await self._client.run(Call("ZREM", (fates,), [id_ for id_, _ in oldest]))

    async def fates(self, session_id: str) -> list[Fate]:
        """Read what was noted."""
        reply = await self._client.run(Call("HGETALL", (self._names.session(session_id).fate,)))
        fates = []
        for reason, text in cast("dict[bytes, bytes]", reply).items():
            count, last_at, project_id = text.split(b" ", 2)
            fates.append(Fate(project_id.decode(), reason.decode(), int(count), int(last_at)))
        return sorted(fates, key=lambda fate: fate.reason)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


_META_FIELDS: Final = ("version", "position", "state", "deadline", "shard", "outbox", "token", "withdrawn")


def _stored(session_id: str, meta: Reply, record: Reply, index_length: Reply) -> StoredSession | None:
    version, position, state, deadline, shard, outbox, token, withdrawn = cast("list[bytes | None]", meta)
    if version is not None and withdrawn is not None:
        return withdrawn_session(session_id, int(version), withdrawn.decode())
    if version is None or position is None or state is None:
        return None
    known = decode_record(record)
    if known is None or not index_length:
        raise Broken("a session lacks its record or index: was it evicted? Redis must not evict keys (noeviction)")
    return StoredSession(
        session_id=session_id,
        version=int(version),
        position=position.decode(),
        state=state,
        record=known,
        deadline_ms=int(deadline) if deadline else None,
        outbox=outbox or b"",
        shard=(shard or b"").decode(),
        token=(token or b"").decode(),
    )
