"""The readers that the format's document shows: what they give is what the store gives, from Redis and over HTTP."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay.reading import exported_line
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.store import StoreSettings
from tests.docs.documents import ROOT
from tests.replay.asking import serving
from tests.replay.samples import T0, block, write
from tests.servers.redis_server import FoundRedis
from tests.servers.required import Missing, give_up

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLDER = ROOT / "docs/examples/bundle-readers"
FZSTD = "1a901fc5a58c349bbdb4f2aa1e688637ef56891ec58243a9f0cd863166b0d2a4"
ODD = 'a/"ä\u2028{}'


@pytest.fixture(params=["read_bundle.py", "read_bundle.mjs"])
def reader(request: pytest.FixtureRequest) -> list[str]:
    if request.param.endswith(".py"):
        return [sys.executable, str(FOLDER / request.param)]
    node = shutil.which("node")
    if node is None:
        give_up("node", Missing("there is no node on PATH"))
    return [node, str(FOLDER / request.param)]


@pytest_asyncio.fixture(loop_scope="session", params=["redis", "http"])
async def address(request: pytest.FixtureRequest, redis: Redis, redis_server: FoundRedis) -> AsyncIterator[str]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    settings = StoreSettings(compact_block_bytes=2_000)
    store = RedisStore(client, settings, lambda: T0)
    for session_id in ("a", ODD, "x" * 200):
        drafts = [
            block([0, 10], keyframe=True), block([5], window="w\u00e42", keyframe=True),
            block([20, 30], sequence=1, padding=200), block([40], sequence=3, keyframe=True),
            block([35], sequence=2, late=True), block(range(50, 500), sequence=4, padding=30), block([9], window="w3"),
        ]  # fmt: skip
        await store.apply(write(session_id, blocks=drafts))
    if request.param == "redis":
        yield redis_server.url
    else:
        services = Services(store=store, redis=client, settings=settings, reasons={}, clock_ms=lambda: T0)
        async with serving(create_app(services, ServeOptions(login="none"))) as port:
            yield f"http://127.0.0.1:{port}"
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def store(redis_server: FoundRedis) -> AsyncIterator[RedisStore]:
    store = RedisStore(connect(redis_server.url), StoreSettings(compact_block_bytes=2_000), lambda: T0)
    yield store
    await store.close()


async def run(command: Sequence[str], *arguments: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if name != "WINCE_TOKEN"}
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, stdout=asyncio.subprocess.PIPE, env=environment
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


@pytest.mark.parametrize("session_id", ["a", ODD, "x" * 200], ids=["plain", "odd", "long"])
async def test_a_whole_bundle(reader: list[str], address: str, store: RedisStore, session_id: str) -> None:
    expected = [exported_line(line) async for line in store.bundle(session_id)]
    for _ in ("running", "compacted"):
        lines = (await run(reader, address, session_id)).splitlines(keepends=True)
        assert [msgspec.json.decode(line) for line in lines] == [msgspec.json.decode(line) for line in expected]
        await store.compact(session_id, 1)


@pytest.mark.parametrize(
    ("window_id", "t"), [("w1", 0), ("w1", 25), ("w1", 37), ("w1", 900), ("w\u00e42", -5), ("w3", 99)]
)
async def test_a_moment(reader: list[str], address: str, store: RedisStore, window_id: str, t: int) -> None:
    expected = [line.event async for line in store.events("a", window_id, T0 + t, T0 + t)]
    assert (await run(reader, address, "a", window_id, str(T0 + t))).splitlines() == expected


async def test_what_is_vendored_is_what_it_says() -> None:
    folder: Path = FOLDER / "vendor/fzstd"
    assert sha256((folder / "fzstd.mjs").read_bytes()).hexdigest() == FZSTD
    assert FZSTD in (folder / "README.md").read_text("utf-8")
