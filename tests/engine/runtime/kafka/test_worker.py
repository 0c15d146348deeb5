"""A worker that is told to stop while the group deals partitions out."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import pytest
import pytest_asyncio
from aiokafka import TopicPartition

from engine.core.shared import Shared
from engine.operate.health import Health
from engine.operate.registry import Meters
from engine.operate.traces import NO_TRACES
from engine.runtime.kafka.patience import Patience
from engine.runtime.kafka.records import Place
from engine.runtime.kafka.tools import Tools
from engine.runtime.kafka.worker import Worker
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.runtime.kafka.emitter import Emitter
    from replay.marks import Marks
    from replay.store import Store

PLACE = Place("events", 0)


@pytest_asyncio.fixture
async def worker() -> AsyncIterator[Worker]:
    """One that never reached Kafka; nothing is stored or told before it takes a partition over."""
    settings, meters, health = Settings(), Meters("test"), Health()
    tools = Tools(
        settings=settings,
        owner="test",
        shared=Shared(settings),
        store=cast("Store", None),
        marks=cast("Marks", None),
        emitter=cast("Emitter", None),
        patience=Patience(settings.worker, meters, health.beat),
        meters=meters,
        health=health,
        tracer=NO_TRACES,
        collect=lambda: None,
    )
    made = Worker(tools, 0)
    yield made
    await made._source.close()


async def test_nothing_is_started_after_the_drain(worker: Worker) -> None:
    await worker._drain()
    await worker._assigned([PLACE])
    assert not worker._tasks


async def test_a_partition_that_was_held_back_may_be_gone(worker: Worker) -> None:
    """Tasks of before still have full inboxes while partitions are dealt out anew."""
    worker._paused = {PLACE}
    worker._hold_back()
    assert not worker._paused


async def test_what_goes_wrong_while_partitions_are_dealt_out_ends_the_worker(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would log it and go on, with partitions that nobody works on."""

    async def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(worker, "_start_tasks", fail)
    with pytest.raises(ZeroDivisionError):
        await worker._source._listener.on_partitions_assigned({TopicPartition(*PLACE)})
    with pytest.raises(ZeroDivisionError):
        await worker._fetch_always()
