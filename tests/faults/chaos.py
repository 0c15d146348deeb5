"""The faults, and the proof that each struck while workers were at work."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from redis.exceptions import RedisError

from tests.faults.arena import Progress, Trial, Wave
from tests.servers.kafka_admin import members
from tests.servers.waiting import until

RECOVER_SECONDS = 120.0
JOIN_SECONDS = 60.0
LOST_REPLIES = 12
STORM_TURNS = 3


class Strike(NamedTuple):
    """One fault that struck: batches of the wave stored and not yet stored at that moment, and the time to recover.

    Recovered means: every partition that had something left goes on. `note` tells what else was seen.
    """

    fault: str
    done: int
    left: int
    recovery_seconds: float
    note: str = ""


Fault = Callable[[Trial, Wave], Awaitable[str]]
"""Strikes and heals; returns once everything that was taken away is back, with a note of what was seen."""


async def strike(trial: Trial, wave: Wave, fault: Fault, share: float) -> Strike:
    """Let a fault strike when so much of a wave is stored, and wait until all that was left goes on.

    Raises AssertionError if it came too early or too late to prove anything.
    """
    at = await trial.reached(wave, share)
    assert at.done > 0, "nothing was done yet"
    assert at.left > 0, "nothing was left to do: the wave is too small"
    started = time.monotonic()
    note = await fault(trial, wave)

    async def ask() -> Progress | None:
        trial.check_alive()
        try:
            now = await trial.progress(wave)
        except (RedisError, OSError):
            return None
        return now if now.has_moved_since(at) else None

    try:
        await until(ask, RECOVER_SECONDS, f"progress after {fault.__name__}")
    except TimeoutError as error:
        raise TimeoutError(f"{error}: {at}; {await trial.what_is_missing(wave)}") from error
    return Strike(fault.__name__, at.done, at.left, time.monotonic() - started, note)


async def group_of(trial: Trial, count: int) -> None:
    """Wait until the group has so many members and is not rebalancing."""

    async def ask() -> bool:
        trial.check_alive()
        return await members(trial.bootstrap, trial.name) == count

    await until(ask, JOIN_SECONDS, f"a group of {count} workers")


# -- workers ----------------------------------------------------------------------------------------------------


async def kill_worker(trial: Trial, _wave: Wave) -> str:
    """Kill one and start another in its place, as an orchestrator does."""
    victim = trial.rng.choice(trial.workers)
    victim.kill()
    trial.drop(victim)
    trial.start_worker()
    return ""


async def kill_all_workers(trial: Trial, _wave: Wave) -> str:
    """Kill all of them at once and start as many."""
    victims = list(trial.workers)
    for victim in victims:
        victim.kill()
        trial.drop(victim)
    for _ in victims:
        trial.start_worker()
    return f"{len(victims)} workers"


async def pause_worker(trial: Trial, wave: Wave) -> str:
    """Pause one until others have done its work; it wakes with everything it had in hand, and is refused."""
    victim = trial.rng.choice(trial.workers)
    before = await trial.progress(wave)
    victim.pause()
    try:
        after = await trial.reached(wave, 1.0)
    finally:
        victim.resume()
    await group_of(trial, len(trial.workers))
    return f"{after.done - before.done} batches done by others"


async def storm(trial: Trial, _wave: Wave) -> str:
    """Have workers join and leave, one after the other, faster than they can settle."""
    for _ in range(STORM_TURNS):
        trial.start_worker()
        await group_of(trial, len(trial.workers))
        leaver = trial.rng.choice(trial.workers)
        trial.drop(leaver)
        if trial.rng.random() < 0.5:
            leaver.kill()
        else:
            await asyncio.to_thread(leaver.stop)
    return f"{STORM_TURNS} joined and left"


async def roll_workers(trial: Trial, _wave: Wave) -> str:
    """Restart one after the other, as a deployment does; each has to end by itself and well."""
    for worker in list(trial.workers):
        trial.start_worker()
        trial.drop(worker)
        status = await asyncio.to_thread(worker.stop)
        assert status == 0, f"SIGTERM ended it with {status}: {worker.said()}"
    return ""


# -- Kafka ------------------------------------------------------------------------------------------------------


async def restart_broker(trial: Trial, _wave: Wave) -> str:
    """Stop a broker in good order and start it again."""
    broker = trial.rng.choice(trial.arena.kafka.brokers)
    await asyncio.to_thread(broker.stop)
    trial.arena.kafka.start()
    await trial.arena.kafka.ready()
    return ""


async def kill_broker(trial: Trial, _wave: Wave) -> str:
    """Kill a broker and start it again."""
    trial.rng.choice(trial.arena.kafka.brokers).kill()
    trial.arena.kafka.start()
    await trial.arena.kafka.ready()
    return ""


async def lose_broker(trial: Trial, wave: Wave) -> str:
    """Kill one of several brokers and go on without it for a while."""
    before = await trial.progress(wave)
    trial.rng.choice(trial.arena.kafka.brokers).kill()
    without = await trial.reached(wave, (before.done / wave.total + 1) / 2)
    trial.arena.kafka.start()
    await trial.arena.kafka.ready()
    return f"{without.done - before.done} batches done without it"


# -- Redis ------------------------------------------------------------------------------------------------------


async def kill_redis(trial: Trial, _wave: Wave) -> str:
    """Kill Redis; it comes back with its append-only file."""
    trial.arena.redis.kill()
    await trial.arena.redis.start()
    return ""


async def pause_redis(trial: Trial, _wave: Wave) -> str:
    """Pause Redis for longer than a moment: all that is asked of it waits, nothing is refused."""
    trial.arena.redis.pause()
    await asyncio.sleep(trial.rng.uniform(0.5, 2.0))
    trial.arena.redis.resume()
    return ""


async def roll_back_redis(trial: Trial, wave: Wave) -> str:
    """Put Redis back to a dump of a moment ago: everything stored since is gone and has to be read again."""
    dump = await trial.arena.redis.snapshot()
    before = await trial.progress(wave)
    share = (before.done / wave.total + 1) / 2
    later = await trial.reached(wave, share)
    await trial.arena.redis.roll_back(dump)
    # Not what is left after that: workers read it again at once.
    return f"{later.done - before.done} batches gone"


async def lose_replies(trial: Trial, wave: Wave) -> str:
    """Let Redis do what it is asked and lose its answers."""
    proxy = trial.arena.proxy
    before = proxy.cuts
    proxy.cut(LOST_REPLIES)

    async def ask() -> bool:
        trial.check_alive()
        return proxy.cuts >= before + LOST_REPLIES or not (await trial.progress(wave)).left

    await until(ask, RECOVER_SECONDS, "lost replies")
    proxy.cut_no_more()
    lost = proxy.cuts - before
    assert lost, "no reply was lost"
    return f"{lost} replies lost"


async def fill_redis(trial: Trial, _wave: Wave) -> str:
    """Leave Redis no room until it has refused writes, then give it room again."""
    redis = trial.arena.redis
    before = await redis.refusals()
    used = int((await trial.redis_info("memory"))["used_memory"])
    async with redis.client() as admin:
        await admin.config_set("maxmemory", str(used))

        async def ask() -> bool:
            trial.check_alive()
            return await redis.refusals() >= before + 5

        await until(ask, RECOVER_SECONDS, "writes refused for lack of memory")
        await admin.config_set("maxmemory", "0")
    refused = await redis.refusals() - before
    return f"{refused} writes refused"


EVERY_FAULT: tuple[Fault, ...] = (
    kill_worker,
    kill_all_workers,
    pause_worker,
    storm,
    roll_workers,
    restart_broker,
    kill_broker,
    kill_redis,
    pause_redis,
    roll_back_redis,
    lose_replies,
    fill_redis,
)
"""Those that may strike at any time; each leaves behind what it found."""

LOSS_OF_ONE_BROKER: tuple[Fault, ...] = (lose_broker, restart_broker, kill_worker)
"""What several brokers are for."""
