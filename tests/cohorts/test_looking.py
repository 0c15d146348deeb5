"""Single sessions that are touched: what becomes of their users, at which cost."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from engine.cohorts.opening import Parts, owned
from engine.cohorts.running import reconcile
from replay.redis_client import Operation, RedisClient
from tests.cohorts.world import DAY, Notebook, World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def parts(world: World) -> AsyncIterator[Parts]:
    """A cohort that is owned."""
    async with owned(world.parts(), 60_000, 0) as parts:
        yield parts


async def drain(parts: Parts) -> list[tuple[str, str]]:
    receiver = Notebook()
    while batch := await parts.keeping.next_batch(50, 0):
        receiver.note(batch)
        await parts.keeping.confirm(batch)
    return sorted(receiver.told())


async def test_a_session_that_meets_the_condition_lets_its_user_in_once(world: World, parts: Parts) -> None:
    await world.visit("a", "ada")
    await world.visit("calm", "eve", tags={})
    await world.visit("nobody", None)
    await parts.keeping.look(["a", "calm", "nobody", "never"])
    assert await drain(parts) == [("enter", "ada")]
    await world.visit("a2", "ada")
    await parts.keeping.look(["a", "a2"])
    assert await drain(parts) == []


async def test_a_session_that_meets_it_no_more_lets_its_user_go(world: World, parts: Parts) -> None:
    await world.visit("a", "ada")
    await parts.keeping.look(["a"])
    await drain(parts)
    await world.change("a", tags={})
    await parts.keeping.look(["a"])
    assert await drain(parts) == [("exit", "ada")]


async def test_a_session_that_was_withdrawn_lets_its_user_go_unless_another_one_holds_on(
    world: World, parts: Parts
) -> None:
    await world.visit("a", "ada")
    await world.visit("b", "bob", ago=DAY)
    await world.visit("b2", "bob")
    await parts.keeping.look(["a", "b", "b2"])
    await drain(parts)
    await world.delete("a", "b2")
    await parts.keeping.look(["a", "b2"])
    assert await drain(parts) == [("exit", "ada")]
    world.now_ms += 6 * DAY
    await parts.keeping.expire()
    assert await drain(parts) == [("exit", "bob")]


async def test_a_session_that_turns_out_to_be_somebody_elses_lets_one_go_and_another_come(
    world: World, parts: Parts
) -> None:
    await world.visit("a", "ada")
    await parts.keeping.look(["a"])
    await drain(parts)
    await world.change("a", user_id="bob")
    await parts.keeping.look(["a"])
    assert await drain(parts) == [("enter", "bob"), ("exit", "ada")]
    await world.delete("a")
    await parts.keeping.look(["a"])
    assert await drain(parts) == [("exit", "bob")]


async def test_what_is_not_yet_old_enough_waits(world: World) -> None:
    async with owned(world.parts(linger_ms=1_000), 60_000, 0) as parts:
        await world.visit("a", "ada")
        await parts.keeping.look(["a"])
        assert await drain(parts) == []
        world.now_ms += 1_001
        assert await drain(parts) == [("enter", "ada")]


class Counting:
    """Counts what is asked of Redis."""

    def __init__(self) -> None:
        self.pipelines = 0

    def called(self, operation: Operation, seconds: float, sent_bytes: int) -> None:  # noqa: ARG002 - as it is called
        self.pipelines += 1


async def test_a_touched_session_costs_the_same_in_a_large_cohort_as_in_a_small_one(world: World) -> None:
    costs = []
    for members in (3, 1_500):
        await world.visits([f"u{number}" for number in range(members)])
        counting = Counting()
        quiet, world.client = world.client, RedisClient(world.client._redis, counting)
        async with owned(world.parts(), 60_000, 0) as parts:
            await reconcile(parts.keeping, parts.matching, world.clock_ms)
            await world.visit(f"new-{members}", f"new-{members}")
            counting.pipelines = 0
            await parts.keeping.look([f"new-{members}"])
            await parts.keeping.expire()
            await world.delete(f"new-{members}")
            await parts.keeping.look([f"new-{members}"])
            costs.append(counting.pipelines)
            assert f"new-{members}" not in await parts.state.members([f"new-{members}"])
        world.client = quiet
    assert costs[0] == costs[1]
    assert 0 < costs[0] < 30
