"""Stores and servers. Every Redis in here is a real one."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay.directory_store import DirectoryStore
from replay.errors import Unavailable
from replay.redis_client import RedisClient, connect
from replay.redis_server import RedisServer, find_binary, packaged_binary
from replay.redis_store import RedisStore
from replay.store import Store, StoreSettings
from tests.replay.samples import T0

StoreMaker = Callable[..., Store]


def _required(server: str) -> bool:
    return server in os.environ.get("WINCE_TEST_REQUIRE", "").split(",")


def _binary_or_skip() -> RedisServer:
    try:
        binary = find_binary()
    except Unavailable as error:
        if _required("redis"):
            pytest.fail(f"WINCE_TEST_REQUIRE asks for redis: {error}")
        pytest.skip(str(error))
    if _required("redis") and (not binary.path.endswith("redis-server") or binary.version[:2] != (7, 0)):
        pytest.fail(f"WINCE_TEST_REQUIRE asks for redis-server 7.0 on PATH; found {binary.path} {binary.version}")
    return RedisServer(binary)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(request: pytest.FixtureRequest) -> AsyncIterator[RedisServer]:
    async with _binary_or_skip() as server:
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            version = ".".join(map(str, server.binary.version))
            reporter.write_line(f"\nredis: {server.binary.path} {version} at {server.url}")
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def packaged_server() -> AsyncIterator[RedisServer]:
    async with RedisServer(packaged_binary()) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster_server() -> AsyncIterator[RedisServer]:
    """One node that owns all slots: it rejects keys of several slots in one script, and undeclared keys."""
    binary = _binary_or_skip().binary
    async with RedisServer(binary, ("--cluster-enabled", "yes", "--cluster-node-timeout", "500")) as server:
        async with Redis.from_url(server.url, protocol=2) as admin:
            await admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)  # type: ignore[no-untyped-call]
            while b"cluster_state:ok" not in await admin.execute_command("CLUSTER", "INFO"):  # type: ignore[no-untyped-call]
                pass
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """An empty Redis, to look into."""
    async with Redis.from_url(redis_server.url, protocol=2) as client:
        await client.flushall()
        yield client


SERVERS = {"redis": "redis_server", "packaged": "packaged_server", "cluster": "cluster_server"}


@pytest.fixture(params=["directory", *SERVERS])
def server(request: pytest.FixtureRequest) -> RedisServer | None:
    """The server of a kind of store; none for the directory."""
    found: RedisServer | None = request.getfixturevalue(SERVERS[request.param]) if request.param in SERVERS else None
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def make_store(server: RedisServer | None, tmp_path: Path) -> AsyncIterator[StoreMaker]:
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
