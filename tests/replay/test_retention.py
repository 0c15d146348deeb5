"""How long sessions are kept: by the rule of their first write, in Redis' own time."""

from typing import Any

import pytest
from redis.asyncio import Redis

from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.retention import Retention
from replay.store import StoreSettings
from replay.writes import Outcome
from tests.replay.samples import T0, block, record, signal, write
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR_MS = 3_600_000
RULE = Retention(base_ms=10 * HOUR_MS, by_tag_ms={"rage_click": 40 * HOUR_MS, "js_error": 20 * HOUR_MS})
CAPPED = Retention(base_ms=10 * HOUR_MS, by_tag_ms={"rage_click": 40 * HOUR_MS}, max_ms=30 * HOUR_MS)
SHORT = Retention(base_ms=HOUR_MS)
P = "wince:project:{shop}:"


def store_with(server: FoundRedis, retention: Retention, now_ms: int = T0, **others: Any) -> RedisStore:
    settings = StoreSettings(retention=retention, max_life_ms=HOUR_MS, **others)
    return RedisStore(connect(server.url), settings, lambda: now_ms)


async def lives_hours(redis: Any, session_id: str = "a") -> int:
    """How long all keys of a session live, in hours, rounded up."""
    keys = await redis.keys(f"wince:session:{{{session_id}}}:*")
    hours: int
    (hours,) = {-(-await redis.pttl(key) // HOUR_MS) for key in keys}
    return hours


@pytest.mark.parametrize(
    ("rule", "tags", "hours"),
    [
        (RULE, {}, 10), (RULE, {"dead_click": 3}, 10), (RULE, {"js_error": 1}, 20),
        (RULE, {"js_error": 1, "rage_click": 1}, 40), (RULE, {"js_error": 1, "rage_click": 0}, 20),
        (CAPPED, {"rage_click": 1}, 30), (Retention(base_ms=9 * HOUR_MS, max_ms=HOUR_MS), {}, 1),
        (Retention(base_ms=9 * HOUR_MS, by_tag_ms={"js_error": HOUR_MS}), {"js_error": 1}, 9),
    ],
)  # fmt: skip
async def test_the_longest_of_the_times_of_its_tags_holds_up_to_the_cap(
    redis: Redis, redis_server: FoundRedis, rule: Retention, tags: dict[str, int], hours: int
) -> None:
    store = store_with(redis_server, rule)
    await store.apply(write(blocks=[block([0])], signals=[signal()], record_of=record(tags=tags)))
    assert await lives_hours(redis) == hours
    await store.close()


async def test_a_tag_that_comes_later_has_all_of_the_session_live_longer(
    redis: Redis, redis_server: FoundRedis
) -> None:
    store = store_with(redis_server, RULE)
    await store.apply(write(blocks=[block([0])], signals=[signal()], record_of=record(tags={})))
    assert await lives_hours(redis) == 10
    await store.apply(write(base=1, record_of=record(tags={"js_error": 1})))
    assert await lives_hours(redis) == 20
    # Told before, so the write does not name it again.
    await store.apply(write(base=2, record_of=record(tags={"js_error": 1})))
    assert await lives_hours(redis) == 20
    await store.close()


@pytest.mark.parametrize(("first", "later"), [(RULE, SHORT), (SHORT, RULE)])
async def test_the_rule_of_the_first_write_stays(
    redis: Redis, redis_server: FoundRedis, first: Retention, later: Retention
) -> None:
    tagged = record(tags={"rage_click": 1})
    for base, rule in enumerate([first, later, later]):
        store = store_with(redis_server, rule)
        result = await store.apply(write(base=base, blocks=[block([base])], signals=[signal()], record_of=tagged))
        assert result.outcome is Outcome.APPLIED
        await store.close()
    assert await lives_hours(redis) == first.longest_ms // HOUR_MS
    store = store_with(redis_server, later)
    assert await store.compact("a", 3)
    assert await redis.pttl("wince:session:{a}:data:1") > (first.longest_ms - HOUR_MS)
    await store.close()


async def test_a_project_has_its_own_rule(redis: Redis, redis_server: FoundRedis) -> None:
    store = store_with(redis_server, RULE, project_retention={"bank": SHORT})
    await store.apply_many([write(record_of=record(tags={})), write("b", project_id="bank")])
    assert (await lives_hours(redis), await lives_hours(redis, "b")) == (10, 1)
    await store.close()


async def test_listings_hold_sessions_as_long_as_any_rule_of_the_past_lets_them_live(
    redis: Any, redis_server: FoundRedis
) -> None:
    """A session of a long rule stays listed when the rule is made shorter, and goes when its time is over."""
    for hours, rule, listed in ((0, RULE, ["h0"]), (30, SHORT, ["h0", "h30"]), (42, SHORT, ["h30", "h42"])):
        now = T0 + hours * HOUR_MS
        store = store_with(redis_server, rule, now)
        await store.apply(write(f"h{hours}", record_of=record(f"h{hours}", started_at=now)))
        await store.close()
        for name in ("time", "score", "duration", "status", "tag:rage_click", "user:anon-1"):
            assert sorted(await redis.zrange(P + name, 0, -1)) == [each.encode() for each in listed], name
            assert await redis.pttl(P + name) > 40 * HOUR_MS
    await redis.delete(P + "longest")  # as if its time was over
    store = store_with(redis_server, SHORT, T0 + 43 * HOUR_MS)
    await store.apply(write("h43", record_of=record("h43", started_at=T0 + 43 * HOUR_MS)))
    assert await redis.zrange(P + "time", 0, -1) == [b"h42", b"h43"]
    await store.close()


async def test_signals_leave_the_stream_with_the_time_of_the_project(redis: Any, redis_server: FoundRedis) -> None:
    seconds, _ = await redis.time()
    old = f"{seconds * 1_000 - 2 * HOUR_MS}-0"
    await redis.xadd(P + "signals", {"id": "old", "session_id": "a", "signal": "{}"}, id=old)
    store = store_with(redis_server, SHORT)
    await store.apply(write(signals=[signal("new")]))
    assert [fields[b"id"] for _, fields in await redis.xrange(P + "signals")] == [b"new"]
    assert 0 < await redis.pttl(P + "signals") <= HOUR_MS
    await store.close()
