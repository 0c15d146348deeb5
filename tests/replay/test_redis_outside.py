"""What lies outside of sessions' slots: told after the announcement, merged, told again where it failed."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from replay.errors import Saturated
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from replay.writes import Outcome, SessionWrite
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.wires import dump
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

P = "wince:project:{shop}:"


def make_store(server: FoundRedis) -> RedisStore:
    return RedisStore(connect(server.url), StoreSettings(), lambda: T0)


@pytest_asyncio.fixture(loop_scope="session")
async def store(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[RedisStore]:
    assert await redis.dbsize() == 0
    store = make_store(redis_server)
    yield store
    await store.close()


class TestOrder:
    """Own slots, then the announcement, then what lies outside, deadlines last."""

    WRITES = (
        write("a", blocks=[block([0])], signals=[signal()], deadline_ms=T0, shard="t/0"),
        write("b", deadline_ms=T0 + 1),
    )

    async def test_the_announcement_lies_between_the_slots_and_the_outside(self, redis: Any, store: RedisStore) -> None:
        seen: list[dict[bytes, Any]] = []

        async def announce(_writes: Sequence[SessionWrite]) -> None:
            seen.append(await dump(redis))

        await store.apply_many(self.WRITES, announce)
        after = await dump(redis)
        slots = {key: value for key, value in after.items() if b":session:" in key}
        assert seen == [slots]
        assert len(slots) > 8
        assert len(after) > len(slots) + 8

    async def test_when_it_fails_nothing_outside_was_told(self, redis: Any, store: RedisStore) -> None:
        async def fail(_writes: Sequence[SessionWrite]) -> None:
            raise ConnectionError

        with pytest.raises(ConnectionError):
            await store.apply_many(self.WRITES, fail)
        assert all(b":session:" in key for key in await dump(redis))

    async def test_what_could_not_be_told_is_told_when_the_same_is_written_again(
        self, redis: Any, redis_server: FoundRedis, store: RedisStore
    ) -> None:
        async def fill_memory(_writes: Sequence[SessionWrite]) -> None:
            await redis.config_set("maxmemory", 1)

        try:
            with pytest.raises(Saturated):
                await store.apply_many(self.WRITES, fill_memory)
        finally:
            await redis.config_set("maxmemory", 0)
        assert all(b":session:" in key for key in await dump(redis))
        assert {each.outcome for each in await store.apply_many(self.WRITES)} == {Outcome.REPEATED}
        repeated = await dump(redis)
        await redis.flushall()
        other = make_store(redis_server)
        await other.apply_many(self.WRITES)
        await other.close()
        direct = await dump(redis)
        stream = (P + "signals").encode()
        assert [fields for _, fields in repeated.pop(stream)] == [fields for _, fields in direct.pop(stream)]
        assert repeated == direct

    async def test_a_session_stays_due_until_all_else_is_told(self, redis: Any, store: RedisStore) -> None:
        await store.apply_many(self.WRITES)

        async def fill_memory(_writes: Sequence[SessionWrite]) -> None:
            await redis.config_set("maxmemory", 1)

        try:
            # Taking an entry out would be allowed where adding one to a listing is not.
            with pytest.raises(Saturated):
                await store.apply_many([write("b", base=1, signals=[signal("new", session_id="b")])], fill_memory)
        finally:
            await redis.config_set("maxmemory", 0)
        assert await store.due(T0 + 1, 9) == [("b", T0 + 1)]


class TestMerging:
    async def test_many_sessions_are_told_in_few_commands(self, redis: Any, store: RedisStore) -> None:
        writes = [write(f"s{n}", signals=[signal(f"x{n}", session_id=f"s{n}")], deadline_ms=T0 + n) for n in range(150)]
        await store.apply_many(writes)
        before = await redis.info("commandstats")
        again = [write(f"s{n}", base=1, deadline_ms=T0 + n) for n in range(150)]
        await store.apply_many(again)
        after = await redis.info("commandstats")
        calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
        # One call for each session's slot; one for all deadlines; nothing else had changed.
        assert calls["cmdstat_evalsha"] == 150
        assert calls["cmdstat_zadd"] == 1
        assert calls.get("cmdstat_sadd", 0) == 0

    async def test_more_than_fits_in_one_command_is_told_whole(self, redis: Any, store: RedisStore) -> None:
        signals = [signal(f"x{n}", session_id="a") for n in range(130)]
        await store.apply_many([write(f"s{n}", deadline_ms=T0 + n) for n in range(1_201)])
        await store.apply(write("a", signals=signals))
        assert await redis.zcard("wince:deadlines") == 1_201
        assert await redis.zcard(P + "time") == 1_202
        assert await redis.xlen(P + "signals") == 130
        await store.apply_many([write(f"s{n}", base=1) for n in range(1_201)])
        assert await redis.zcard("wince:deadlines") == 0

    async def test_only_what_changed_is_told(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        await redis.delete(P + "time", P + "score", P + "tag:rage_click", "wince:projects")
        await store.apply(write(base=1, record_of=record(score=99.0)))
        assert await redis.zrange(P + "score", 0, -1, withscores=True) == [(b"a", 99.0)]
        assert not await redis.exists(P + "time", P + "tag:rage_click", "wince:projects")
        await store.apply(write(base=2, record_of=record(score=99.0, tags={"rage_click": 1, "dead_click": 1})))
        assert await redis.exists(P + "tag:rage_click", P + "tag:dead_click") == 2

    async def test_numbers_that_change_all_the_time_are_corrected_without_more_ado(
        self, redis: Any, store: RedisStore
    ) -> None:
        await store.apply(write())
        before = await redis.info("commandstats")
        longer = record(last_event_at=T0 + 7_000, status="ended")
        await store.apply(write(base=1, record_of=longer))
        after = await redis.info("commandstats")
        assert await redis.zrange(P + "duration", 0, -1, withscores=True) == [(b"a", 7_000.0)]
        assert await redis.zrange(P + "status", 0, -1, withscores=True) == [(b"a", 0.0)]
        calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
        assert calls["cmdstat_zadd"] == 2
        # Nothing was listed anew, so nobody has to look whether the session was withdrawn meanwhile.
        assert calls.get("cmdstat_hexists", 0) == 0

    async def test_a_correction_lists_nothing_that_is_not_listed(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        await redis.delete(P + "duration", P + "status")
        await store.apply(write(base=1, record_of=record(last_event_at=T0 + 7_000, status="ended")))
        assert await redis.exists(P + "duration", P + "status") == 0

    async def test_a_session_that_is_new_again_is_told_whole(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        await redis.flushall()
        await store.apply(write())
        assert (
            await redis.exists(
                P + "time", P + "score", P + "tag:rage_click", "wince:projects", "wince:session:{a}:entries"
            )
            == 5
        )

    async def test_the_last_of_two_writes_in_one_call_decides(self, redis: Any, store: RedisStore) -> None:
        first = write(record_of=record(score=5.0), deadline_ms=T0)
        last = write(base=1, record_of=record(score=7.0), deadline_ms=T0 + 7)
        await store.apply_many([first, last])
        assert await redis.zrange(P + "score", 0, -1, withscores=True) == [(b"a", 7.0)]
        assert await redis.zrange("wince:deadlines", 0, -1, withscores=True) == [(b"a", T0 + 7)]
