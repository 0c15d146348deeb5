"""Deletion in a cluster of three nodes: nothing is left on any of them, and late data stays out on all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from replay.deletion import Deletion, DeletionQuery, count_removed
from replay.redis_client import RedisClient, connect
from replay.redis_server import Binary
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from replay.writes import Outcome
from tests.replay.everything import everything
from tests.replay.samples import T0
from tests.replay.test_deletion import planted
from tests.servers.redis_process import RedisProcess, redis_cluster

pytestmark = pytest.mark.asyncio(loop_scope="session")

SESSIONS = 60
PLANTED = "planted-secret"
GONE, KEPT = [f"gone-{n}" for n in range(SESSIONS)], [f"kept-{n}" for n in range(SESSIONS)]


def _write(session_id: str, text: str) -> Any:
    # Ids of signals must not meet: one writer tells of each.
    each = planted(session_id, text, shard=f"events/{int(session_id.rpartition('-')[2]) % 7}")
    signals = tuple(msgspec.structs.replace(signal, id=f"{signal.id}-{session_id}") for signal in each.signals)
    return msgspec.structs.replace(each, signals=signals)


@asynccontextmanager
async def _client(server: RedisProcess) -> AsyncIterator[RedisClient]:
    client = connect(server.url.replace("redis://", "redis+cluster://"))
    try:
        yield client
    finally:
        await client.close()


async def _contents(servers: list[RedisProcess]) -> list[bytes]:
    """Return all that each node holds."""
    found = []
    for server in servers:
        async with server.client() as admin:
            found.append(await everything(admin))
    return found


async def test_nothing_is_left_on_any_node_while_writers_go_on(redis_binary: Binary) -> None:
    async with (
        redis_cluster(redis_binary) as servers,
        _client(servers[0]) as client,
    ):
        store, deletion = RedisStore(client, StoreSettings(), lambda: T0), Deletion(client, StoreSettings(), lambda: T0)
        await store.apply_many([_write(each, PLANTED) for each in GONE] + [_write(each, "other") for each in KEPT])
        for content in await _contents(servers):
            assert content.count(PLANTED.encode()) > SESSIONS

        chosen = await deletion.plan(DeletionQuery(user=f"{PLANTED}-user"))
        assert [each.session_id for each in chosen] == sorted(GONE)

        async def write_on() -> list[Outcome]:
            results = [await store.apply(_write(each, PLANTED)) for each in GONE for _ in range(3)]
            return [result.outcome for result in results]

        async def remove() -> list[Any]:
            return [removed async for removed in deletion.delete([each.session_id for each in chosen])]

        outcomes, removed = await asyncio.gather(write_on(), remove())
        proof = await deletion.prove(removed)
        assert proof.left == []
        assert count_removed(removed)["sessions"] == count_removed(removed)["stored"] == SESSIONS
        assert set(outcomes) <= {Outcome.REPEATED, Outcome.REFUSED}
        contents = await _contents(servers)
        for content in contents:
            assert PLANTED.encode() not in content
            assert content.count(b":meta") > 0
        assert all(any(each.encode() in content for content in contents) for each in KEPT)

        late = [await store.apply(_write(each, PLANTED)) for each in GONE]
        assert {result.outcome for result in late} == {Outcome.REFUSED}
        assert all(PLANTED.encode() not in content for content in await _contents(servers))
