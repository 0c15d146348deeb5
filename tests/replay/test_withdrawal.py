"""Withdrawn sessions in Redis: nothing is left but that the id is not to come back, whoever else is at work."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from replay.redis_client import Call, connect, load_script
from replay.redis_keys import KeyNames
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from replay.writes import Outcome, SessionWrite, withdrawn_session
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.wires import dump, losing_replies
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOMBSTONE_MS = 1_000_000
SESSION = "visit-of-mia"
EXCLUDED = "excluded_user"
META = f"wince:session:{{{SESSION}}}:meta"
LIMITS = StoreSettings(tombstone_ms=TOMBSTONE_MS)


@pytest_asyncio.fixture(loop_scope="session")
async def stores(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[list[RedisStore]]:
    """Two stores on one empty server."""
    assert await redis.dbsize() == 0
    stores = [RedisStore(connect(redis_server.url), LIMITS, lambda: T0) for _ in range(2)]
    yield stores
    for store in stores:
        await store.close()


async def traces(redis: Redis) -> dict[bytes, Any]:
    """All that is there of the session."""
    return {key: value for key, value in (await dump(redis)).items() if SESSION in f"{key!r}{value!r}"}


async def only_a_tombstone(redis: Redis) -> int:
    """See that nothing else is there of the session; return its version."""
    ((key, tombstone),) = (await traces(redis)).items()
    assert key == META.encode()
    assert set(tombstone) == {b"version", b"withdrawn", b"tombstone", b"at", b"project"}
    assert (tombstone[b"withdrawn"], tombstone[b"at"]) == (EXCLUDED.encode(), b"%d" % T0)
    return int(tombstone[b"version"])


@pytest.fixture
def store(stores: list[RedisStore]) -> RedisStore:
    return stores[0]


class TestTombstone:
    async def test_no_write_is_accepted_on_any_version(self, redis: Any, store: RedisStore) -> None:
        last = write(SESSION, base=1)
        await store.apply_many([write(SESSION), last])
        await store.withdraw(SESSION, EXCLUDED)
        before = await dump(redis)
        for base in range(5):
            result = await store.apply(write(SESSION, base=base, token="another", blocks=[block([0])], deadline_ms=T0))
            assert (result.outcome, result.version, result.blocks) == (Outcome.REFUSED, 3, 0)
        assert (await store.apply(last)).outcome is Outcome.REFUSED
        assert await dump(redis) == before
        assert await only_a_tombstone(redis) == 3

    async def test_a_load_says_so_and_tells_nothing(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(SESSION, deadline_ms=T0))
        await store.withdraw(SESSION, EXCLUDED)
        before = await dump(redis)
        assert await store.load_many([SESSION, "b"]) == [withdrawn_session(SESSION, 2, EXCLUDED), None]
        assert withdrawn_session(SESSION, 2, EXCLUDED).withdrawn
        assert await dump(redis) == before

    async def test_an_id_that_was_never_stored_is_kept_out_too(self, redis: Any, store: RedisStore) -> None:
        await store.withdraw(SESSION, EXCLUDED)
        assert await only_a_tombstone(redis) == 1
        assert (await store.apply(write(SESSION))).outcome is Outcome.REFUSED

    async def test_it_lasts_as_long_as_a_session(self, redis: Any, store: RedisStore) -> None:
        await store.withdraw(SESSION, EXCLUDED)
        assert TOMBSTONE_MS - 60_000 < await redis.pttl(META) <= TOMBSTONE_MS

    async def test_again_changes_nothing(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(SESSION))
        await store.withdraw(SESSION, EXCLUDED)
        before = await dump(redis)
        await store.withdraw(SESSION, EXCLUDED)
        assert await dump(redis) == before

    async def test_a_lost_reply_changes_nothing(self, redis: Any, redis_server: FoundRedis, store: RedisStore) -> None:
        await store.apply(write(SESSION))
        async with losing_replies(redis_server) as wire:
            other = RedisStore(connect(wire.url), LIMITS, lambda: T0)
            await other.withdraw(SESSION, EXCLUDED)
            await other.close()
        assert wire.lost == 1
        assert await only_a_tombstone(redis) == 2

    async def test_it_is_left_even_when_memory_is_full(self, redis: Any, store: RedisStore) -> None:
        await store.apply(write(SESSION, blocks=[block([0])], signals=[signal(session_id=SESSION)], deadline_ms=T0))
        await redis.config_set("maxmemory", 1)
        try:
            await store.withdraw(SESSION, EXCLUDED)
            await store.withdraw("new", EXCLUDED)
        finally:
            await redis.config_set("maxmemory", 0)
        assert list(await traces(redis)) == [META.encode()]
        assert await redis.exists("wince:session:{new}:meta")


class TestAtTheSameTime:
    async def test_an_owner_who_writes_on_leaves_nothing_behind(self, redis: Any, stores: list[RedisStore]) -> None:
        """The withdrawal begins anew when the session was written meanwhile; who told late takes that back."""
        for _ in range(10):
            await redis.flushall()
            await stores[0].apply(write(SESSION, signals=[signal("s0", session_id=SESSION)]))

            async def write_on() -> int:
                for base in range(1, 12):
                    new = signal(f"s{base}", session_id=SESSION)
                    tags = {f"tag-{base}": 1}
                    later = write(
                        SESSION, base=base, signals=[new], record_of=record(SESSION, tags=tags), deadline_ms=T0
                    )
                    if (await stores[0].apply(later)).outcome is Outcome.REFUSED:
                        return base
                return 12

            reached, _ = await asyncio.gather(write_on(), stores[1].withdraw(SESSION, EXCLUDED))
            assert await only_a_tombstone(redis) == reached + 1

    async def test_a_session_that_was_written_since_it_was_read_stays(
        self, redis: Any, redis_server: FoundRedis, stores: list[RedisStore]
    ) -> None:
        await stores[0].apply_many([write(SESSION), write(SESSION, base=1)])
        before = await dump(redis)
        client = connect(redis_server.url)
        keys = KeyNames("wince").session(SESSION)
        for version in (b"", b"1", b"3"):
            assert await client.run(
                Call(load_script("withdraw"), keys, (version, TOMBSTONE_MS, "id", EXCLUDED, T0))
            ) == [b""]
        await client.close()
        assert await dump(redis) == before

    async def test_who_tells_after_the_withdrawal_takes_it_back(self, redis: Any, stores: list[RedisStore]) -> None:
        async def withdraw(_writes: Sequence[SessionWrite]) -> None:
            await stores[1].withdraw(SESSION, EXCLUDED)

        others = write("other", signals=[signal("kept", session_id="other")])
        mine = write(SESSION, signals=[signal(session_id=SESSION)], deadline_ms=T0, shard="t/0")
        await stores[0].apply_many([mine, others], withdraw)
        assert list(await traces(redis)) == [META.encode()]
        assert [fields[b"id"] for _, fields in await redis.xrange("wince:project:{shop}:signals")] == [b"kept"]
        assert (await stores[0].apply_many([mine]))[0].outcome is Outcome.REFUSED

    async def test_signals_are_found_in_a_long_stream(self, redis: Any, stores: list[RedisStore]) -> None:
        mine = [signal(f"m{n}", session_id=SESSION) for n in range(3)]
        others = [signal(f"x{n}", session_id="other") for n in range(2_500)]
        await stores[0].apply(write(SESSION, signals=mine[:2]))
        await stores[0].apply(write("other", signals=others))
        await stores[0].apply(write(SESSION, base=1, signals=mine[2:]))
        await stores[1].withdraw(SESSION, EXCLUDED)
        assert list(await traces(redis)) == [META.encode()]
        assert await redis.xlen("wince:project:{shop}:signals") == 2_500

    async def test_a_load_finds_the_session_whole_or_withdrawn(self, stores: list[RedisStore]) -> None:
        for n in range(25):
            session_id = f"s{n}"
            await stores[0].apply(write(session_id, blocks=[block([0])], signals=[signal(session_id=session_id)]))
            loads = [stores[0].load(session_id) for _ in range(6)]
            *loaded, _ = await asyncio.gather(*loads, stores[1].withdraw(session_id, EXCLUDED))
            for found in loaded:
                assert found is not None
                assert found == withdrawn_session(session_id, 2, EXCLUDED) or (found.version, found.withdrawn) == (
                    1,
                    False,
                )


STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["load", "write", "write", "again", "withdraw"])), max_size=25
)


class TestAnyInterleaving:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(STEPS)
    async def test_two_owners_and_a_withdrawal(self, stores: list[RedisStore], steps: list[tuple[int, str]]) -> None:
        """One write wins each version, the same write is applied once, and after a withdrawal nothing comes back."""
        session_id = str(uuid.uuid4())
        known = [0, 0]
        last: dict[int, SessionWrite] = {}
        version, token, is_gone, outboxes = 0, "", False, [b""]
        for place, (who, what) in enumerate(steps):
            store = stores[who]
            if what == "withdraw":
                await store.withdraw(session_id, EXCLUDED)
                version, is_gone = version + (not is_gone), True
            elif what == "load":
                loaded = await store.load(session_id)
                known[who] = loaded.version if loaded else 0
                assert (known[who], bool(loaded and loaded.withdrawn)) == (version, is_gone)
                if loaded and not is_gone:
                    assert loaded.outbox == outboxes[-1]
            else:
                attempt = last.get(who) if what == "again" else None
                if attempt is None:
                    outbox = f"{who}/{place}".encode()
                    attempt = write(session_id, base=known[who], token=outbox.decode(), outbox=outbox)
                last[who] = attempt
                result = await store.apply(attempt)
                if is_gone or (attempt.base_version != version and attempt.token != token):
                    assert result.outcome is Outcome.REFUSED
                elif attempt.token == token:
                    assert result.outcome is Outcome.REPEATED
                else:
                    assert result.outcome is Outcome.APPLIED
                    version, token = version + 1, attempt.token
                    outboxes.append(attempt.outbox)
                    known[who] = version
                assert result.version == version
