"""A real Redis, empty, with what cohorts need around it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from replay.redis_client import connect
from tests.cohorts.world import World
from tests.servers.redis_server import FoundRedis


@pytest_asyncio.fixture(loop_scope="session")
async def world(redis_server: FoundRedis) -> AsyncIterator[World]:
    async with Redis.from_url(redis_server.url, protocol=2) as redis:
        await redis.flushall()
        client = connect(redis_server.url)
        yield World(redis_server.url, client, redis)
        await client.close()
