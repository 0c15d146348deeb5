"""Services over a real Redis with a few sessions, and the application of them all."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.types import ASGIApp

from replay.redis_client import RedisClient, connect
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.store import StoreSettings
from schemas.bundle_index import Hole
from tests.replay.samples import T0, block, record, signal, write
from tests.servers.redis_server import FoundRedis

NOW = T0 + 60_000


def application(client: RedisClient | None = None) -> Starlette:
    """The application over a Redis that is not there: to walk over what it serves."""
    client = connect("redis://127.0.0.1:1") if client is None else client
    settings = StoreSettings()
    return create_app(
        Services(store=RedisStore(client, settings), redis=client, settings=settings, reasons={}), ServeOptions()
    )


@pytest_asyncio.fixture(loop_scope="session")
async def services(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[Services]:
    """Over an empty Redis; its clock stands still at NOW."""
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    settings = StoreSettings()
    reasons = {"not_json": "The message is no JSON text."}
    yield Services(
        store=RedisStore(client, settings, lambda: NOW), redis=client, settings=settings, reasons=reasons,
        clock_ms=lambda: NOW,
    )  # fmt: skip
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stocked(services: Services) -> Services:
    """Hold session `a` with two windows, a signal and a hole, session `calm` without any, and a fate of `ghost`."""
    store = services.store
    drafts = [block([0, 10], keyframe=True), block([20], sequence=1), block([5], window="w2", keyframe=True)]
    await store.apply(write(blocks=drafts, signals=[signal()], holes=[Hole("w1", "gap", T0, 7, 8)]))
    await store.apply(write("calm", record_of=record("calm", score=0.0, tags={})))
    await store.note_fate("ghost", "shop", "not_json", 2, T0)
    return services


@pytest.fixture
def app(stocked: Services) -> ASGIApp:
    """The application without a login."""
    return create_app(stocked, ServeOptions(login="none"))
