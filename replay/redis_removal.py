"""Taking a session back: all it has in its slot and outside, until only a tombstone is left.

Outside is taken back twice, before the tombstone stands and after it. Whoever told something new of a session looks for
a tombstone afterwards: either it was told early enough for the second time, or its teller takes it back.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from replay.errors import Unavailable
from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.redis_outside import Listed, identity
from replay.redis_reads import texts
from replay.store import StoreSettings

_WITHDRAW: Final = load_script("withdraw")
_UNPUBLISH: Final = load_script("unpublish")

_ATTEMPTS: Final = 20
_STREAM_PAGE: Final = 1_000


class _Told(NamedTuple):
    """What may have been told of a session; no project if it is not stored."""

    session_id: str
    shard: str
    project_id: str | None
    names: Sequence[str]
    signals: Sequence[tuple[str, bytes]]


class Removal:
    """Withdraws sessions."""

    def __init__(self, client: RedisClient, settings: StoreSettings, names: KeyNames) -> None:
        self._client = client
        self._settings = settings
        self._names = names

    async def withdraw(self, session_id: str) -> None:
        """Delete everything of a session and leave a tombstone; see `Store.withdraw`.

        Raises Unavailable if somebody wrote the session each time this was tried.
        """
        keys = self._names.session(session_id)
        for _ in range(_ATTEMPTS):
            version, told = await self._read(session_id)
            await self._take_back(told)
            arguments = (version, self._settings.retention_ms)
            if await self._client.run(Call(_WITHDRAW, keys, arguments), "write"):
                await self._take_back(told)
                return
        raise Unavailable("the session was written again and again while it was being withdrawn")

    async def take_back_withdrawn(self, sessions: Sequence[Listed]) -> list[str]:
        """Take back what was told just now of sessions that have been withdrawn; give their ids."""
        reads = [Call("HEXISTS", (self._names.session(each.session_id).meta,), ("withdrawn",)) for each in sessions]
        found = await self._client.run_many(reads, "list", in_order=False)
        withdrawn = [each for each, is_withdrawn in zip(sessions, found, strict=True) if is_withdrawn]
        for each in withdrawn:
            await self._take_back(_Told(each.session_id, each.shard, each.place.project_id, each.names, each.signals))
        return [each.session_id for each in withdrawn]

    async def _read(self, session_id: str) -> tuple[bytes, _Told]:
        """Read the version (empty: none stored), and what may have been told."""
        keys = self._names.session(session_id)
        reads = [
            Call("HMGET", (keys.meta,), ("version", "project", "shard")),
            Call("SMEMBERS", (keys.entries,)),
            Call("HGETALL", (keys.signals,)),
        ]
        meta, entries, signals = await self._client.run_many(reads, "write")
        version, project, shard = cast("list[bytes | None]", meta)
        told = [(id_.decode(), text) for id_, text in cast("dict[bytes, bytes]", signals).items()]
        project_id = None if project is None else project.decode()
        return version or b"", _Told(session_id, (shard or b"").decode(), project_id, texts(entries), told)

    async def _take_back(self, told: _Told) -> None:
        listings = [self._names.deadlines(told.shard), self._names.fates]
        if told.project_id is not None:
            listings += [self._names.project(told.project_id, name) for name in ("time", "score", *told.names)]
        await self._client.run_many([Call("ZREM", (key,), (told.session_id,)) for key in listings], "list")
        if told.project_id is not None and told.signals:
            await self._unpublish(told.project_id, told)

    async def _unpublish(self, project_id: str, told: _Told) -> None:
        """Take signals out of the project's stream; all of it is searched, where it is."""
        stream = self._names.project(project_id, "signals")
        start = b"-"
        while start:
            call = Call(_UNPUBLISH, (stream,), (told.session_id, start, _STREAM_PAGE))
            start = cast("bytes", await self._client.run(call, "list"))
        identities = [identity(*signal) for signal in told.signals]
        await self._client.run(Call("ZREM", (self._names.project(project_id, "published"),), identities), "list")
