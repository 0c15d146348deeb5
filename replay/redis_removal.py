"""Taking a session back: all it has in its slot and outside, until only a tombstone is left."""

from collections.abc import Sequence
from typing import Final, cast

from replay.errors import Unavailable
from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.redis_outside import identity
from replay.redis_reads import texts
from replay.store import StoreSettings

_WITHDRAW: Final = load_script("withdraw")

_ATTEMPTS: Final = 20
_STREAM_PAGE: Final = 1_000


class Removal:
    """Withdraws sessions."""

    def __init__(self, client: RedisClient, settings: StoreSettings, names: KeyNames) -> None:
        self._client = client
        self._settings = settings
        self._names = names

    async def withdraw(self, session_id: str) -> None:
        """Delete everything of a session and leave a tombstone; see `Store.withdraw`.

        What lies outside is taken back first, while the session still says what that is. Raises Unavailable if
        somebody wrote the session each time this was tried.
        """
        for _ in range(_ATTEMPTS):
            if await self._withdraw(session_id):
                return
        raise Unavailable("the session was written again and again while it was being withdrawn")

    async def _withdraw(self, session_id: str) -> bool:
        keys = self._names.session(session_id)
        reads = [
            Call("HMGET", (keys.meta,), ("version", "project", "shard")),
            Call("SMEMBERS", (keys.entries,)),
            Call("HGETALL", (keys.signals,)),
        ]
        meta, entries, signals = await self._client.run_many(reads, "write")
        version, project, shard = cast("list[bytes | None]", meta)
        listings = [self._names.deadlines((shard or b"").decode()), self._names.fates]
        if project is not None:
            names = ("time", "score", *texts(entries))
            listings += [self._names.project(project.decode(), name) for name in names]
        await self._client.run_many([Call("ZREM", (key,), (session_id,)) for key in listings], "list")
        if project is not None:
            texts_by_id = cast("dict[bytes, bytes]", signals)
            identities = [identity(id_.decode(), text) for id_, text in texts_by_id.items()]
            await self._unpublish(project.decode(), session_id, identities)
        arguments = (version or b"", self._settings.retention_ms)
        return await self._client.run(Call(_WITHDRAW, keys, arguments), "write") == 1

    async def _unpublish(self, project_id: str, session_id: str, identities: Sequence[str]) -> None:
        """Take a session's signals out of the project's stream; all of it is searched."""
        stream = self._names.project(project_id, "signals")
        start = "-"
        while True:
            reply = await self._client.run(Call("XRANGE", (stream,), (start, "+", "COUNT", _STREAM_PAGE)), "list")
            found = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
            mine = [entry for entry, fields in found if fields[b"session_id"] == session_id.encode()]
            if mine:
                await self._client.run(Call("XDEL", (stream,), mine), "list")
            if len(found) < _STREAM_PAGE:
                break
            start = f"({found[-1][0].decode()}"
        if identities:
            await self._client.run(Call("ZREM", (self._names.project(project_id, "published"),), identities), "list")
