"""The queue of a partition: what is in it, how much that is, and how its reader waits."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.kafka.inbox import Inbox
from engine.runtime.kafka.records import OVERHEAD_BYTES, size_of
from tests.engine.runtime.kafka.memory_log import MemoryRecord
from tests.engine.runtime.kafka.virtual_time import run_in_virtual_time

sizes = st.lists(st.integers(0, 5_000), max_size=30)


def records(sizes: list[int]) -> list[MemoryRecord]:
    return [MemoryRecord(offset, 1_000 + offset, bytes(size)) for offset, size in enumerate(sizes)]


@given(sizes=sizes, max_records=st.integers(1, 10), max_bytes=st.integers(1, 10_000))
def test_portions_are_bounded_and_all_of_it_comes_in_order(sizes: list[int], max_records: int, max_bytes: int) -> None:
    async def program() -> None:
        inbox, put = Inbox(), records(sizes)
        inbox.put(put[: len(put) // 2])
        inbox.put(put[len(put) // 2 :])
        left, got = sum(map(size_of, put)), []
        while inbox:
            assert inbox.waiting_bytes == left
            portion = await inbox.take(max_records, max_bytes, 1.0)
            assert 1 <= len(portion) <= max_records
            assert len(portion) == 1 or sum(map(size_of, portion)) <= max_bytes
            assert inbox.waiting_bytes == left, "what is being processed is still in memory"
            assert inbox.oldest_ms == portion[0].timestamp
            inbox.done()
            left -= sum(map(size_of, portion))
            got += portion
        assert inbox.waiting_bytes == left == 0
        assert inbox.oldest_ms is None
        assert got == put

    run_in_virtual_time(program())


def test_a_record_without_a_value_takes_room_too() -> None:
    assert size_of(MemoryRecord(0, 0, b"")) == OVERHEAD_BYTES


def test_it_waits_for_records_for_so_long_and_no_longer() -> None:
    async def program() -> None:
        inbox, loop = Inbox(), asyncio.get_running_loop()
        assert await inbox.take(1, 1, 3.0) == []
        assert loop.time() == pytest.approx(3.0)
        loop.call_later(1.0, inbox.put, records([5]))
        assert len(await inbox.take(1, 1, 3.0)) == 1
        assert loop.time() == pytest.approx(4.0)

    run_in_virtual_time(program())


def test_whoever_waits_can_be_woken() -> None:
    async def program() -> None:
        inbox, loop = Inbox(), asyncio.get_running_loop()
        loop.call_later(1.0, inbox.wake)
        assert await inbox.take(1, 1, 3.0) == []
        assert loop.time() == pytest.approx(1.0)

    run_in_virtual_time(program())


def test_what_is_cleared_is_gone_and_takes_no_room() -> None:
    async def program() -> None:
        inbox = Inbox()
        inbox.put(records([1, 2, 3]))
        await inbox.take(1, 1_000, 1.0)
        inbox.clear()
        assert not inbox
        assert inbox.waiting_bytes == 0
        assert inbox.oldest_ms is None

    run_in_virtual_time(program())


def test_a_reader_that_is_cancelled_ends_even_when_records_come_or_its_wait_is_over_at_that_moment() -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        for cancelled_after in (0.5, 1.0):
            for record_after in (0.5, 1.0, 2.0):
                inbox = Inbox()
                reader = asyncio.create_task(_read_for_ever(inbox))
                await asyncio.sleep(0)
                loop.call_later(record_after, inbox.put, records([1]))
                loop.call_later(cancelled_after, reader.cancel)
                await asyncio.wait((reader,), timeout=10)
                assert reader.cancelled(), (cancelled_after, record_after)

    run_in_virtual_time(program())


async def _read_for_ever(inbox: Inbox) -> None:
    while True:
        await inbox.take(1, 1, 1.0)
