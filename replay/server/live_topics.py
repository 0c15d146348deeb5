"""What can be followed: the signals of a project, and a session that grows."""

import re
from collections.abc import Sequence
from typing import Final, cast

import msgspec

from replay.api.types_live import Dropped, LiveEnd, LiveIndex
from replay.redis_client import Call, RedisClient, Reply
from replay.redis_keys import KeyNames
from replay.redis_reads import IndexHead, decode_blocks, decode_head, decode_index, decode_record, index_call
from replay.server.following import MAX_NEWS, News, encode_message
from schemas.bundle_index import BlockEntry, BundleIndex
from schemas.session_record import SessionRecord

_ID: Final = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
"""Of Redis: two numbers below 2**64. A larger one is an error to it, and none that it gave."""


class ProjectSignals:
    """The stream of a project's signals; an event's id is that of the stream's entry."""

    def __init__(self, redis: RedisClient, names: KeyNames, project_id: str) -> None:
        self._redis = redis
        self._key = names.project(project_id, "signals")
        self._position = ""

    async def greet(self, last_id: str) -> News:
        """Tell what came after the signal that was heard last; a last id that is none of ours was none."""
        if not self._position:
            last = _entries(await self._redis.run(Call("XREVRANGE", (self._key,), ("+", "-", "COUNT", 1))))
            self._position = last[0][0] if last else "0-0"
        if not _ID.fullmatch(last_id):
            return News()
        call = Call("XRANGE", (self._key,), (f"({last_id}", self._position, "COUNT", MAX_NEWS))
        missed = [encode_message("signal", text, id_) for id_, text in _entries(await self._redis.run(call))]
        if len(missed) < MAX_NEWS:
            return News(missed)
        return News([*missed, encode_message("dropped", msgspec.json.encode(Dropped("too_far_behind")))], is_end=True)

    def call(self) -> Call:
        """Ask for entries after the last one."""
        return Call("XRANGE", (self._key,), (f"({self._position}", "+", "COUNT", MAX_NEWS))

    async def news(self, reply: Reply) -> News:
        """Tell each signal."""
        entries = _entries(reply)
        if entries:
            self._position = entries[-1][0]
        return News([encode_message("signal", text, id_) for id_, text in entries])


def _entries(reply: Reply) -> list[tuple[str, bytes]]:
    """Read entries of a project's stream: their ids and signals."""
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
    return [(entry_id.decode(), fields[b"signal"]) for entry_id, fields in found]


class _State(msgspec.Struct, frozen=True):
    """What was told of a session: the head, how many blocks and where they end, signals by a hash of their text."""

    head: IndexHead
    blocks: int
    end: int
    signals: frozenset[int]


class GrowingSession:
    """A session: its bundle, its signals, its end. An event's id is the session's version."""

    def __init__(self, redis: RedisClient, names: KeyNames, session_id: str) -> None:
        self._redis = redis
        self._keys = names.session(session_id)
        self._state: _State | None = None

    async def greet(self, last_id: str) -> News:
        """Tell how the bundle stands and its signals, unless that is what was heard last."""
        whole, record, signals = await self._whole()
        if whole is None or record is None:
            return _GONE
        head, index = whole
        if self._state is None:
            self._state = _State(head, len(index.blocks), index.length, _hashes(signals))
        if last_id == str(head.version):
            return News([], is_end=record.status == "ended")
        return _news(head, record, signals, [], is_replaced=False)

    def call(self) -> Call:
        """Ask for the head of the index: it has the version."""
        return Call("LINDEX", (self._keys.bundle_index,), (0,))

    async def news(self, reply: Reply) -> News:
        """Tell what was appended, signals that are new or have changed, and the end."""
        head, known = decode_head(reply), self._state
        if head is None:
            return _GONE
        if known is None or head == known.head:
            return News()
        if head.data != known.head.data or (appended := await self._appended(known, head)) is None:
            return await self._replaced(known)
        blocks, record, signals = appended
        if record is None:
            return _GONE
        end = blocks[-1].offset + blocks[-1].length if blocks else known.end
        # What was written after the head was read may be in here already: then the next head has no blocks to tell.
        self._state = _State(head, known.blocks + len(blocks), end, _hashes(signals))
        return _news(head, record, _new(signals, known), blocks, is_replaced=False)

    async def _appended(
        self, known: _State, head: IndexHead
    ) -> tuple[list[BlockEntry], SessionRecord | None, list[bytes]] | None:
        """Read what was appended; `None` if the index was replaced meanwhile."""
        call = Call("LRANGE", (self._keys.bundle_index,), (2 + known.blocks, -1))
        listed, *others = await self._redis.run_many([call, *self._calls()])
        blocks = decode_blocks(cast("list[bytes]", listed))
        first, last = (blocks[0].offset, blocks[-1]) if blocks else (known.end, None)
        end = last.offset + last.length if last else known.end
        return (blocks, *_read(others)) if first == known.end and end >= head.length else None

    async def _replaced(self, known: _State) -> News:
        whole, record, signals = await self._whole()
        if whole is None or record is None:
            return _GONE
        head, index = whole
        self._state = _State(head, len(index.blocks), index.length, _hashes(signals))
        return _news(head, record, _new(signals, known), [], is_replaced=True)

    async def _whole(self) -> tuple[tuple[IndexHead, BundleIndex] | None, SessionRecord | None, list[bytes]]:
        listed, *others = await self._redis.run_many([index_call(self._keys), *self._calls()])
        return (decode_index(listed), *_read(others))

    def _calls(self) -> list[Call]:
        return [Call("GET", (self._keys.record,)), Call("HVALS", (self._keys.signals,))]


def _read(replies: Sequence[Reply]) -> tuple[SessionRecord | None, list[bytes]]:
    record, signals = replies
    return decode_record(record), sorted(cast("list[bytes]", signals))


def _hashes(signals: Sequence[bytes]) -> frozenset[int]:
    return frozenset(map(hash, signals))


def _new(signals: Sequence[bytes], known: _State) -> list[bytes]:
    return [text for text in signals if hash(text) not in known.signals]


def _news(
    head: IndexHead, record: SessionRecord, signals: Sequence[bytes], blocks: list[BlockEntry], *, is_replaced: bool
) -> News:
    version, position = str(head.version), f"{head.data[-1]}.{head.length}"
    told = LiveIndex(head.version, position, head.length, head.compacted, is_replaced, blocks)
    messages = [encode_message("index", msgspec.json.encode(told), version)]
    messages += [encode_message("signal", text, version) for text in signals[:MAX_NEWS]]
    is_end = record.status == "ended"
    if is_end:
        end = LiveEnd(record.end_reason or "input_end", record.last_event_at)
        messages.append(encode_message("end", msgspec.json.encode(end), version))
    return News(messages, is_end=is_end)


_GONE: Final = News([encode_message("end", msgspec.json.encode(LiveEnd("gone", 0)))], is_end=True)
