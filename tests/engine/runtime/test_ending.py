"""Tasks end, also where a cancellation is lost."""

import asyncio

import pytest

from engine.runtime.ending import end_tasks

pytestmark = pytest.mark.asyncio


async def test_a_task_that_loses_a_cancellation_ends() -> None:
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if lost == 1:
                    raise
                lost += 1

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end_tasks([task], again_seconds=0.01)
    assert task.cancelled()
    assert lost == 1


async def test_a_task_may_end_in_its_own_time() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0.02)
            ended.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert ended == [True]


async def test_what_tasks_raise_is_not_told() -> None:
    async def work() -> None:
        raise ValueError

    tasks = [asyncio.create_task(work()), asyncio.create_task(asyncio.sleep(3_600))]
    await asyncio.sleep(0)
    await end_tasks(tasks)
    assert isinstance(tasks[0].exception(), ValueError)
    await end_tasks([])


async def test_who_is_cancelled_meanwhile_leaves_nobody_behind() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(3_600)
        finally:
            await asyncio.sleep(0.02)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_tasks([task]))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    assert task.cancelled()
