"""Stores full of sessions, on each kind of Redis."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay.redis_client import RedisClient, connect
from replay.redis_keys import KeyNames
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.search.finding import SessionSearch
from replay.store import StoreSettings
from tests.replay.samples import T0
from tests.servers.redis_server import FoundRedis


@pytest.fixture(params=["redis_server", "packaged_server", "cluster_server"])
def server(request: pytest.FixtureRequest) -> RedisServer | FoundRedis:
    found: RedisServer | FoundRedis = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def client(server: RedisServer | FoundRedis) -> AsyncIterator[RedisClient]:
    async with Redis.from_url(server.url, protocol=2) as admin:
        await admin.flushall()
        clustered = (await admin.info("cluster"))["cluster_enabled"]
    made = connect(server.url.replace("redis://", "redis+cluster://") if clustered else server.url)
    yield made
    await made.close()


@pytest.fixture
def store(client: RedisClient) -> RedisStore:
    return RedisStore(client, StoreSettings(), lambda: T0)


@pytest.fixture
def search(client: RedisClient) -> SessionSearch:
    return SessionSearch(client, KeyNames("wince"))
