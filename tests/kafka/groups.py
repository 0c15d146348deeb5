"""Consumers that remember what happened to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

SESSION_MS = 6_000
POLL_MS = 50


class Watched(ConsumerRebalanceListener):  # type: ignore[misc]
    """Remembers each assignment."""

    def __init__(self) -> None:
        self.assignments: list[list[int]] = []

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Say nothing: what counts is what is assigned next."""

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self.assignments.append(sorted(each.partition for each in assigned))


@asynccontextmanager
async def consumer(
    bootstrap: str, topic: str, group: str, instance: str | None = None, **options: Any
) -> AsyncIterator[tuple[AIOKafkaConsumer, Watched]]:
    chosen = {"auto_offset_reset": "earliest", "metadata_max_age_ms": 1_000, **options}
    made = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        group_instance_id=instance,
        enable_auto_commit=False,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=200,
        **chosen,
    )
    watched = Watched()
    made.subscribe([topic], listener=watched)
    try:
        await made.start()
        yield made, watched
    finally:
        await made.stop()


@asynccontextmanager
async def producer(bootstrap: str, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, **options)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def polling(
    consumers: Collection[AIOKafkaConsumer], is_done: Callable[[], bool | Awaitable[bool]], seconds: float = 30.0
) -> list[Any]:
    """Poll consumers until something is so; gives the records that came. Errors of polling are left to other tests."""
    records: list[Any] = []
    async with asyncio.timeout(seconds):
        while True:
            for each in consumers:
                with suppress(KafkaError):
                    for batch in (await each.getmany(timeout_ms=POLL_MS)).values():
                        records += batch
            done = is_done()
            if done if isinstance(done, bool) else await done:
                return records
