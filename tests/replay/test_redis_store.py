"""What only a Redis can show: real retries, full memory, lost scripts, expiry, what lies outside the slot."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from replay.errors import Broken, Saturated, Unavailable
from replay.redis_client import connect
from replay.redis_store import OLD_DATA_GRACE_MS, RedisStore
from replay.retention import Retention
from replay.store import SessionQuery, StoreSettings
from replay.writes import Outcome, SessionWrite
from schemas.bundle_index import BundleIndex, Hole
from tests.replay.samples import T0, block, event, record, signal, write
from tests.replay.wires import dump, losing_replies
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

RETENTION_MS = 1_000_000
S = "wince:session:{a}:"
P = "wince:project:{shop}:"
LIMITS = StoreSettings(retention=Retention(base_ms=RETENTION_MS), max_life_ms=0)


def make_store(server: FoundRedis, **limits: object) -> RedisStore:
    settings = msgspec.convert({"retention": {"base_ms": RETENTION_MS}, "max_life_ms": 0, **limits}, StoreSettings)
    return RedisStore(connect(server.url), settings, lambda: T0)


@pytest_asyncio.fixture(loop_scope="session")
async def store(redis: Any, redis_server: FoundRedis) -> AsyncIterator[RedisStore]:
    assert await redis.dbsize() == 0
    store = make_store(redis_server)
    yield store
    await store.close()


class TestTwice:
    async def test_a_write_whose_reply_is_lost_is_applied_once(self, redis: Any, redis_server: FoundRedis) -> None:
        async with losing_replies(redis_server) as wire:
            store = RedisStore(connect(wire.url), StoreSettings(), lambda: T0)
            result = await store.apply(write(blocks=[block([0])], signals=[signal()]))
            await store.close()
        assert wire.lost == 1
        assert (result.outcome, result.version, result.blocks) == (Outcome.REPEATED, 1, 1)
        assert await redis.hget(S + "meta", "version") == b"1"
        assert await redis.xlen(P + "signals") == 1

    async def test_every_call_twice_leaves_the_same(self, redis: Any, store: RedisStore) -> None:
        writes = [
            write(blocks=[block([0], keyframe=True)], holes=[Hole("w1", "gap", T0, 3, 3, 1)], signals=[signal()]),
            write(base=1, blocks=[block([5], sequence=1)], signals=[signal(count=2)], deadline_ms=T0 + 5),
        ]
        for each in writes:
            await store.apply(each)
            once = await dump(redis)
            await store.apply(each)
            assert await dump(redis) == once
        await store.note_fate("a", "shop", "late", 2, T0)
        await store.compact("a", 2)
        once = await dump(redis)
        await store.note_fate("a", "shop", "late", 2, T0)
        await store.compact("a", 2)
        await store.load("a")
        assert await dump(redis) == once


class TestFailures:
    async def test_full_memory_is_saturated_and_changes_nothing(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(blocks=[block([0])], signals=[signal()]))
        before = await dump(redis)
        await redis.config_set("maxmemory", 1)
        try:
            for attempt in (write(base=1, blocks=[block([1])]), write("new", deadline_ms=T0)):
                with pytest.raises(Saturated):
                    await store.apply(attempt)
            with pytest.raises(Saturated):
                await store.compact("a", 1)
            assert await dump(redis) == before
        finally:
            await redis.config_set("maxmemory", 0)
        assert (await store.apply(write(base=1))).outcome is Outcome.APPLIED

    async def test_a_server_that_is_gone_is_unavailable(self) -> None:
        store = RedisStore(connect("redis://127.0.0.1:1"), StoreSettings())
        with pytest.raises(Unavailable):
            await store.apply(write())
        with pytest.raises(Unavailable):
            await store.load("a")
        await store.close()

    async def test_scripts_the_server_forgot_are_sent_again(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        await redis.script_flush()
        assert (await store.apply(write(base=1))).outcome is Outcome.APPLIED

    async def test_a_session_that_lost_a_key_is_broken_not_empty(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        await redis.delete(S + "record")
        with pytest.raises(Broken, match="noeviction"):
            await store.load("a")

    async def test_a_record_of_another_form_is_broken(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        await redis.set(S + "record", b'{"session_id":1}')
        with pytest.raises(Broken):
            await store.record("a")

    async def test_remains_of_a_session_that_expired_do_not_leak_into_a_new_one(
        self, redis: Any, store: RedisStore
    ) -> None:
        await store.apply(write(blocks=[block([0])], signals=[signal()]))
        await redis.delete(S + "meta")
        await store.apply(write(blocks=[block([9])]))
        assert [line.event async for line in store.bundle("a")] == [event(9, text="")]
        assert await store.signals("a") == []


class TestExpiry:
    async def test_every_key_expires_and_each_write_starts_it_anew(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(blocks=[block([0])], signals=[signal()], deadline_ms=T0))
        await store.note_fate("a", "shop", "late", 1, T0)
        lasting = {b"wince:deadlines", b"wince:fates", b"wince:projects"}
        for key in await redis.keys():
            assert (await redis.pttl(key) > 0) == (key not in lasting), key
        for key in await redis.keys(S + "*"):
            await redis.pexpire(key, 5_000)
        await store.apply(write(base=1))
        for part in ("meta", "record", "index", "data:0", "signals", "entries"):
            assert await redis.pttl(S + part) > RETENTION_MS - 60_000, part

    async def test_listings_lose_what_is_older_than_the_retention(self, redis: Any, redis_server: FoundRedis) -> None:
        now = T0
        store = RedisStore(connect(redis_server.url), LIMITS, lambda: now)
        await store.apply(write("old"))
        now += RETENTION_MS + 60_000
        await store.apply(write("new", record_of=record("new", started_at=now)))
        await store.close()
        for name in ("time", "score", "tag:rage_click", "user:anon-1"):
            assert await redis.zrange(P + name, 0, -1) == [b"new"], name


class TestOutside:
    async def test_a_new_owner_repairs_what_the_old_one_left_undone(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(blocks=[block([0])], signals=[signal()], deadline_ms=T0 + 7))
        whole = await dump(redis)
        outside = [key for key in whole if b":session:" not in key and not key.endswith(b":longest")]
        assert len(outside) >= 8
        await redis.delete(*outside)
        await store.load("a")
        repaired = await dump(redis)
        stream = (P + "signals").encode()
        assert [fields for _, fields in repaired.pop(stream)] == [fields for _, fields in whole.pop(stream)]
        assert repaired == whole

    async def test_a_refused_write_publishes_nothing(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write())
        before = await dump(redis)
        await store.apply(write(token="other", signals=[signal()], deadline_ms=T0))
        assert await dump(redis) == before

    async def test_a_signal_is_published_once_for_each_content(self, redis: Any, store: RedisStore) -> None:
        for version, count in enumerate([2, 2, 3]):
            await store.apply(write(base=version, signals=[signal(count=count)]))
        entries = await redis.xrange(P + "signals")
        published = [msgspec.json.decode(fields[b"signal"])["count"] for _, fields in entries]
        assert published == [2, 3]

    async def test_the_stream_and_what_it_had_are_bounded(self, redis: Any, redis_server: FoundRedis) -> None:
        store = make_store(redis_server, stream_max_signals=50)
        await store.apply(write(signals=[signal(f"s{n}") for n in range(500)]))
        await store.close()
        assert 50 <= await redis.xlen(P + "signals") <= 200
        assert await redis.zcard(P + "published") == 100

    async def test_a_withdrawn_session_leaves_no_byte_of_its_own(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write("b", signals=[signal("other", session_id="b")], deadline_ms=T0))
        await store.note_fate("b", "shop", "late", 1, T0)
        before = await dump(redis)
        await store.apply(write("secret", blocks=[block([0])], signals=[signal("x", session_id="secret")]))
        await store.apply(write("secret", base=1, signals=[signal("y", session_id="secret")], deadline_ms=T0))
        await store.compact("secret", 2)
        await store.note_fate("secret", "shop", "late", 1, T0)
        await store.withdraw("secret", "excluded_user")
        after = await dump(redis)
        tombstone = after.pop(b"wince:session:{secret}:meta")
        assert set(tombstone) == {b"version", b"withdrawn", b"tombstone", b"at", b"project"}
        assert after == before
        assert b"secret" not in repr(before).encode()

    async def test_two_prefixes_share_a_server(self, redis: Any, redis_server: FoundRedis, store: RedisStore) -> None:
        other = make_store(redis_server, key_prefix="other")
        await store.apply(write())
        assert await other.load("a") is None
        assert (await other.apply(write())).outcome is Outcome.APPLIED
        await other.withdraw("a", "excluded_user")
        await other.close()
        assert await store.load("a") is not None
        assert {key.split(b":")[0] for key in await redis.keys()} == {b"wince", b"other"}


async def compacted(store: RedisStore, version: int) -> BundleIndex:
    assert await store.compact("a", version)
    index = await store.index("a")
    assert index is not None
    return index


class TestCompaction:
    async def test_small_blocks_become_few_and_smaller(self, store: RedisStore) -> None:
        for n in range(30):
            window = "w2" if n % 3 == 0 else "w1"
            drafts = [block([n * 10, n * 10 + 1], sequence=n, window=window, keyframe=n in {0, 1, 16}, padding=40)]
            await store.apply(write(base=n, blocks=drafts))
        before = await store.index("a")
        played = [line async for line in store.bundle("a")]
        index = await compacted(store, 30)
        assert before is not None
        assert index.compacted
        assert [(e.window_id, e.keyframe) for e in index.blocks] == [("w2", True), ("w1", True), ("w1", True)]
        assert sum(entry.length for entry in index.blocks) == index.length < before.length / 3
        assert [line async for line in store.bundle("a")] == played
        assert await compacted(store, 30) == index

    async def test_a_session_goes_on_after_it_and_is_compacted_again(self, store: RedisStore) -> None:
        gap = Hole("w1", "gap", T0, 3, 3)
        await store.apply(write(blocks=[block([0]), block([1], sequence=1)], holes=[gap]))
        await compacted(store, 1)
        result = await store.apply(write(base=1, blocks=[block([2], sequence=2), block([5], sequence=5)]))
        assert (result.outcome, result.blocks) == (Outcome.APPLIED, 3)
        index = await store.index("a")
        assert index is not None
        assert not index.compacted
        index = await compacted(store, 2)
        assert [entry.sequence for entry in index.blocks] == [0, 5]
        assert index.holes == [gap]
        assert [line.event async for line in store.bundle("a")] == [event(t, text="") for t in (0, 1, 2, 5)]

    async def test_one_who_has_the_old_index_can_still_read(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(blocks=[block([0]), block([1], sequence=1)]))
        reading = store.bundle("a")
        head = msgspec.json.decode((await redis.lrange(S + "index", 0, 0))[0])
        await compacted(store, 1)
        old = await redis.getrange(head["data"], 0, head["length"] - 1)
        assert len(old) == head["length"]
        assert 0 < await redis.pttl(head["data"]) <= OLD_DATA_GRACE_MS
        assert len([line async for line in reading]) == 2

    async def test_a_reader_is_told_when_the_data_has_gone(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(blocks=[block([0])]))
        await redis.delete(S + "data:0")
        with pytest.raises(Unavailable, match="read its index again"):
            _ = [line async for line in store.bundle("a")]

    async def test_a_write_while_it_runs_wins(self, store: RedisStore) -> None:
        for version in range(20):
            attempts: list[SessionWrite] = [write(base=version, blocks=[block([version], sequence=version)])]
            results = await asyncio.gather(store.apply(attempts[0]), store.compact("a", version))
            assert results[0].outcome is Outcome.APPLIED
            played = [line.event async for line in store.bundle("a")]
            assert played == [event(t, text="") for t in range(version + 1)]


async def test_bad_urls_are_refused() -> None:
    with pytest.raises(ValueError, match="URL"):
        connect("http://localhost")


async def test_the_listing_of_scores_survives_many_sessions(store: RedisStore) -> None:
    await store.apply_many([write(f"s{n}", record_of=record(f"s{n}", score=n / 10)) for n in range(300)])
    page = await store.sessions(SessionQuery("shop", by="score", limit=3))
    assert [each.score for each in page.sessions] == [29.9, 29.8, 29.7]
