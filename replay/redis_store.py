"""The Redis store: one guarded script call for each session's write, everything else repeatable."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple, cast

import msgspec

from replay.compaction import merge_blocks, plan_compaction
from replay.entries import listing_name, listing_names
from replay.errors import Broken, Unavailable
from replay.holes import change_holes
from replay.index import blocks_to_play, cap_blocks, playing_order
from replay.reading import read_lines
from replay.redis_client import Argument, Call, RedisClient, Reply, connect, load_script
from replay.redis_keys import KeyNames, SessionKeys
from replay.redis_outside import Deadline, Outside, identity
from replay.redis_reads import (
    data_reader,
    decode_holes,
    decode_index,
    decode_record,
    decode_signals,
    index_call,
    pairs,
    texts,
)
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
from replay.writes import BlockDraft, Outcome, SessionWrite, StoredSession, WriteResult, withdrawn_session
from schemas.bundle_index import BundleIndex, Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_WRITE: Final = load_script("write")
_COMPACT: Final = load_script("compact")
_FATE: Final = load_script("fate")
_WITHDRAW: Final = load_script("withdraw")

OLD_DATA_GRACE_MS: Final = 60_000
"""How long data replaced by compaction can still be read by those who have the old index."""

MAX_FATE_REASONS: Final = 64
_WITHDRAW_ATTEMPTS: Final = 20
_STREAM_PAGE: Final = 1_000
_DATA_PAGE_BYTES: Final = 4 << 20


class _Unplaced(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A block of the index to which the script adds the offset."""

    window_id: str
    sequence: int
    length: int
    raw_length: int
    events: int
    first_t: int
    last_t: int
    keyframe: bool = False
    late: bool = False


class _Reply(NamedTuple):
    status: str
    version: int
    blocks: int
    raw_bytes: int


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
        self._outside = Outside(settings, self._names)

    @classmethod
    def connect(cls, url: str, settings: StoreSettings) -> "RedisStore":
        """Make a store of a URL as `replay.redis_client.connect` takes it. Raises ValueError for another."""
        return cls(connect(url), settings)

    async def apply(self, write: SessionWrite) -> WriteResult:
        """Apply a write if the session is at its `base_version`."""
        return (await self.apply_many([write]))[0]

    async def apply_many(self, writes: Sequence[SessionWrite], announce: Announce | None = None) -> list[WriteResult]:
        """Apply writes, each whole or not at all; see `Store.apply_many`."""
        holes = await self._changed_holes(writes)
        calls = [self._write_call(write, change, cut=False) for write, change in zip(writes, holes, strict=True)]
        replies = [_write_reply(reply) for reply in await self._client.run_many(calls)]
        for place, reply in enumerate(replies):
            if reply.status == "over":
                replies[place] = await self._apply_cut(writes[place], reply.raw_bytes)
        results = [WriteResult(Outcome(reply.status), reply.version, reply.blocks) for reply in replies]
        accepted = [w for w, result in zip(writes, results, strict=True) if result.outcome is not Outcome.REFUSED]
        if announce is not None and accepted:
            await announce(accepted)
        await self._send_outside(accepted)
        return results

    async def _changed_holes(self, writes: Sequence[SessionWrite]) -> list[list[Hole] | None]:
        """Work out the holes after each write that changes them.

        The guard makes this safe: a write that finds its base version finds the holes that were read here.
        """
        changing = [write.session_id for write in writes if write.holes or write.filled]
        ids = list(dict.fromkeys(changing))
        replies = await self._client.run_many(
            [Call("LINDEX", (self._names.session(id_).bundle_index,), (1,)) for id_ in ids]
        )
        current = {id_: decode_holes(reply) for id_, reply in zip(ids, replies, strict=True)}
        changed: list[list[Hole] | None] = []
        for write in writes:
            if not (write.holes or write.filled):
                changed.append(None)
                continue
            old = current[write.session_id] if write.base_version else []
            current[write.session_id] = change_holes(old, write.holes, write.filled)
            changed.append(current[write.session_id])
        return changed

    async def _apply_cut(self, write: SessionWrite, raw_bytes: int) -> _Reply:
        """Apply a write with only the blocks that still fit, and a hole for the rest."""
        kept, lost = cap_blocks(write.blocks, self._settings.max_session_bytes - raw_bytes)
        cut = msgspec.structs.replace(write, blocks=kept, holes=(*write.holes, *lost))
        (holes,) = await self._changed_holes([cut])
        return _write_reply(await self._client.run(self._write_call(cut, holes, cut=True)))

    def _write_call(self, write: SessionWrite, holes: list[Hole] | None, *, cut: bool) -> Call:
        keys = self._names.session(write.session_id)
        names = listing_names(write.record)
        arguments: list[Argument] = [
            write.base_version,
            write.token,
            write.project_id,
            write.position,
            msgspec.json.encode(write.record),
            write.state,
            "" if write.deadline_ms is None else write.deadline_ms,
            self._settings.retention_ms,
            self._settings.max_session_bytes,
            int(cut),
            _head(write.session_id),
            b"" if holes is None else msgspec.json.encode(holes),
            write.shard,
            write.outbox,
            len(write.blocks),
        ]
        for block in write.blocks:
            arguments += (_unplaced(block), block.raw_length, block.data)
        arguments.append(len(write.signals))
        for signal in write.signals:
            arguments += (signal.id, msgspec.json.encode(signal))
        arguments += (len(names), *names)
        slot = (keys.meta, keys.record, keys.bundle_index, keys.signals, keys.entries, keys.data_0, keys.data_1)
        return Call(_WRITE, slot, arguments)

    async def _send_outside(self, writes: Sequence[SessionWrite]) -> None:
        now_ms = self._clock_ms()
        calls: list[Call] = []
        for write in writes:
            calls += self._outside.session_calls(write.record, Deadline(write.shard, write.deadline_ms), now_ms)
            calls += self._outside.signal_calls(write.signals, now_ms)
        await self._client.run_many(calls)

    async def load(self, session_id: str) -> StoredSession | None:
        """Take over a session; see `Store.load_many`."""
        return (await self.load_many([session_id]))[0]

    async def load_many(self, session_ids: Sequence[str]) -> list[StoredSession | None]:
        """Take over sessions; see `Store.load_many`.

        The version is read before the rest: should somebody write in between, the next write is refused.
        """
        reads = await self._client.run_many(
            [call for id_ in session_ids for call in _load_calls(self._names.session(id_))]
        )
        now_ms = self._clock_ms()
        calls: list[Call] = []
        loaded: list[StoredSession | None] = []
        for place, session_id in enumerate(session_ids):
            meta, record, index, signals = reads[4 * place : 4 * place + 4]
            stored = _stored(session_id, meta, record, index)
            loaded.append(stored)
            if stored is not None and not stored.withdrawn:
                self._outside.forget(session_id)
                deadline = Deadline(stored.shard, stored.deadline_ms)
                calls += self._outside.session_calls(stored.record, deadline, now_ms)
                calls += self._outside.signal_calls(decode_signals(signals), now_ms)
        await self._client.run_many(calls)
        return loaded

    async def due(self, now_ms: int, limit: int, offset: int = 0, shard: str = "") -> list[tuple[str, int]]:
        """List sessions whose deadline has come; see `Store.due`."""
        arguments = ("-inf", now_ms, "WITHSCORES", "LIMIT", offset, limit)
        reply = await self._client.run(Call("ZRANGEBYSCORE", (self._names.deadlines(shard),), arguments))
        return [(session_id, int(deadline)) for session_id, deadline in pairs(reply)]

    async def forget_deadline(self, shard: str, session_id: str) -> None:
        """Take a session out of a shard's list; see `Store.forget_deadline`."""
        await self._client.run(Call("ZREM", (self._names.deadlines(shard),), (session_id,)))

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
        arguments = (version, generation, merged, _head(session_id), OLD_DATA_GRACE_MS, len(entries))
        blocks = [msgspec.json.encode(entry) for entry in entries]
        slot = (keys.meta, keys.bundle_index, keys.data_0, keys.data_1)
        return await self._client.run(Call(_COMPACT, slot, (*arguments, *blocks))) == 1

    async def withdraw(self, session_id: str) -> None:
        """Delete everything of a session and leave a tombstone; see `Store.withdraw`.

        What lies outside is taken back first, while the session still says what that is. Raises Unavailable if
        somebody wrote the session each time this was tried.
        """
        for _ in range(_WITHDRAW_ATTEMPTS):
            if await self._withdraw(session_id):
                self._outside.forget(session_id)
                return
        raise Unavailable("the session was written again and again while it was being withdrawn")

    async def _withdraw(self, session_id: str) -> bool:
        keys = self._names.session(session_id)
        reads = [
            Call("HMGET", (keys.meta,), ("version", "project", "shard")),
            Call("SMEMBERS", (keys.entries,)),
            Call("HVALS", (keys.signals,)),
        ]
        meta, entries, signals = await self._client.run_many(reads)
        version, project, shard = cast("list[bytes | None]", meta)
        listings = [self._names.deadlines((shard or b"").decode()), self._names.fates]
        if project is not None:
            names = ("time", "score", *texts(entries))
            listings += [self._names.project(project.decode(), name) for name in names]
        await self._client.run_many([Call("ZREM", (key,), (session_id,)) for key in listings])
        if project is not None:
            await self._unpublish(project.decode(), session_id, decode_signals(signals))
        arguments = (version or b"", self._settings.retention_ms)
        return await self._client.run(Call(_WITHDRAW, keys, arguments)) == 1

    async def _unpublish(self, project_id: str, session_id: str, signals: Sequence[Signal]) -> None:
        """Take a session's signals out of the project's stream; all of it is searched."""
        stream = self._names.project(project_id, "signals")
        start = "-"
        while True:
            reply = await self._client.run(Call("XRANGE", (stream,), (start, "+", "COUNT", _STREAM_PAGE)))
            found = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
            mine = [entry for entry, fields in found if fields[b"session_id"] == session_id.encode()]
            if mine:
                await self._client.run(Call("XDEL", (stream,), mine))
            if len(found) < _STREAM_PAGE:
                break
            start = f"({found[-1][0].decode()}"
        names = [identity(signal.id, msgspec.json.encode(signal)) for signal in signals]
        if names:
            await self._client.run(Call("ZREM", (self._names.project(project_id, "published"),), names))

    async def note_fate(self, session_id: str, project_id: str, reason: str, count: int, now_ms: int) -> None:
        """Count why data of a session was not stored; see `Store.note_fate`."""
        fate = Call(
            _FATE,
            (self._names.session(session_id).fate,),
            (reason, count, now_ms, self._settings.fate_ttl_ms, MAX_FATE_REASONS, project_id),
        )
        listed = Call("ZADD", (self._names.fates,), (now_ms, session_id))
        total = (await self._client.run_many([fate, listed, Call("ZCARD", (self._names.fates,))]))[2]
        excess = cast("int", total) - self._settings.max_fates
        if excess > 0:
            oldest = pairs(await self._client.run(Call("ZRANGE", (self._names.fates,), (0, excess - 1, "WITHSCORES"))))
            await self._client.run_many([Call("DEL", (self._names.session(id_).fate,)) for id_, _ in oldest])
            await self._client.run(Call("ZREM", (self._names.fates,), [id_ for id_, _ in oldest]))

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


def _head(session_id: str) -> bytes:
    return msgspec.json.encode({"format": 1, "session_id": session_id})


def _unplaced(block: BlockDraft) -> bytes:
    return msgspec.json.encode(
        _Unplaced(
            block.window_id,
            block.sequence,
            len(block.data),
            block.raw_length,
            block.events,
            block.first_t,
            block.last_t,
            block.keyframe,
            block.late,
        )
    )


def _write_reply(reply: Reply) -> _Reply:
    status, version, blocks, raw_bytes = cast("tuple[bytes, int, int, int]", reply)
    return _Reply(status.decode(), version, blocks, raw_bytes)


_META_FIELDS: Final = ("version", "position", "state", "deadline", "shard", "outbox", "withdrawn")


def _load_calls(keys: SessionKeys) -> tuple[Call, ...]:
    return (
        Call("HMGET", (keys.meta,), _META_FIELDS),
        Call("GET", (keys.record,)),
        index_call(keys),
        Call("HVALS", (keys.signals,)),
    )


def _stored(session_id: str, meta: Reply, record: Reply, index: Reply) -> StoredSession | None:
    version, position, state, deadline, shard, outbox, withdrawn = cast("list[bytes | None]", meta)
    if version is not None and withdrawn is not None:
        return withdrawn_session(session_id, int(version))
    if version is None or position is None or state is None:
        return None
    known, read = decode_record(record), decode_index(index)
    if known is None or read is None:
        raise Broken("a session lacks its record or index: was it evicted? Redis must not evict keys (noeviction)")
    return StoredSession(
        session_id=session_id,
        version=int(version),
        position=position.decode(),
        state=state,
        record=known,
        index=read[1],
        deadline_ms=int(deadline) if deadline else None,
        outbox=outbox or b"",
        shard=(shard or b"").decode(),
    )
