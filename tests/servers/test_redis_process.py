"""Redis servers do what the fault suite needs of them."""

import asyncio
import ssl

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, OutOfMemoryError

from replay.redis_server import Binary
from tests.servers.certificates import Certificates
from tests.servers.redis_process import RedisProcess, redis_cluster


async def read(server: RedisProcess, key: str) -> object:
    async with Redis.from_url(server.url, protocol=2) as client:
        return await client.get(key)


async def write(server: RedisProcess, key: str, value: str) -> None:
    async with Redis.from_url(server.url, protocol=2) as client:
        await client.set(key, value)


async def fill(server: RedisProcess) -> None:
    for number in range(200):
        await write(server, f"{number}", "x" * 50_000)


async def test_with_an_append_only_file_what_was_acknowledged_outlives_a_kill(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary, append_only=True) as server:
        await write(server, "key", "value")
        server.kill()
        with pytest.raises(RedisConnectionError):
            await read(server, "key")
        await server.start()
        assert await read(server, "key") == b"value"


@pytest.mark.parametrize("append_only", [False, True])
async def test_it_is_put_back_to_an_older_dump(redis_binary: Binary, append_only: bool) -> None:  # noqa: FBT001
    async with RedisProcess(redis_binary, append_only=append_only) as server:
        await write(server, "key", "old")
        dump = await server.snapshot()
        await write(server, "key", "new")
        await write(server, "another", "new")
        await server.roll_back(dump)
        assert await read(server, "key") == b"old"
        assert await read(server, "another") is None
        if append_only:
            await write(server, "key", "newest")
            server.kill()
            await server.start()
            assert await read(server, "key") == b"newest"


async def test_a_paused_server_answers_when_it_goes_on(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary) as server:
        await write(server, "key", "value")
        server.pause()
        reading = asyncio.create_task(read(server, "key"))
        done, _ = await asyncio.wait([reading], timeout=0.1)
        assert not done
        server.resume()
        assert await reading == b"value"


async def test_a_full_server_refuses_and_says_how_often(redis_binary: Binary) -> None:
    async with RedisProcess(redis_binary, options={"maxmemory": "3mb", "maxmemory-policy": "noeviction"}) as server:
        with pytest.raises(OutOfMemoryError):
            await fill(server)
        assert await server.refusals() == 1
        async with server.client() as admin:
            await admin.config_set("maxmemory", "0")
        await write(server, "key", "value")


async def test_users_may_do_what_their_rules_say(redis_binary: Binary) -> None:
    users = {"default": "off", "reader": "on >word ~wince:* +get"}
    async with RedisProcess(redis_binary, users=users) as server:
        async with Redis(port=server.port, username="reader", password="word", protocol=2) as client:
            assert await client.get("wince:key") is None
            with pytest.raises(NoPermissionError):
                await client.set("wince:key", "value")
        async with server.client() as admin:
            assert await admin.set("anything", "value")


async def test_with_certificates_it_speaks_tls_only(redis_binary: Binary, certificates: Certificates) -> None:
    async with RedisProcess(redis_binary, certificates=certificates) as server:
        client = Redis.from_url(
            server.url,
            protocol=2,
            ssl_ca_certs=str(certificates.authority),
            ssl_certfile=str(certificates.client.certificate),
            ssl_keyfile=str(certificates.client.key),
        )
        async with client:
            assert await client.ping()
        async with Redis(port=server.port, protocol=2, retry=Retry(NoBackoff(), 0)) as plain:
            with pytest.raises((RedisConnectionError, ssl.SSLError)):
                await plain.ping()


async def test_three_masters_make_a_cluster(redis_binary: Binary) -> None:
    async with redis_cluster(redis_binary) as servers, RedisCluster.from_url(servers[0].url, protocol=2) as client:
        for number in range(30):
            await client.set(f"key-{number}", number)
        sizes = []
        for server in servers:
            async with server.client() as admin:
                sizes.append(await admin.dbsize())
        assert sum(sizes) == 30
        assert min(sizes) > 0
