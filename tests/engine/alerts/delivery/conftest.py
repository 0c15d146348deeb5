"""A real Redis, empty at first, on its own or as a cluster, and what sends from it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from engine.alerts.delivery.outbox import Outbox
from engine.alerts.names import AlertNames
from engine.delivery.posting import Poster
from replay.redis_client import Call, RedisClient, connect
from replay.redis_server import Binary, RedisServer
from tests.engine.alerts.delivery.delivering import Clock, Delivery
from tests.servers.process import free_port
from tests.servers.redis_server import FoundRedis


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def delivery_cluster(redis_binary: Binary) -> AsyncIterator[RedisServer]:
    """One node that owns all slots: it rejects keys of several slots in one script, and undeclared keys."""
    # By default a port 10,000 higher is taken, and there may be none.
    bus = ("--cluster-port", str(free_port()))
    async with RedisServer(redis_binary, ("--cluster-enabled", "yes", "--cluster-node-timeout", "500", *bus)) as server:
        admin = connect(server.url)
        await admin.run(Call("CLUSTER", (), ("ADDSLOTSRANGE", 0, 16383)))
        while b"cluster_state:ok" not in str(await admin.run(Call("CLUSTER", (), ("INFO",)))).encode():
            pass
        await admin.close()
        yield server


@pytest.fixture(params=["redis_server", "delivery_cluster"])
def any_server(request: pytest.FixtureRequest) -> FoundRedis | RedisServer:
    """A server, or a cluster."""
    found: FoundRedis | RedisServer = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture
async def any_client(any_server: FoundRedis | RedisServer) -> AsyncIterator[RedisClient]:
    is_cluster = isinstance(any_server, RedisServer)
    admin = connect(any_server.url)
    await admin.run(Call("FLUSHALL", ()))
    await admin.close()
    client = connect(any_server.url.replace("redis://", "redis+cluster://") if is_cluster else any_server.url)
    yield client
    await client.close()


@pytest_asyncio.fixture
async def client(redis_server: FoundRedis) -> AsyncIterator[RedisClient]:
    client = connect(redis_server.url)
    await client.run(Call("FLUSHALL", ()))
    yield client
    await client.close()


@pytest_asyncio.fixture
async def delivery(client: RedisClient) -> AsyncIterator[Delivery]:
    poster = Poster()
    yield Delivery(client, Clock(), poster, Outbox(client, AlertNames("wince")))
    await poster.close()
