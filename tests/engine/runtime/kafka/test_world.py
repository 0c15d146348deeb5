"""Whatever happens to workers, store and log: what is stored and told in the end is what one calm run gives.

Faults injected: processes killed at any call to the outside (before it or after it took effect), calls that fail or
whose answer is lost, workers that sleep while others take over and then go on, partitions dealt out anew, drains,
stores put back to what they were, partitions added, topics made again, sessions let go of and loaded again.
Counters that have to be zero: events lost, doubled or out of order; signals, activities and dead letters missing or
made up.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import cache
from typing import NamedTuple

import msgspec
import pytest

from engine.settings import Settings, WorkerSettings
from schemas.envelope import Envelope
from schemas.signals import Signal
from tests.engine.core.harness import sample_batches
from tests.engine.runtime.kafka.virtual_time import run_in_virtual_time
from tests.engine.runtime.kafka.world import World

SESSIONS = 5
EVENTS_A_BATCH = 12
FAULTS_A_RUN = 6
POISON = b"\xff"


class Outcome(NamedTuple):
    """What is to be the same."""

    bundles: dict[str, list[tuple[str, bytes]]]
    tags: dict[str, dict[str, int]]
    statuses: dict[str, str]
    signals: dict[str, dict[str, Signal]]
    told_signals: set[str]
    told_activities: set[str]
    letters: set[tuple[str, str]]


def outcome(world: World) -> Outcome:
    slots = {id_: slot for id_, slot in sorted(world.data.slots.items()) if slot.record is not None}
    return Outcome(
        {session_id: world.data.bundle(session_id) for session_id in slots},
        {session_id: slot.record.tags for session_id, slot in slots.items() if slot.record},
        {session_id: slot.record.status for session_id, slot in slots.items() if slot.record},
        {session_id: slot.signals for session_id, slot in slots.items()},
        world.told.ids("signal"),
        world.told.ids("activity"),
        {(letter.topic, letter.reason) for letter in world.told.letters},
    )


def cut(batches: list[bytes], rng: random.Random) -> list[bytes]:
    """Cut the events of a session into many small batches."""
    small: list[bytes] = []
    counts: dict[str, int] = {}
    for batch in batches:
        envelope = msgspec.json.decode(batch, type=Envelope)
        events = msgspec.json.decode(envelope.events, type=list[msgspec.Raw])
        while events:
            size = rng.randrange(1, 2 * EVENTS_A_BATCH)
            part, events = events[:size], events[size:]
            seq = counts.get(envelope.window_id, 0)
            counts[envelope.window_id] = seq + 1
            body = msgspec.Raw(b"[" + b",".join(map(bytes, part)) + b"]")
            small.append(msgspec.json.encode(msgspec.structs.replace(envelope, seq=seq, events=body)))
    return small


@cache
def batches_of(seed: int) -> tuple[bytes, ...]:
    """Return the input: some recordings in small batches, mixed, some out of order or twice, and poison."""
    rng = random.Random(seed)
    recordings = sample_batches()
    arrivals: list[tuple[float, bytes]] = []
    small = sorted(recordings, key=lambda session_id: sum(map(len, recordings[session_id])))[: 2 * SESSIONS]
    for session_id in rng.sample(small, SESSIONS):
        start = rng.uniform(0, 40)
        for place, batch in enumerate(cut(recordings[session_id], rng)):
            at = start + 2 * place
            arrivals.append((at + (rng.uniform(0, 8) if rng.random() < 0.1 else 0.0), batch))
            if rng.random() < 0.05:
                arrivals.append((at + rng.uniform(0, 20), batch))
    arrivals += [(rng.uniform(0, 80), POISON) for _ in range(2)]
    return tuple(batch for _, batch in sorted(arrivals))


def some_settings(rng: random.Random) -> Settings:
    """Return settings under which everything happens often."""
    return Settings(
        worker=WorkerSettings(
            poll_max_messages=rng.choice([1, 3, 20]),
            max_resident_sessions=rng.choice([1, 2, 50_000]),
            max_unpacked_sessions=rng.choice([1, 3, 512]),
            save_interval_ms=rng.choice([1, 2_000, 60_000]),
            save_max_bytes=rng.choice([1_000, 50_000, 1 << 30]),
            mark_interval_ms=rng.choice([100, 5_000]),
        )
    )


@cache
def calm(seed: int) -> Outcome:
    """Return what one worker gives that nothing happens to."""

    async def program() -> Outcome:
        world = World(seed, Settings())
        world.start()
        await world.deal()
        world.produce(batches_of(seed))
        await world.end()
        return outcome(world)

    return run_in_virtual_time(program())


# -- faults ---------------------------------------------------------------------------------------------------------


async def moment(world: World) -> None:
    """Let some time pass: a call or two, some of a poll, some polls."""
    await asyncio.sleep(world.rng.random() * world.rng.choice([0.03, 0.3, 3.0]))


async def kill(world: World) -> None:
    """Kill a worker after any number of calls to the outside; another takes its place."""
    victim = world.rng.choice(world.nodes)
    victim.port.cut_after = victim.port.calls + world.rng.randrange(60)
    await moment(world)
    victim.kill()
    world.nodes.remove(victim)
    world.start()
    await world.deal()


async def sleep_and_wake(world: World) -> None:
    """Let a worker sleep in the middle of something until others have gone on with its partitions."""
    world.start()
    await world.fall_asleep(world.rng.choice(world.nodes[:-1]))
    await world.deal()
    await moment(world)
    await world.wake_up()


async def deal_anew(world: World) -> None:
    """Deal partitions out anew: some come back to where they were."""
    for _ in range(world.rng.randrange(1, 4)):
        await world.deal()
        await moment(world)


async def restart(world: World) -> None:
    """Drain a worker and start another."""
    leaver = world.rng.choice(world.nodes)
    await leaver.drain()
    world.nodes.remove(leaver)
    world.start()
    await world.deal()


async def roll_back(world: World) -> None:
    """Put the store back to what it was a moment ago."""
    dump = world.data.copy()
    await moment(world)
    world.data.put_back(dump)


async def make_topic_again(world: World) -> None:
    """Delete the topic and make it again, from a copy: offsets say something else now."""
    await world.make_topic_again()


async def add_partition(world: World) -> None:
    """Add a partition: sessions go on elsewhere while their earlier batches wait where they were."""
    if world.topic.partitions < 4:
        await world.add_partition()


FAULTS: tuple[Callable[[World], Awaitable[None]], ...] = (kill, sleep_and_wake, deal_anew, restart, roll_back)


LOG_FAULTS = (*FAULTS, make_topic_again, make_topic_again, add_partition, add_partition)


def struck(seed: int, faults: tuple[Callable[[World], Awaitable[None]], ...]) -> Outcome:
    """Return what comes out when faults strike while the input is being read."""
    rng = random.Random(seed)
    random.seed(seed)  # pauses between attempts are a matter of chance
    input_seed = seed % 4

    async def program() -> Outcome:
        world = World(seed, some_settings(rng), trouble=rng.choice([0.0, 0.01, 0.1]))
        world.start()
        world.start()
        await world.deal()
        batches = batches_of(input_seed)
        shares = sorted(rng.randrange(len(batches)) for _ in range(FAULTS_A_RUN))
        for start, stop in zip((0, *shares), (*shares, len(batches)), strict=True):
            world.produce(batches[start:stop])
            await moment(world)
            if stop < len(batches):
                await rng.choice(faults)(world)
        await world.end()
        return outcome(world)

    return run_in_virtual_time(program())


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_doubled_or_made_up(seed: int) -> None:
    found, expected = struck(seed, FAULTS), calm(seed % 4)
    for name in Outcome._fields:
        assert getattr(found, name) == getattr(expected, name), name


def times(found: Outcome) -> dict[str, list[tuple[str, int]]]:
    """Return windows and times of all events of each session, in playing order."""
    return {
        session_id: [(window_id, msgspec.json.decode(line)["timestamp"]) for window_id, line in bundle]
        for session_id, bundle in found.bundles.items()
    }


@pytest.mark.parametrize("seed", range(12))
def test_whatever_becomes_of_the_log_every_event_is_stored_once_and_in_order(seed: int) -> None:
    """What a state lacked in another log is not judged again, so signals and what is masked may differ."""
    found, expected = struck(seed, LOG_FAULTS), calm(seed % 4)
    assert times(found) == times(expected)
    assert set(found.statuses.values()) == {"ended"}
