"""A worker that is told to stop while the group deals partitions out."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import pytest_asyncio

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
