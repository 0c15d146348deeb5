"""Taking sessions back: all they have in their slots and outside, until only tombstones are left.

Outside is taken back twice, before a tombstone stands and after it. Whoever told something new of a session looks for
a tombstone afterwards: either it was told early enough for the second time, or its teller takes it back.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, cast

import msgspec

from replay.entries import NUMBERS
from replay.errors import Unavailable
from replay.redis_client import Argument, Call, RedisClient, Reply, load_script
from replay.redis_keys import KeyNames
from replay.redis_outside import Listed, identity
from replay.redis_reads import texts
from replay.store import StoreSettings
from replay.tombstones import Removed, Tombstone

_WITHDRAW: Final = load_script("withdraw")
_UNPUBLISH: Final = load_script("unpublish")

_ATTEMPTS: Final = 20
_STREAM_PAGE: Final = 1_000
_AT_ONCE: Final = 500
"""Sessions that are withdrawn together: a long stream is searched once for all of them."""


class _Told(NamedTuple):
    """What may have been told of a session; no project if it is not stored. Empty `version`: there was none."""

    session_id: str
    shard: str
    project_id: str | None
    names: Sequence[str]
    signals: Sequence[tuple[str, bytes]]
    version: bytes = b""
    keys: Sequence[str] = ()


class _Account(msgspec.Struct):
    """What was taken away so far."""

    keys: set[str] = set()
    listings: set[str] = set()
    stream_entries: int = 0
    signal_ids: set[str] = set()
    tombstone: Tombstone | None = None


_Accounts = Mapping[str, _Account]


class Removal:
    """Withdraws sessions."""

    def __init__(self, client: RedisClient, settings: StoreSettings, names: KeyNames) -> None:
        self._client = client
        self._settings = settings
        self._names = names

    async def withdraw(self, session_ids: Iterable[str], reason: str, now_ms: int) -> list[Removed]:
        """Delete everything of sessions and leave tombstones; say what was there, in their order, each id once.

        Raises Unavailable if somebody wrote one of the sessions each time this was tried: do it again.
        """
        ids = list(dict.fromkeys(session_ids))
        removed: list[Removed] = []
        for start in range(0, len(ids), _AT_ONCE):
            removed += await self._withdraw_some(ids[start : start + _AT_ONCE], reason, now_ms)
        return removed

    async def _withdraw_some(self, ids: Sequence[str], reason: str, now_ms: int) -> list[Removed]:
        accounts = {session_id: _Account() for session_id in ids}
        waiting = ids
        for _ in range(_ATTEMPTS):
            told = await self._read(waiting)
            await self._take_back(told, accounts)
            arguments = (self._settings.tombstone_ms, uuid.uuid4().hex, reason, now_ms)
            calls = [Call(_WITHDRAW, self._names.session(each.session_id), (each.version, *arguments)) for each in told]
            replies = await self._client.run_many(calls, "write", in_order=False)
            stands = [_tombstone(reply) for reply in replies]
            gone = [each for each, tombstone in zip(told, stands, strict=True) if tombstone is not None]
            await self._take_back(gone, accounts)
            for each, tombstone in zip(told, stands, strict=True):
                accounts[each.session_id].keys.update(each.keys)
                accounts[each.session_id].tombstone = tombstone
            waiting = [id_ for id_ in waiting if accounts[id_].tombstone is None]
            if not waiting:
                return [_removed(id_, account) for id_, account in accounts.items()]
        raise Unavailable("a session was written again and again while it was being withdrawn")

    async def take_back_withdrawn(self, sessions: Sequence[Listed]) -> list[str]:
        """Take back what was told just now of sessions that have been withdrawn; give their ids."""
        reads = [Call("HEXISTS", (self._names.session(each.session_id).meta,), ("withdrawn",)) for each in sessions]
        found = await self._client.run_many(reads, "list", in_order=False)
        withdrawn = [each for each, is_withdrawn in zip(sessions, found, strict=True) if is_withdrawn]
        told = [
            _Told(each.session_id, each.shard, each.place.project_id, each.names, each.signals) for each in withdrawn
        ]
        await self._take_back(told, {each.session_id: _Account() for each in told})
        return [each.session_id for each in withdrawn]

    async def tombstone(self, session_id: str) -> Tombstone | None:
        """Read a session's tombstone, if one stands."""
        fields = ("tombstone", "withdrawn", "at", "project")
        reply = await self._client.run(Call("HMGET", (self._names.session(session_id).meta,), fields))
        id_, reason, at, project = cast("list[bytes | None]", reply)
        return None if reason is None else _tombstone([id_ or reason, reason, at or b"0", project or b""])

    async def _read(self, session_ids: Sequence[str]) -> list[_Told]:
        """Read versions, and what may have been told."""
        reads: list[Call] = []
        for session_id in session_ids:
            keys = self._names.session(session_id)
            reads += (
                Call("HMGET", (keys.meta,), ("version", "project", "shard", "withdrawn")),
                Call("SMEMBERS", (keys.entries,)),
                Call("HGETALL", (keys.signals,)),
                *(Call("EXISTS", (key,)) for key in keys),
            )
        replies = await self._client.run_many(reads, "write", in_order=False)
        each = len(reads) // max(len(session_ids), 1)
        return [
            self._told(session_id, replies[place * each : (place + 1) * each])
            for place, session_id in enumerate(session_ids)
        ]

    def _told(self, session_id: str, replies: Sequence[Reply]) -> _Told:
        meta, entries, signals, *exists = replies
        version, project, shard, withdrawn = cast("list[bytes | None]", meta)
        told = [(id_.decode(), text) for id_, text in cast("dict[bytes, bytes]", signals).items()]
        keys = [key for key, there in zip(self._names.session(session_id), exists, strict=True) if there]
        return _Told(
            session_id,
            (shard or b"").decode(),
            project.decode() if project else None,
            texts(entries),
            told,
            version or b"",
            # Of the keys a tombstone is not one that was taken away.
            keys[1:] if withdrawn else keys,
        )

    async def _take_back(self, told: Sequence[_Told], accounts: _Accounts) -> None:
        calls = [
            (each.session_id, Call("ZREM", (key,), (each.session_id,))) for each in told for key in self._listings(each)
        ]
        replies = await self._client.run_many([call for _, call in calls], "list", in_order=False)
        for (session_id, call), taken in zip(calls, replies, strict=True):
            if taken:
                accounts[session_id].listings.add(call.keys[0])
        of_projects: dict[str, list[_Told]] = defaultdict(list)
        for each in told:
            accounts[each.session_id].signal_ids.update(signal_id for signal_id, _ in each.signals)
            if each.project_id is not None and each.signals:
                of_projects[each.project_id].append(each)
        for project_id, with_signals in of_projects.items():
            await self._unpublish(project_id, with_signals, accounts)

    def _listings(self, told: _Told) -> list[str]:
        listings = [self._names.deadlines(told.shard), self._names.fates]
        if told.project_id is not None:
            listings += [self._names.project(told.project_id, name) for name in (*NUMBERS, *told.names)]
        return listings

    async def _unpublish(self, project_id: str, told: Sequence[_Told], accounts: _Accounts) -> None:
        """Take signals out of the project's stream; all of it is searched, where it is."""
        stream = self._names.project(project_id, "signals")
        identities: list[Argument] = [identity(*signal) for each in told for signal in each.signals]
        ids = [each.session_id for each in told]
        start = b"-"
        while start:
            reply = await self._client.run(Call(_UNPUBLISH, (stream,), (start, _STREAM_PAGE, *ids)), "list")
            start, *taken = cast("list[bytes]", reply)
            for session_id, signal_id, text in zip(taken[::3], taken[1::3], taken[2::3], strict=True):
                accounts[session_id.decode()].stream_entries += 1
                identities.append(identity(signal_id.decode(), text))
        published = self._names.project(project_id, "published")
        pages = range(0, len(identities), _AT_ONCE)
        calls = [Call("ZREM", (published,), identities[page : page + _AT_ONCE]) for page in pages]
        await self._client.run_many(calls, "list")


def _tombstone(reply: Reply) -> Tombstone | None:
    id_, *rest = cast("list[bytes]", reply)
    if not id_:
        return None
    reason, at, project_id = rest
    return Tombstone(id_.decode(), reason.decode(), int(at), project_id.decode())


def _removed(session_id: str, account: _Account) -> Removed:
    if account.tombstone is None:
        raise Unavailable("a session was not withdrawn")
    return Removed(
        session_id=session_id,
        tombstone=account.tombstone,
        keys=sorted(account.keys),
        listings=sorted(account.listings),
        stream_entries=account.stream_entries,
        signal_ids=sorted(account.signal_ids),
    )
