"""Cohorts in a Redis Cluster: all keys of one are in one slot, and no script touches another's."""

import pytest
from redis.asyncio import Redis

from replay.redis_client import connect
from replay.redis_server import RedisServer
from tests.cohorts.world import Notebook, World
from tests.replay.conftest import cluster_server

__all__ = ["cluster_server"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_users_come_and_leave_in_a_cluster(cluster_server: RedisServer) -> None:
    async with Redis.from_url(cluster_server.url, protocol=2) as redis:
        await redis.flushall()
        client = connect(cluster_server.url.replace("redis://", "redis+cluster://"))
        world, receiver = World(cluster_server.url, client, redis), Notebook()
        await world.visits([f"u{number}" for number in range(60)])
        await world.run(receiver)
        await world.delete("s-u7")
        report = await world.run(receiver, forgets=True)
        assert (report.exits, len(receiver.members)) == (1, 59)
        assert await redis.keys("wince:{cohorts:*") == []
        await client.close()
