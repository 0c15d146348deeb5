"""Pipelines: bounded in commands and bytes, a few at a time, their replies in order, and told to an observer."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from replay import redis_client
from replay.errors import Saturated, Unavailable
from replay.redis_client import MAX_PIPELINE, MAX_PIPELINE_BYTES, MAX_PIPELINES, Call, Operation, RedisClient, connect
from tests.servers.redis_server import FoundRedis

MIB = 1 << 20


class Observations:
    """What an observer is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Operation, int]] = []
        self.seconds = 0.0

    def called(self, operation: Operation, seconds: float, sent_bytes: int) -> None:
        self.seconds += seconds
        self.told.append((operation, sent_bytes))


@pytest.fixture
def observations() -> Observations:
    return Observations()


@pytest_asyncio.fixture(loop_scope="session")
async def client(redis: Redis, redis_server: FoundRedis, observations: Observations) -> AsyncIterator[RedisClient]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url, observer=observations)
    yield client
    await client.close()


class TestChunks:
    @given(st.lists(st.sampled_from([0, 1, 1_000, MIB, MAX_PIPELINE_BYTES, MAX_PIPELINE_BYTES + 1]), max_size=12))
    def test_all_calls_are_in_them_in_order_and_they_are_bounded(self, sizes: list[int]) -> None:
        calls = [Call("SET", (str(place),), (bytes(size),)) for place, size in enumerate(sizes)]
        chunks = list(redis_client._chunks(calls))
        assert [call for chunk in chunks for call in chunk.calls] == calls
        for chunk in chunks:
            assert chunk.size == sum(call.size() for call in chunk.calls)
            assert chunk.size <= MAX_PIPELINE_BYTES or len(chunk.calls) == 1
        for chunk, following in pairwise(chunks):
            assert chunk.size + following.calls[0].size() > MAX_PIPELINE_BYTES

    @pytest.mark.parametrize(
        ("count", "lengths"),
        [
            (0, []),
            (1, [1]),
            (MAX_PIPELINE, [MAX_PIPELINE]),
            (MAX_PIPELINE + 1, [MAX_PIPELINE, 1]),
            (2 * MAX_PIPELINE, [MAX_PIPELINE, MAX_PIPELINE]),
        ],
    )
    def test_so_many_commands_are_sent_at_once(self, count: int, lengths: list[int]) -> None:
        calls = [Call("GET", (str(place),)) for place in range(count)]
        assert [len(chunk.calls) for chunk in redis_client._chunks(calls)] == lengths

    def test_numbers_count_as_nothing_and_texts_as_their_characters(self) -> None:
        assert Call("X", ("key",), (1, 2.5, "four", b"five5", "")).size() == 9


@pytest.mark.asyncio(loop_scope="session")
class TestRunning:
    @pytest.mark.parametrize("in_order", [True, False])
    async def test_replies_are_in_the_order_of_calls(self, client: RedisClient, in_order: bool) -> None:  # noqa: FBT001
        calls = [Call("SET", (f"k{n}",), (n,)) for n in range(1_000)]
        await client.run_many(calls, in_order=in_order)
        replies = await client.run_many([Call("GET", (f"k{n}",)) for n in range(1_000)], in_order=in_order)
        assert replies == [str(n).encode() for n in range(1_000)]

    async def test_in_order_is_in_order(self, redis: Redis, client: RedisClient) -> None:
        await client.run_many([Call("RPUSH", ("list",), (n,)) for n in range(1_000)])
        assert [int(element) for element in await redis.lrange("list", 0, -1)] == list(range(1_000))

    async def test_large_calls_go_in_pipelines_of_their_own(
        self, redis: Redis, client: RedisClient, observations: Observations
    ) -> None:
        calls = [Call("SET", (f"k{n}",), (bytes(3 * MIB),)) for n in range(5)]
        await client.run_many(calls, "write", in_order=False)
        assert await redis.dbsize() == 5
        assert observations.told == [("write", 3 * MIB)] * 5

    async def test_so_many_pipelines_are_under_way_at_a_time(self, redis: Redis, client: RedisClient) -> None:
        calls = [Call("SET", (f"k{n}",), (n,)) for n in range(12 * MAX_PIPELINE)]
        before = int((await redis.info("stats"))["total_connections_received"])
        await asyncio.gather(*(client.run_many(calls, in_order=False) for _ in range(5)))
        opened = int((await redis.info("stats"))["total_connections_received"]) - before
        assert 2 <= opened <= MAX_PIPELINES

    @pytest.mark.parametrize("in_order", [True, False])
    async def test_after_an_error_nothing_is_under_way(
        self,
        redis: Redis,
        client: RedisClient,
        in_order: bool,  # noqa: FBT001
    ) -> None:
        await redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(Saturated):
                await client.run_many([Call("SET", (f"k{n}",), (n,)) for n in range(1_000)], in_order=in_order)
        finally:
            await redis.config_set("maxmemory", 0)
        assert await client.run(Call("DBSIZE", ())) == 0


@pytest.mark.asyncio(loop_scope="session")
class TestObserver:
    async def test_each_pipeline_is_told_with_its_bytes(self, client: RedisClient, observations: Observations) -> None:
        await client.run(Call("SET", ("key",), ("12345",)), "mark")
        await client.run_many([Call("GET", ("key",)) for _ in range(MAX_PIPELINE + 1)])
        await client.run_many([])
        assert observations.told == [("mark", 5), ("read", 0), ("read", 0)]

    async def test_a_refusal_is_an_answer(self, redis: Redis, client: RedisClient, observations: Observations) -> None:
        await redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(Saturated):
                await client.run(Call("SET", ("key",), (b"12345",)), "list")
        finally:
            await redis.config_set("maxmemory", 0)
        assert observations.told == [("list", 5)]

    async def test_what_got_no_answer_is_not_told(self, observations: Observations) -> None:
        client = connect("redis://127.0.0.1:1", observer=observations)
        with pytest.raises(Unavailable):
            await client.run(Call("GET", ("key",)))
        await client.close()
        assert observations.told == []


class TestUrls:
    @pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "", "redis+sentinel://localhost"])
    def test_others_are_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="URL"):
            connect(url)

    def test_a_socket_is_one(self) -> None:
        assert connect("unix:///run/redis.sock") is not None


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("steps", range(1, 25))
async def test_who_is_cancelled_at_whatever_step_ends(client: RedisClient, steps: int) -> None:
    async def call_always() -> None:
        while True:
            await client.run(Call("ECHO", (), ("x",)))

    task = asyncio.create_task(call_always())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    task.cancel()
    assert done
    assert task.cancelled()
