"""Stores and servers. Every Redis in here is a real one."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay.directory_store import DirectoryStore
from replay.export.film_job import BROWSERS
from replay.redis_client import RedisClient, connect
from replay.redis_server import Binary, RedisServer, packaged_binary
from replay.redis_store import RedisStore
from replay.store import Store, StoreSettings
from tests.replay.samples import T0
from tests.servers.process import free_port
from tests.servers.redis_server import FoundRedis
from tests.servers.required import give_up

StoreMaker = Callable[..., Store]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def packaged_server() -> AsyncIterator[RedisServer]:
    async with RedisServer(packaged_binary()) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster_server(redis_binary: Binary) -> AsyncIterator[RedisServer]:
    """One node that owns all slots: it rejects keys of several slots in one script, and undeclared keys."""
    # By default a port 10,000 higher is taken, and there may be none.
    bus = ("--cluster-port", str(free_port()))
    async with RedisServer(redis_binary, ("--cluster-enabled", "yes", "--cluster-node-timeout", "500", *bus)) as server:
        async with Redis.from_url(server.url, protocol=2) as admin:
            await admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)  # type: ignore[no-untyped-call]
            while b"cluster_state:ok" not in await admin.execute_command("CLUSTER", "INFO"):  # type: ignore[no-untyped-call]
                pass
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def redis(redis_server: FoundRedis) -> AsyncIterator[Redis]:
    """An empty Redis, to look into."""
    async with Redis.from_url(redis_server.url, protocol=2) as client:
        await client.flushall()
        yield client


SERVERS = {"redis": "redis_server", "packaged": "packaged_server", "cluster": "cluster_server"}


@pytest.fixture(params=["directory", *SERVERS])
def server(request: pytest.FixtureRequest) -> RedisServer | FoundRedis | None:
    """The server of a kind of store; none for the directory."""
    name = SERVERS.get(request.param)
    found: RedisServer | FoundRedis | None = request.getfixturevalue(name) if name else None
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def make_store(server: RedisServer | FoundRedis | None, tmp_path: Path) -> AsyncIterator[StoreMaker]:
    """Makes stores of one kind that share what they hold."""
    async with AsyncExitStack() as stack:
        if server is None:
            shared: list[DirectoryStore] = []

            def directory_store(**limits: int) -> Store:
                if not shared:
                    shared.append(DirectoryStore(tmp_path / "out", msgspec.convert(limits, StoreSettings)))
                    stack.callback(shared[0].discard)
                return shared[0]

            yield directory_store
            return
        async with Redis.from_url(server.url, protocol=2) as admin:
            await admin.flushall()
            clustered = (await admin.info("cluster"))["cluster_enabled"]
        url = server.url.replace("redis://", "redis+cluster://") if clustered else server.url

        def redis_store(**limits: int) -> Store:
            client: RedisClient = connect(url)
            stack.push_async_callback(client.close)
            return RedisStore(client, msgspec.convert(limits, StoreSettings), lambda: T0)

        yield redis_store


@pytest.fixture
def store(make_store: StoreMaker) -> Store:
    return make_store()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        give_up("chromium", f"none of {', '.join(BROWSERS)} is on PATH")
    return found
