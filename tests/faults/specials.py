"""Trials that need a load or an order of their own. Each returns the strikes it proved, and what was found."""

import time

from tests.faults.arena import Arena, Outcome, Trial, Wave
from tests.faults.chaos import Strike, group_of, kill_all_workers, kill_worker, strike
from tests.faults.load import CALM, Mix
from tests.faults.recordings import prolong
from tests.servers.kafka_admin import delete_records, delete_topic
from tests.servers.waiting import until

HOT_BYTES = 60 << 20
END_SECONDS = 60.0


async def poison_flood(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """Four of five messages can never be read."""
    async with Trial(arena, "poison", seed) as trial:
        await _workers(trial, 2)
        wave = trial.make_wave(80, Mix(poison=0.8))
        poison = sum(message.is_poison for message in wave.messages)
        await trial.sender.send(wave.messages)
        struck = await strike(trial, wave, kill_worker, share=0.3)
        await trial.reached(wave, 1.0)
        return [struck._replace(fault="poison_flood", note=f"{poison} messages are poison")], await trial.judge()


async def hot_partition(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """Everything is in one partition, so that one worker has it all, and is killed."""
    async with Trial(arena, "hot-partition", seed) as trial:
        await _workers(trial, 2)
        wave = trial.make_wave(100, Mix(), only_partition=0)
        await trial.sender.send(wave.messages, only_partition=0)
        struck = await strike(trial, wave, kill_all_workers, share=0.3)
        await trial.reached(wave, 1.0)
        return [struck._replace(fault="hot_partition")], await trial.judge()


async def hot_session(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """One session grows over 50 MiB, another nearly so, while others go on; the workers are killed in between."""
    async with Trial(arena, "hot-session", seed) as trial:
        await _workers(trial, 2)
        largest = max(trial.recordings, key=lambda each: sum(len(batch.events) for batch in each.batches))
        size = sum(len(batch.events) for batch in largest.batches)
        hot = [
            trial.make_wave(1, CALM, recordings=[prolong(largest, share * HOT_BYTES // size // 4)]) for share in (3, 5)
        ]
        others = trial.make_wave(40, Mix())
        messages = [message for wave in (*hot, others) for message in wave.messages]
        wave = trial.as_wave(messages)
        await trial.sender.send(messages)
        struck = await strike(trial, wave, kill_all_workers, share=0.2)
        await trial.reached(others, 1.0)
        await trial.reached(hot[0], 1.0)
        sent = [sum(len(message.value) for message in each.messages) >> 20 for each in hot]
        capped = [key for wave in hot for key in wave.batches if await trial.end_reason(key) == "max_bytes"]
        assert capped == list(hot[1].batches), "the larger one is capped, and no other"
        note = f"sessions of {sent[0]} and {sent[1]} MiB"
        return [struck._replace(fault="hot_session", note=note)], await trial.judge()


async def topic_made_again(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """The topic is deleted and made again while sessions are under way; offsets start from zero."""
    async with Trial(arena, "made-again", seed) as trial:
        await _workers(trial, 2)
        whole = trial.make_wave(60, CALM)
        third = len(whole.messages) // 3
        first, second = trial.as_wave(whole.messages[:third]), trial.as_wave(whole.messages[third:])
        await trial.sender.send(first.messages)
        await trial.reached(first, 1.0)
        at = await trial.progress(whole)
        under_way = len(first.batches.keys() & second.batches.keys())
        started = time.monotonic()
        await delete_topic(trial.bootstrap, trial.topic("events"))
        await trial.create_events_topic()
        trial.journal.topic_made_again()
        await trial.sender.send(second.messages[:third])
        # What was read of the old topic and is not saved can be saved only by who has read it.
        await trial.moved_since(at, whole)
        struck = Strike("topic_made_again", at.done, at.left, time.monotonic() - started, f"{under_way} under way")
        await trial.sender.send(second.messages[third:])
        await strike(trial, whole, kill_all_workers, share=at.done / whole.total)
        await trial.reached(whole, 1.0)
        return [struck], await trial.judge()


async def out_of_range(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """Records are deleted unread while no worker is there; how many is counted, and the rest goes on."""
    async with Trial(arena, "out-of-range", seed) as trial:
        await _workers(trial, 2)
        first = trial.make_wave(30, CALM)
        await trial.sender.send(first.messages)
        at = await trial.reached(first, 1.0)
        statuses = await trial.stop_workers()
        assert statuses == [0, 0], f"SIGTERM ended workers with {statuses}"
        before = trial.journal.ends
        await trial.sender.send(trial.make_wave(30, CALM).messages)
        after = trial.journal.ends
        await delete_records(trial.bootstrap, trial.topic("events"), after)
        lost = trial.journal.forget(before, after)
        last = trial.make_wave(30, CALM)
        await trial.sender.send(last.messages)
        started = time.monotonic()
        await _workers(trial, 2)
        await trial.reached(last, 0.01)
        struck = Strike("out_of_range", at.done, last.total, time.monotonic() - started)
        await trial.reached(last, 1.0)
        counted = await trial.meter("wince_records_lost_total")
        assert counted == lost, f"{lost} records were deleted unread, {counted:g} were counted"
        return [struck._replace(note=f"{lost} records deleted unread, as many counted")], await trial.judge()


async def redis_emptied(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """Redis comes back with nothing at all: everything is read again from the start of the log."""
    async with Trial(arena, "emptied", seed) as trial:
        nothing = await arena.redis.snapshot()
        await _workers(trial, 2)
        wave = trial.make_wave(80, Mix())

        async def empty_redis(trial: Trial, wave: Wave) -> str:
            before = await trial.progress(wave)
            await trial.arena.redis.roll_back(nothing)
            return f"{before.done} batches gone"

        await trial.sender.send(wave.messages)
        struck = await strike(trial, wave, empty_redis, share=0.6)
        await trial.reached(wave, 1.0)
        return [struck], await trial.judge()


async def ends_in_silence(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """Sessions that nobody ends go silent; all workers die before they are due, and others end them in time."""
    async with Trial(arena, "silence", seed, settings={"session": {"idle_timeout": "8s"}}) as trial:
        await _workers(trial, 2)
        wave = trial.make_wave(60, CALM._replace(ends=False))
        await trial.sender.send(wave.messages)
        struck = await strike(trial, wave, kill_all_workers, share=0.5)
        await trial.reached(wave, 1.0)

        async def all_ended() -> bool:
            trial.check_alive()
            return await trial.ended(wave) == len(wave.batches)

        await until(all_ended, END_SECONDS, "the end of all sessions")
        return [struck._replace(fault="ends_in_silence")], await trial.judge()


async def restart_in_place(arena: Arena, seed: int) -> tuple[list[Strike], Outcome]:
    """A worker with a name of its own is killed and started again: its partitions wait for it, the others go on."""
    async with Trial(arena, "in-place", seed, settings={"kafka": {"session_timeout": "30s"}}) as trial:
        stays, restarts = trial.start_worker("stays"), trial.start_worker("restarts")
        await group_of(trial, 2)
        wave = trial.make_wave(80, Mix())
        before = await trial.meter_of(stays, "wince_rebalances_total")

        async def restart_in_place(trial: Trial, _wave: Wave) -> str:
            restarts.kill()
            trial.drop(restarts)
            trial.start_worker("restarts")
            return ""

        await trial.sender.send(wave.messages)
        struck = await strike(trial, wave, restart_in_place, share=0.2)
        await trial.reached(wave, 1.0)
        rebalances = await trial.meter_of(stays, "wince_rebalances_total") - before
        assert not rebalances, f"the other worker had {rebalances:g} rebalances"
        return [struck._replace(note="without a rebalance")], await trial.judge()


async def _workers(trial: Trial, count: int) -> None:
    for _ in range(count):
        trial.start_worker()
    await group_of(trial, count)


SPECIALS = (
    poison_flood,
    hot_partition,
    hot_session,
    topic_made_again,
    out_of_range,
    redis_emptied,
    ends_in_silence,
    restart_in_place,
)
