"""A worker from end to end: a real broker on one side, a real Redis on the other."""

import asyncio
from collections.abc import Sequence
from itertools import chain

import msgspec
import pytest

from engine.errors import Broken
from engine.operate.meters import Count, Gauge
from replay.writes import SessionWrite, WriteResult
from tests.engine.core.batches import SESSION, T0, batch
from tests.engine.core.harness import sample_batches
from tests.kafka.groups import producer
from tests.kafka.workers import HOUR_MS, Running, Site, recorded, running, stored
from tests.servers.kafka_admin import create_topic, delete_records, delete_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.process import free_port
from tests.servers.redis_server import FoundRedis

SAMPLES = dict(sorted(sample_batches().items(), key=lambda item: sum(map(len, item[1])))[:6])
POISON = [b"\xff secret", b'{"v": 1, "secret": true}']


@pytest.fixture
def site(kafka: Kafka, redis_server: FoundRedis) -> Site:
    """An installation of one's own."""
    return Site(kafka, redis_server)


def mixed(samples: dict[str, list[bytes]]) -> list[bytes]:
    """Return the batches of several sessions, in turn."""
    turns = [[(place, batch) for place, batch in enumerate(batches)] for batches in samples.values()]
    return [batch for _, batch in sorted(chain.from_iterable(turns), key=lambda turn: turn[0])]


def small(numbers: range, session_id: str = SESSION) -> list[bytes]:
    return [batch(number, session_id=session_id) for number in numbers]


async def end_sessions(site: Site, worker: Running, session_ids: Sequence[str]) -> None:
    """Let an hour pass in which nothing happens."""
    site.skipped_ms += HOUR_MS

    async def all_ended() -> bool:
        async with stored(site) as redis:
            return {(await redis.record(session_id)).status for session_id in session_ids} == {"ended"}

    await worker.until(all_ended, "sessions that ended by the wall clock")


async def test_it_gives_what_the_same_input_gives_as_a_recording(site: Site) -> None:
    await site.create(partitions=2)
    names = sorted(SAMPLES)
    for partition in range(2):
        of_partition = {name: SAMPLES[name] for name in names[partition::2]}
        await site.send([*POISON, *mixed(of_partition), *SAMPLES[names[partition]][:1]], partition)
    async with running(site) as worker:
        await worker.reads_all()
        await end_sessions(site, worker, names)
    await recorded(site, mixed(SAMPLES), f"{site.name}-recorded")
    async with stored(site) as redis, stored(site, f"{site.name}-recorded") as other:
        content = await redis.content(names)
        assert content == await other.content(names)
        signal_ids = {signal.id for name in names for signal in await redis.store.signals(name)}
    ends = await site.ends()

    signals = await site.told(site.settings.kafka.signals_topic)
    assert sorted(each["id"] for each in signals) == sorted(signal_ids)
    activities = await site.told(site.settings.kafka.activity_topic)
    assert len({each["id"] for each in activities}) == len(activities)
    assert {each["session_id"] for each in activities if each["kind"] == "session_end"} == set(names)

    letters = await site.told(site.settings.kafka.dead_letters_topic)
    assert {(each["partition"], each["offset"]) for each in letters} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert len(letters) == 4
    assert {each["reason"] for each in letters} == {"not_json", "invalid_identifier"}
    assert "secret" not in str(letters)
    async with stored(site) as redis:
        marks = [await redis.mark(partition) for partition in range(2)]
    assert [mark.offset for mark in marks if mark] == [ends[0], ends[1]], "nothing has to be read again"
    assert await site.commits() == ends


async def test_who_comes_after_a_drain_has_nothing_to_read_again(site: Site) -> None:
    await site.create()
    await site.send(small(range(20)))
    async with running(site) as worker:
        await worker.reads_all()
    await site.send(small(range(20, 30)))
    async with running(site) as other:
        await other.reads_all()
        assert other.worker.counts.batches_read == 10
    async with stored(site) as redis:
        assert (await redis.record(SESSION)).totals.batches == 30


async def test_who_comes_after_a_crash_stores_nothing_twice(site: Site) -> None:
    await site.create()
    await site.send(small(range(20)))
    async with running(site) as worker:
        await worker.reads_all()
        for task in worker.worker._tasks.values():
            task.cancel()
        await asyncio.wait(worker.worker._tasks.values())
        worker.worker._partitions.clear()
    await site.send(small(range(20, 30)))
    async with running(site) as other:
        await other.reads_all()
        assert other.worker.counts.batches_read == 30, "the state was not stored"
    async with stored(site) as redis:
        assert (await redis.record(SESSION)).totals.batches == 30
        assert len([line async for line in redis.store.bundle(SESSION)]) == 30


async def test_two_workers_share_partitions_and_hand_over(site: Site) -> None:
    await site.create(partitions=4)
    names = [f"{number}1111111-2222-3333-4444-555555555555" for number in range(4)]

    async def send(numbers: range) -> None:
        for partition, name in enumerate(names):
            await site.send(small(numbers, name), partition)

    async with running(site) as one:
        await send(range(10))
        await one.reads_all()
        async with running(site) as two:

            async def shared() -> bool:
                return [len(each.worker._partitions) for each in (one, two)] == [2, 2]

            await one.until(shared, "two partitions each")
            await send(range(10, 20))
            await one.reads_all()
            assert min(each.worker.counts.batches_used for each in (one, two)) >= 20
        await send(range(20, 30))
        await one.reads_all()
        assert len(one.worker._partitions) == 4
    async with stored(site) as redis:
        for name in names:
            times = [msgspec.json.decode(line.event)["timestamp"] - T0 async for line in redis.store.bundle(name)]
            assert times == list(range(30))


async def test_without_marks_everything_is_read_again_and_nothing_is_stored_twice(site: Site) -> None:
    await site.create()
    await site.send(small(range(20)))
    async with running(site) as worker:
        await worker.reads_all()
    async with stored(site) as redis:
        await redis.marks._client._redis.delete(redis.marks._names.mark(f"{site.events}/0"))
    await site.send(small(range(20, 21)))
    async with running(site) as other:
        await other.reads_all()
        assert other.worker.counts.batches_read == 21
        assert other.meters.value(Count.PARTITION_RESETS, cause="mark_lost") == 1
    async with stored(site) as redis:
        assert len([line async for line in redis.store.bundle(SESSION)]) == 21


async def test_what_is_gone_before_it_was_read_is_told(site: Site) -> None:
    await site.create()
    await site.send(small(range(20)))
    async with running(site) as worker:
        await worker.reads_all()
    await site.send(small(range(20, 50)))
    await delete_records(site.bootstrap, site.events, {0: 45})
    async with running(site) as other:
        await other.reads_all()
        assert other.meters.value(Count.RECORDS_LOST) == 25
        assert other.meters.value(Count.PARTITION_RESETS, cause="out_of_range") == 1
        await end_sessions(site, other, [SESSION])
    async with stored(site) as redis:
        index = await redis.store.index(SESSION)
        assert index is not None
        assert [(hole.reason, hole.first_seq, hole.last_seq) for hole in index.holes] == [("gap", 20, 44)]


async def test_a_topic_made_again_is_read_from_its_start_by_one_at_work(site: Site) -> None:
    await site.create()
    await site.send(small(range(20)))
    async with running(site) as worker:
        await worker.reads_all()
        await delete_topic(site.bootstrap, site.events)
        await create_topic(site.bootstrap, site.events)
        await site.send(small(range(15, 40)))
        await worker.reads_all()
    async with stored(site) as redis:
        times = [msgspec.json.decode(line.event)["timestamp"] - T0 async for line in redis.store.bundle(SESSION)]
        assert times == list(range(40))


async def test_nothing_but_poison_stops_it(site: Site) -> None:
    site.change("worker", max_poison_in_row=50)
    await site.create()
    await site.send([b"x"] * 60)
    async with running(site) as worker:
        assert isinstance(await worker.ended(), Broken)


async def test_partitions_that_have_their_share_are_not_fetched_from(site: Site) -> None:
    site.change("worker", max_bytes_in_flight=20_000, poll_max_messages=5)
    await site.create()
    await site.send(small(range(300)))
    async with running(site) as worker:
        gate, store = asyncio.Event(), worker.tools.store
        apply_many = store.apply_many

        async def wait_first(writes: Sequence[SessionWrite], *arguments: object) -> list[WriteResult]:
            await gate.wait()
            return await apply_many(writes, *arguments)  # type: ignore[arg-type]

        store.apply_many = wait_first  # type: ignore[method-assign,assignment]

        async def is_paused(count: int) -> bool:
            worker.worker.refresh()
            return worker.meters.value(Gauge.PARTITIONS_PAUSED) == count

        await worker.until(lambda: is_paused(1), "a partition that is not fetched from")
        assert worker.meters.value(Gauge.BUFFERED_BYTES) < 2 * 20_000
        gate.set()
        await worker.reads_all()
        # The loop that fetches finds out by itself, a moment after the last write.
        await worker.until(lambda: is_paused(0), "partitions that are fetched from again")
    async with stored(site) as redis:
        assert (await redis.record(SESSION)).totals.batches == 300


async def test_sessions_end_also_where_the_last_offset_is_no_record(site: Site) -> None:
    """A producer that uses transactions leaves a marker at the end, which nobody reads."""
    site.change("worker", max_resident_sessions=1, max_unpacked_sessions=1)
    await site.create()
    names = [f"{number}1111111-2222-3333-4444-555555555555" for number in range(3)]
    async with producer(site.bootstrap, transactional_id=site.name) as made, made.transaction():
        for name in names:
            await made.send_and_wait(site.events, batch(0, session_id=name), partition=0)
    async with running(site) as worker:

        async def all_stored() -> bool:
            async with stored(site) as redis:
                return all([await redis.store.record(name) for name in names])

        await worker.until(all_stored, "sessions")
    assert (await site.ends())[0] == 4
    async with running(site) as other:
        await end_sessions(site, other, names)


class TestKafkaThatIsAway:
    async def test_a_worker_waits_for_it(self, site: Site) -> None:
        await site.create()
        await site.send(small(range(5)))
        port = free_port()
        host, _, real_port = site.bootstrap.rpartition(":")
        site.change("kafka", bootstrap_servers=f"127.0.0.1:{port}")

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there_reader, there_writer = await asyncio.open_connection(host, int(real_port))
            await asyncio.wait(
                [
                    asyncio.create_task(copy(reader, there_writer)),
                    asyncio.create_task(copy(there_reader, writer)),
                ]
            )

        async with running(site) as worker:

            async def has_tried() -> bool:
                return worker.meters.value(Count.RETRIES, kind="unavailable") >= 2

            await worker.until(has_tried, "attempts to reach Kafka")
            async with await asyncio.start_server(forward, "127.0.0.1", port):
                await worker.reads_all()
                await worker.stop()
        async with stored(site) as redis:
            assert (await redis.record(SESSION)).totals.batches == 5

    async def test_one_that_never_reached_it_can_be_stopped(self, site: Site) -> None:
        site.change("kafka", bootstrap_servers=f"127.0.0.1:{free_port()}")
        async with running(site) as worker:

            async def has_tried() -> bool:
                return worker.meters.value(Count.RETRIES, kind="unavailable") >= 1

            await worker.until(has_tried, "attempts to reach Kafka")
            await worker.stop()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
