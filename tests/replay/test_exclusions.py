"""Excluded users: known to all processes within one look, by digest only."""

from typing import Any

import pytest

from replay import redis_exclusions
from replay.errors import Poison
from replay.exclusions import ANY_PROJECT, Exclusions, user_digest
from replay.redis_client import connect
from replay.redis_exclusions import RedisExclusions
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_one_process_adds_another_learns(redis: Any, redis_server: FoundRedis) -> None:
    clients = [connect(redis_server.url) for _ in range(2)]
    here, there = (RedisExclusions(client, "wince") for client in clients)
    await there.refresh()
    assert len(there.known) == 0
    digest = await here.add("shop", "mia@shop.test")
    assert await here.add("shop", "mia@shop.test") == digest == user_digest("shop", "mia@shop.test")
    await here.add(ANY_PROJECT, "noa")
    assert not there.known.has("shop", "mia@shop.test")
    await there.refresh()
    assert len(there.known) == 2
    for project, user, excluded in (
        ("shop", "mia@shop.test", True), ("bank", "mia@shop.test", False), ("bank", "noa", True), ("bank", "", False),
        ("bank", None, False),
    ):  # fmt: skip
        assert there.known.has(project, user) is excluded
    assert b"mia" not in b"".join(await redis.zrange("wince:excluded", 0, -1))
    await redis.zrem("wince:excluded", digest)
    await there.refresh()
    assert (there.known.has("shop", "mia@shop.test"), len(there.known)) == (False, 1)
    for client in clients:
        await client.close()


async def test_while_nothing_is_new_little_is_read(redis: Any, redis_server: FoundRedis) -> None:
    client = connect(redis_server.url)
    exclusions = RedisExclusions(client, "wince")
    await exclusions.add("shop", "mia")
    await exclusions.refresh()
    before = (await redis.info("commandstats"))["cmdstat_zrange"]["calls"]
    for _ in range(5):
        await exclusions.refresh()
    assert (await redis.info("commandstats"))["cmdstat_zrange"]["calls"] == before
    await client.close()


async def test_there_are_only_so_many(redis: Any, redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_exclusions, "MAX_EXCLUSIONS", 2)
    client = connect(redis_server.url)
    exclusions = RedisExclusions(client, "wince", Exclusions())
    for user in ("a", "b", "b"):
        await exclusions.add("shop", user)
    with pytest.raises(Poison):
        await exclusions.add("shop", "c")
    assert await redis.zcard("wince:excluded") == 2
    await client.close()
