"""What deletions leave of users in cohorts: nothing, once their receivers know or had the time to."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from engine.cohorts.keeping import EXIT_KEPT_MS
from engine.cohorts.state import KEPT_MS
from engine.delivery.posting import Posted
from replay.redis_store import wall_clock_ms
from tests.cohorts.test_follow import following, settings_for, told
from tests.cohorts.world import DAY, Notebook, World
from tests.replay.everything import everything
from tests.servers.kafka_broker import Kafka
from tests.servers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

USER = "ada-lovelace-1815"
AWAY = Posted("retry", 503, note="503")


async def is_anywhere(world: World, text: str) -> bool:
    """Say whether a text is anywhere in Redis, names of keys included."""
    return text.encode() in await everything(world.redis)


async def test_who_was_told_leaves_by_an_exit_and_is_nowhere_any_more(world: World) -> None:
    receiver = Notebook()
    await world.visit("s1", USER)
    await world.run(receiver)
    assert await is_anywhere(world, USER)
    await world.delete("s1")
    await world.run(receiver)
    assert receiver.told() == [("enter", USER), ("exit", USER)]
    assert not await is_anywhere(world, USER)


async def test_who_was_never_told_is_nowhere_any_more(world: World) -> None:
    await world.visit("s1", USER)
    parts = world.parts()
    await parts.state.claim()
    await parts.keeping.open()
    async for found in parts.matching.all(world.now_ms):
        await parts.keeping.observe(found.matches)
    await parts.state.release()
    assert await is_anywhere(world, USER)
    await world.delete("s1")
    receiver = Notebook()
    await world.run(receiver)
    assert receiver.told() == []
    assert not await is_anywhere(world, USER)


async def test_a_receiver_that_never_comes_back_keeps_nobody_for_good(world: World) -> None:
    receiver = Notebook()
    await world.visit("s1", USER)
    await world.visit("s2", "bob")
    await world.run(receiver)
    await world.delete("s1")
    declared = world.declared(patience_ms=1)
    receiver.answers = [AWAY] * 10_000
    assert (await world.run(receiver, declared)).ending == "unreachable"
    assert await is_anywhere(world, USER)
    world.now_ms += EXIT_KEPT_MS - DAY
    assert (await world.run(receiver, declared)).untold == 0
    assert await is_anywhere(world, USER)
    world.now_ms += 2 * DAY
    await world.visit("s3", "bob")
    report = await world.run(receiver, declared)
    assert report.untold == 1
    assert not await is_anywhere(world, USER)
    receiver.answers = []
    await world.run(receiver, declared)
    assert USER not in [user for _, user in receiver.told()[2:]]
    assert "bob" in receiver.members


async def test_a_cohort_nobody_runs_any_more_expires(world: World) -> None:
    await world.visit("s1", USER)
    await world.run(Notebook())
    keys = await world.redis.keys("wince:{cohorts:*")
    assert keys
    for key in keys:
        assert 0 < await world.redis.pttl(key) <= KEPT_MS


async def test_those_who_follow_hear_of_deletions_without_kafka(world: World, kafka: Kafka, tmp_path: Path) -> None:
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    out = tmp_path / "events.jsonl"
    await world.visit("s1", USER)
    async with following(settings, world, out):
        await told(out, [("enter", USER)])
        await world.delete("s1")
        await told(out, [("enter", USER), ("exit", USER)])

        async def is_forgotten() -> bool:
            with suppress(KeyError):  # a key was gone between being listed and being read
                return not await is_anywhere(world, USER)
            return False

        await until(is_forgotten, 30, "nothing of the user in Redis")


async def test_deletions_are_told_page_by_page(world: World) -> None:
    await world.visits([str(number) for number in range(3)])
    await world.delete("s-0", "s-1", "s-2", "never-stored")
    ((_, fields),) = await world.redis.xrange("wince:withdrawn")
    assert fields[b"project"] == b"shop"
    assert msgspec.json.decode(fields[b"sessions"]) == ["s-0", "s-1", "s-2"]
