"""Of all who believe that they own a shard only the last to claim it moves its mark, whatever is repeated or lost."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from replay.errors import Saturated, Unavailable
from replay.marks import Claim, Mark, RedisMarks
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from tests.replay.samples import T0, write
from tests.replay.wires import dump, losing_replies
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHARD = "session-events/3"
LOG = "cluster/topic-id/3"


@pytest_asyncio.fixture(loop_scope="session")
async def marks(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[RedisMarks]:
    assert await redis.dbsize() == 0
    client = connect(redis_server.url)
    yield RedisMarks(client, "wince")
    await client.close()


class TestClaim:
    async def test_the_first_finds_no_mark(self, marks: RedisMarks) -> None:
        assert await marks.read(SHARD) is None
        assert await marks.claim(SHARD, "one") == Claim(1, None)
        assert await marks.read(SHARD) is None

    async def test_a_mark_that_was_never_moved_is_none_for_the_next_one_too(self, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        assert await marks.claim(SHARD, "two") == Claim(2, None)

    async def test_the_next_finds_the_mark_as_it_was(self, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        assert await marks.move(SHARD, "one", 1, LOG, 70)
        assert await marks.read(SHARD) == Mark(LOG, 70, "one", 2)
        assert await marks.claim(SHARD, "two") == Claim(3, Mark(LOG, 70, "one", 2))
        assert await marks.read(SHARD) == Mark(LOG, 70, "two", 3)

    async def test_shards_and_prefixes_stand_alone(self, marks: RedisMarks, redis_server: FoundRedis) -> None:
        client = connect(redis_server.url)
        other = RedisMarks(client, "other")
        await marks.claim(SHARD, "one")
        assert await marks.claim("session-events/4", "two") == Claim(1, None)
        assert await other.claim(SHARD, "three") == Claim(1, None)
        assert await marks.move(SHARD, "one", 1, LOG, 7)
        await client.close()

    async def test_it_never_expires(self, redis: Redis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        await marks.move(SHARD, "one", 1, LOG, 7)
        assert [await redis.ttl(key) for key in await redis.keys()] == [-1]


class TestMove:
    async def test_each_move_starts_where_the_one_before_ended(self, marks: RedisMarks) -> None:
        claim = await marks.claim(SHARD, "one")
        for step in range(3):
            assert await marks.move(SHARD, "one", claim.count + step, LOG, 7 * step)
        assert await marks.read(SHARD) == Mark(LOG, 14, "one", 4)

    async def test_it_may_go_back_and_to_another_log(self, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        assert await marks.move(SHARD, "one", 1, LOG, 1 << 62)
        assert await marks.move(SHARD, "one", 2, "another é", 0)
        assert await marks.read(SHARD) == Mark("another é", 0, "one", 3)

    async def test_who_was_replaced_moves_nothing(self, redis: Redis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        await marks.claim(SHARD, "two")
        before = await dump(redis)
        for count in range(5):
            assert not await marks.move(SHARD, "one", count, LOG, 7)
        assert await dump(redis) == before

    async def test_without_a_claim_nothing_moves(self, redis: Redis, marks: RedisMarks) -> None:
        assert not await marks.move(SHARD, "one", 0, LOG, 7)
        assert await redis.dbsize() == 0

    async def test_the_same_move_again_stands_and_changes_nothing(self, redis: Redis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        assert await marks.move(SHARD, "one", 1, LOG, 7)
        before = await dump(redis)
        assert await marks.move(SHARD, "one", 1, LOG, 7)
        assert not await marks.move(SHARD, "one", 1, LOG, 8)
        assert not await marks.move(SHARD, "one", 1, "another", 7)
        assert await dump(redis) == before
        assert await marks.move(SHARD, "one", 2, LOG, 9)
        assert not await marks.move(SHARD, "one", 1, LOG, 7)

    async def test_a_claim_is_not_taken_for_a_move(self, marks: RedisMarks) -> None:
        """An old run under the same name has lost the shard, even if the mark stands where it would move it to."""
        await marks.claim(SHARD, "one")
        await marks.move(SHARD, "one", 1, LOG, 7)
        assert (await marks.claim(SHARD, "one")).count == 3
        assert not await marks.move(SHARD, "one", 2, LOG, 7)

    async def test_a_server_put_back_to_an_older_dump_is_noticed(self, redis: Redis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        await marks.move(SHARD, "one", 1, LOG, 7)
        old = await redis.dump("wince:mark:{session-events%2F3}")
        await marks.move(SHARD, "one", 2, LOG, 8)
        await marks.move(SHARD, "one", 3, LOG, 9)
        await redis.restore("wince:mark:{session-events%2F3}", 0, old, replace=True)  # type: ignore[arg-type]
        assert not await marks.move(SHARD, "one", 4, LOG, 10)
        assert await marks.claim(SHARD, "one") == Claim(3, Mark(LOG, 7, "one", 2))


class TestLostReplies:
    async def test_a_claim_whose_reply_is_lost_is_one_claim(self, redis_server: FoundRedis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        await marks.move(SHARD, "one", 1, LOG, 7)
        async with losing_replies(redis_server) as wire:
            client = connect(wire.url)
            claim = await RedisMarks(client, "wince").claim(SHARD, "two")
            await client.close()
        assert wire.lost == 1
        assert claim == Claim(3, Mark(LOG, 7, "one", 2))
        assert await marks.move(SHARD, "two", 3, LOG, 8)

    async def test_a_first_claim_whose_reply_is_lost_finds_no_mark(
        self, redis_server: FoundRedis, marks: RedisMarks
    ) -> None:
        async with losing_replies(redis_server) as wire:
            client = connect(wire.url)
            assert await RedisMarks(client, "wince").claim(SHARD, "one") == Claim(1, None)
            await client.close()
        assert wire.lost == 1
        assert await marks.move(SHARD, "one", 1, LOG, 7)

    async def test_a_move_whose_reply_is_lost_has_moved(self, redis_server: FoundRedis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        async with losing_replies(redis_server) as wire:
            client = connect(wire.url)
            assert await RedisMarks(client, "wince").move(SHARD, "one", 1, LOG, 7)
            await client.close()
        assert wire.lost == 1
        assert await marks.read(SHARD) == Mark(LOG, 7, "one", 2)

    async def test_a_move_that_was_claimed_over_meanwhile_is_refused(
        self, redis_server: FoundRedis, marks: RedisMarks
    ) -> None:
        await marks.claim(SHARD, "one")
        async with losing_replies(redis_server, lambda: marks.claim(SHARD, "two")) as wire:
            client = connect(wire.url)
            assert not await RedisMarks(client, "wince").move(SHARD, "one", 1, LOG, 7)
            await client.close()
        assert await marks.read(SHARD) == Mark(LOG, 7, "two", 3)

    async def test_a_claim_that_was_claimed_over_meanwhile_is_a_claim_of_its_own(
        self, redis_server: FoundRedis, marks: RedisMarks
    ) -> None:
        async with losing_replies(redis_server, lambda: marks.claim(SHARD, "two")) as wire:
            client = connect(wire.url)
            claim = await RedisMarks(client, "wince").claim(SHARD, "one")
            await client.close()
        assert claim == Claim(3, None)
        assert not await marks.move(SHARD, "two", 2, LOG, 7)
        assert await marks.move(SHARD, "one", 3, LOG, 7)


class TestFailures:
    async def test_full_memory_is_saturated_and_changes_nothing(self, redis: Redis, marks: RedisMarks) -> None:
        await marks.claim(SHARD, "one")
        before = await dump(redis)
        await redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(Saturated):
                await marks.move(SHARD, "one", 1, LOG, 7)
            with pytest.raises(Saturated):
                await marks.claim(SHARD, "two")
        finally:
            await redis.config_set("maxmemory", 0)
        assert await dump(redis) == before
        assert await marks.move(SHARD, "one", 1, LOG, 7)

    async def test_a_server_that_is_gone_is_unavailable(self) -> None:
        client = connect("redis://127.0.0.1:1")
        with pytest.raises(Unavailable):
            await RedisMarks(client, "wince").claim(SHARD, "one")
        await client.close()


CLAIMS = st.tuples(st.just("claim"), st.integers(0, 2), st.just(0))
MOVES = st.tuples(st.just("move"), st.integers(0, 2), st.integers(-2, 0))
REPEATS = st.tuples(st.just("repeat"), st.integers(0, 2), st.just(0))


class TestAnyInterleaving:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.one_of(CLAIMS, MOVES, MOVES, REPEATS), max_size=30))
    async def test_no_two_owners_move_from_one_count(
        self, marks: RedisMarks, steps: list[tuple[str, int, int]]
    ) -> None:
        shard = str(uuid.uuid4())
        owner, count, mark = -1, 0, None
        counts = [0, 0, 0]
        last: dict[int, tuple[int, int]] = {}
        moved_from: set[int] = set()
        for offset, (what, who, lag) in enumerate(steps):
            name = f"owner-{who}"
            if what == "claim":
                claim = await marks.claim(shard, name)
                assert claim == Claim(count + 1, None if mark is None else Mark(LOG, mark, f"owner-{owner}", count))
                owner, count, counts[who] = who, claim.count, claim.count
                last.pop(who, None)
            elif what == "move":
                base = counts[who] + lag
                moved = await marks.move(shard, name, base, LOG, offset)
                assert moved == (who == owner and base == count)
                if moved:
                    assert base not in moved_from
                    moved_from.add(base)
                    last[who] = (base, offset)
                    count, counts[who], mark = base + 1, base + 1, offset
            elif who in last:
                base, old_offset = last[who]
                stands = who == owner and count == base + 1
                assert await marks.move(shard, name, base, LOG, old_offset) == stands
            found = await marks.read(shard)
            assert found == (None if mark is None else Mark(LOG, mark, f"owner-{owner}", count))


@pytest.mark.usefixtures("redis")
async def test_a_session_that_was_deleted_since_it_was_written_does_not_hold_the_mark_up(
    redis_server: FoundRedis,
) -> None:
    client = connect(redis_server.url)
    marks, store = RedisMarks(client, "wince"), RedisStore(client, StoreSettings(), lambda: T0)
    for session_id in ("deleted", "there"):
        await store.withdraw(session_id, "session_deleted")
    kept = write("kept-by-the-mark", token=uuid.uuid4().hex)
    await store.apply(kept)
    shard = uuid.uuid4().hex
    claim = await marks.claim(shard, "me")
    written = {"deleted": "token-before", "there": "", kept.session_id: kept.token}
    assert await marks.move(shard, "me", claim.count, "log", 7, written)
    assert not await marks.move(shard, "me", claim.count + 1, "log", 8, {kept.session_id: "another"})
    assert not await marks.move(shard, "me", claim.count + 1, "log", 8, {"lost": ""})
    await client.close()
