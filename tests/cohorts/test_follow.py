"""`wince cohort follow` beside a real Kafka and a real Redis."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from engine.cli._cohort_follow import _follow_always
from engine.cohorts.watching import CohortMeters
from engine.operate.health import Health
from engine.operate.programs import COHORT_METERS
from engine.operate.registry import Meters
from engine.runtime.ending import end_tasks
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import Message, withdrawal_message
from engine.settings import KafkaSettings, Settings, StoreSettings
from replay.redis_exclusions import RedisExclusions
from replay.redis_store import wall_clock_ms
from schemas.activity import Activity
from tests.cohorts.world import World
from tests.servers.kafka_admin import create_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def settings_for(world: World, kafka: Kafka) -> Settings:
    """Make topics of one's own, and say where they are."""
    name = uuid.uuid4().hex
    for kind in ("signals", "activity"):
        await create_topic(kafka.bootstrap, f"{kind}-{name}", 2)
    told = KafkaSettings(
        bootstrap_servers=kafka.bootstrap, signals_topic=f"signals-{name}", activity_topic=f"activity-{name}"
    )
    return Settings(kafka=told, store=StoreSettings(redis_url=world.url))


@asynccontextmanager
async def following(settings: Settings, world: World, out: Path, window_ms: int = 3_600_000) -> AsyncIterator[None]:
    declared = world.declared(window_ms=window_ms)
    cohort = msgspec.structs.replace(declared.cohort, out=str(out))
    meters = CohortMeters(Meters("test", COHORT_METERS), wall_clock_ms)
    task = asyncio.create_task(_follow_always(settings, [declared._replace(cohort=cohort)], meters, Health()))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        await end_tasks([task])


def end_of(session_id: str) -> Message:
    activity = Activity(uuid.uuid4().hex, "session_end", "shop", session_id, 0, reason="idle", duration_ms=1)
    return Message("activity", session_id, msgspec.json.encode(activity))


def lines_of(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


async def told(out: Path, expected: Sequence[tuple[str, str]]) -> None:
    """Wait until exactly this was told, in this order."""

    async def lines() -> bool:
        events = lines_of(out)
        assert len(events) <= len(expected), events
        return [(event["event"], event["user_id"]) for event in events] == list(expected)

    await until(lines, 30, f"{expected}")


async def test_users_come_and_leave_as_it_happens(world: World, kafka: Kafka, tmp_path: Path) -> None:
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    out, emitter = tmp_path / "events.jsonl", Emitter(settings.kafka)
    await world.visit("before", "ada")
    await world.visit("calm", "eve", tags={})
    async with following(settings, world, out):
        await told(out, [("enter", "ada")])
        await world.visit("b", "bob")
        await emitter.send([end_of("b"), end_of("calm"), Message("activity", "x", b"no json")])
        await told(out, [("enter", "ada"), ("enter", "bob")])
        await world.delete("before")
        await emitter.send([withdrawal_message("shop", "before", 0)])
        await told(out, [("enter", "ada"), ("enter", "bob"), ("exit", "ada")])
        await world.change("b", tags={})
        await emitter.send([end_of("b")])
        await told(out, [("enter", "ada"), ("enter", "bob"), ("exit", "ada"), ("exit", "bob")])
        await until(lambda: is_forgotten(world), 30, "nothing kept of who left")
    await emitter.close()


async def is_all_told(world: World) -> bool:
    return not await world.redis.exists("wince:{cohorts:shop}:angry:due")


async def is_forgotten(world: World) -> bool:
    return not [*await world.traces_of("ada"), *await world.traces_of("bob")]


async def test_users_leave_when_their_time_is_over_and_nothing_happens(
    world: World, kafka: Kafka, tmp_path: Path
) -> None:
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    await world.visit("a", "ada")
    async with following(settings, world, tmp_path / "out", window_ms=5_000):
        await told(tmp_path / "out", [("enter", "ada"), ("exit", "ada")])


async def test_what_happened_while_nobody_followed_is_told_afterwards(
    world: World, kafka: Kafka, tmp_path: Path
) -> None:
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    await world.visit("a", "ada")
    async with following(settings, world, tmp_path / "out"):
        await told(tmp_path / "out", [("enter", "ada")])
        await until(lambda: is_all_told(world), 30, "that it was confirmed")
    await world.delete("a")
    await world.visit("b", "bob")
    async with following(settings, world, tmp_path / "out"):
        await told(tmp_path / "out", [("enter", "ada"), ("enter", "bob"), ("exit", "ada")])


async def test_a_second_one_waits_and_goes_on_when_the_first_is_gone(
    world: World, kafka: Kafka, tmp_path: Path
) -> None:
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    emitter = Emitter(settings.kafka)
    await world.visit("a", "ada")
    async with following(settings, world, tmp_path / "out"):
        await told(tmp_path / "out", [("enter", "ada")])
        await until(lambda: is_all_told(world), 30, "that it was confirmed")
        second = following(settings, world, tmp_path / "out")
        await second.__aenter__()
    await world.visit("b", "bob")
    await emitter.send([end_of("b")])
    await told(tmp_path / "out", [("enter", "ada"), ("enter", "bob")])
    await second.__aexit__(None, None, None)
    await emitter.close()


async def test_users_who_are_excluded_leave_within_the_next_look_at_everything(
    world: World, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.cohorts.following.LEAST_BETWEEN_MS", 500)
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    await world.visit("a", "ada")
    await world.visit("b", "bob")

    async def are(count: int) -> bool:
        return len(lines_of(tmp_path / "out")) == count

    async with following(settings, world, tmp_path / "out"):
        await until(lambda: are(2), 30, "two users")
        await RedisExclusions(world.client, "wince").add("shop", "ada")
        await until(lambda: are(3), 30, "an exit")
    last = lines_of(tmp_path / "out")[-1]
    assert (last["event"], last["user_id"]) == ("exit", "ada")


async def test_the_command_ends_when_it_is_told_to_and_lets_go_at_once(
    world: World, kafka: Kafka, tmp_path: Path
) -> None:
    settings = await settings_for(world, kafka)
    world.now_ms = wall_clock_ms()
    await world.visit("a", "ada")
    file = tmp_path / "cohorts.toml"
    text = f'[cohorts.angry]\nproject = "shop"\ncondition = "tag=rage_click"\nout = "{tmp_path / "out"}"\n'
    await asyncio.to_thread(file.write_text, text)
    told_by = settings.kafka
    variables = {
        "WINCE_STORE_REDIS_URL": world.url,
        "WINCE_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "WINCE_KAFKA_SIGNALS_TOPIC": told_by.signals_topic,
        "WINCE_KAFKA_ACTIVITY_TOPIC": told_by.activity_topic,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine.cli", "cohort", "follow", "--cohorts", str(file), env=os.environ | variables
    )
    await told(tmp_path / "out", [("enter", "ada")])
    await until(lambda: is_all_told(world), 30, "that it was confirmed")
    assert await world.parts().state.claim() > 0
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    assert await world.parts().state.claim() == 0
