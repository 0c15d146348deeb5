"""Searching Redis for what is left of sessions: every key that may know of more than its own session."""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from typing import Final, Literal, cast

import msgspec

from replay.names import encode_name
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.store import StoreSettings

_TOMBSTONE_FIELDS: Final = {b"version", b"withdrawn", b"tombstone", b"at", b"project"}
_PAGE: Final = 1_000
_FEW: Final = 500
"""So many members are asked for one by one; beyond that, sorted sets are read as a whole."""
_KEYS_AT_ONCE: Final = 500

_SETS: Final = frozenset({"fates", "deadlines", "project"})
_NO_SETS: Final = frozenset({"longest", "filters", "errors"})
"""Parts of a project that know of no session."""

Kind = Literal["session", "listing", "stream", "published"]


class Trace(msgspec.Struct, frozen=True):
    """Something that is left: in which key, what kind of key that is, and which member, entry or field."""

    kind: Kind
    key: str
    member: str
    session_id: str


class Searched(msgspec.Struct):
    """What was looked at: names of all keys, members of sorted sets, entries of streams."""

    keys: int = 0
    sorted_sets: int = 0
    members: int = 0
    streams: int = 0
    stream_entries: int = 0


class _Wanted:
    """Sessions in the forms in which they may be met."""

    def __init__(self, session_ids: Iterable[str], signal_ids: Collection[str]) -> None:
        self.of_name = {encode_name(session_id): session_id for session_id in session_ids}
        self.members = {id_.encode("utf-8", "surrogatepass"): id_ for id_ in self.of_name.values()}
        self.signals = {signal_id.encode() for signal_id in signal_ids}


class _Keys(msgspec.Struct):
    """Keys to look at: those of wanted sessions, and all that hold something of many."""

    own: dict[str, str] = {}
    metas: set[str] = set()
    sets: set[str] = set()
    published: set[str] = set()
    streams: set[str] = set()


class Search:
    """Looks for sessions in all keys of one installation; other sessions' own keys hold nothing but their own."""

    def __init__(self, client: RedisClient, settings: StoreSettings) -> None:
        self._client = client
        self._names = KeyNames(settings.key_prefix)
        self._prefix = f"{settings.key_prefix}:"

    async def find(
        self, session_ids: Iterable[str], signal_ids: Collection[str], searched: Searched
    ) -> AsyncIterator[Trace]:
        """Give what is left of sessions and their signals, but for tombstones; count in `searched`.

        Where no session is named there is nothing to look for, and nothing is searched.
        """
        wanted = _Wanted(session_ids, signal_ids)
        if not wanted.members:
            return
        keys = await self._sorted_keys(wanted, searched)
        for key, session_id in keys.own.items():
            yield Trace("session", key, "", session_id)
        for session_id in sorted(keys.metas):
            async for trace in self._in_meta(session_id):
                yield trace
        async for trace in self._in_sets(sorted(keys.sets), wanted, searched):
            yield trace
        async for trace in self._in_published(sorted(keys.published), wanted, searched):
            yield trace
        for stream in sorted(keys.streams):
            async for trace in self._in_stream(stream, wanted, searched):
                yield trace

    async def _in_published(self, keys: Sequence[str], wanted: _Wanted, searched: Searched) -> AsyncIterator[Trace]:
        for key in keys:
            async for member in self._members(key, searched):
                if member.rpartition(b":")[0] in wanted.signals:
                    yield Trace("published", key, member.decode(), "")

    async def _sorted_keys(self, wanted: _Wanted, searched: Searched) -> _Keys:
        """Go through the names of all keys."""
        keys = _Keys()
        async for found in self._client.scan(f"{self._prefix}*"):
            searched.keys += 1
            key = found.decode("utf-8", "replace")
            section, name, part = _parse(key.removeprefix(self._prefix))
            if section == "session":
                session_id = wanted.of_name.get(name)
                if session_id is not None and part == "meta":
                    keys.metas.add(session_id)
                elif session_id is not None:
                    keys.own[key] = session_id
            elif (section, part) == ("project", "signals"):
                keys.streams.add(key)
            elif (section, part) == ("project", "published"):
                keys.published.add(key)
            elif section in _SETS and part not in _NO_SETS:
                keys.sets.add(key)
        searched.sorted_sets += len(keys.sets) + len(keys.published)
        searched.streams += len(keys.streams)
        return keys

    async def _in_meta(self, session_id: str) -> AsyncIterator[Trace]:
        key = self._names.session(session_id).meta
        fields = cast("dict[bytes, bytes]", await self._client.run(Call("HGETALL", (key,))))
        if fields and set(fields) != _TOMBSTONE_FIELDS:
            yield Trace("session", key, "", session_id)

    async def _in_sets(self, keys: Sequence[str], wanted: _Wanted, searched: Searched) -> AsyncIterator[Trace]:
        if len(wanted.members) > _FEW:
            for key in keys:
                async for member in self._members(key, searched):
                    if member in wanted.members:
                        yield Trace("listing", key, wanted.members[member], wanted.members[member])
            return
        asked = list(wanted.members)
        for some in _pages(keys, _KEYS_AT_ONCE):
            replies = await self._client.run_many([Call("ZMSCORE", (key,), asked) for key in some], in_order=False)
            searched.members += len(asked) * len(some)
            for key, scores in zip(some, replies, strict=True):
                for member, score in zip(asked, cast("list[object]", scores), strict=True):
                    if score is not None:
                        yield Trace("listing", key, wanted.members[member], wanted.members[member])

    async def _members(self, key: str, searched: Searched) -> AsyncIterator[bytes]:
        cursor = 0
        while True:
            reply = await self._client.run(Call("ZSCAN", (key,), (cursor, "COUNT", _PAGE)))
            cursor, members = cast("tuple[int, list[tuple[bytes, float]]]", reply)
            searched.members += len(members)
            for member, _ in members:
                yield member
            if not cursor:
                return

    async def _in_stream(self, key: str, wanted: _Wanted, searched: Searched) -> AsyncIterator[Trace]:
        start = b"-"
        while start:
            reply = await self._client.run(Call("XRANGE", (key,), (start, "+", "COUNT", _PAGE)))
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
            searched.stream_entries += len(entries)
            for entry_id, fields in entries:
                session_id = wanted.members.get(fields.get(b"session_id", b""))
                if session_id is not None:
                    yield Trace("stream", key, entry_id.decode(), session_id)
            start = b"(" + entries[-1][0] if len(entries) == _PAGE else b""

    async def clean(self, traces: Sequence[Trace]) -> None:
        """Take away what was found in sorted sets and streams."""
        commands = {"listing": "ZREM", "published": "ZREM", "stream": "XDEL"}
        calls = [Call(commands[each.kind], (each.key,), (each.member,)) for each in traces if each.kind in commands]
        await self._client.run_many(calls, "list", in_order=False)


def _parse(name: str) -> tuple[str, str, str]:
    """Take a key's name, without the prefix, apart: section, name and part of `session:{NAME}:PART`; some lack one."""
    section, _, rest = name.partition(":")
    if not rest.startswith("{"):
        return section, "", rest
    slot, _, part = rest[1:].partition("}:")
    return section, slot.removesuffix("}"), part


def _pages(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
