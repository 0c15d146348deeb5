"""Listening to topics, without a group and without a position."""

import uuid

import pytest
from aiokafka.admin import NewPartitions

from engine.cohorts.feed import Feed, Touched
from engine.errors import Unavailable
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import Message, withdrawal_message
from engine.settings import KafkaSettings
from tests.servers.kafka_admin import admin, create_topic
from tests.servers.kafka_broker import Kafka

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def topics(kafka: Kafka) -> KafkaSettings:
    name = uuid.uuid4().hex
    for kind in ("signals", "activity"):
        await create_topic(kafka.bootstrap, f"{kind}-{name}", 2)
    return KafkaSettings(
        bootstrap_servers=kafka.bootstrap, signals_topic=f"signals-{name}", activity_topic=f"activity-{name}"
    )


async def heard(feed: Feed, count: int) -> set[Touched]:
    found: set[Touched] = set()
    while len(found) < count:
        found.update(await feed.touched(500))
    return found


async def test_what_is_told_after_the_beginning_is_heard_and_what_is_unreadable_counted(kafka: Kafka) -> None:
    settings = await topics(kafka)
    emitter = Emitter(settings)
    await emitter.send([withdrawal_message("shop", "before", 0)])
    async with Feed(settings) as feed:
        strange = [Message("signal", "x", value) for value in (b"", b"[]", b'{"project_id": 3}', b"\xff")]
        await emitter.send([*strange, withdrawal_message("shop", "a", 0), withdrawal_message("other", "b", 0)])
        await emitter.send([Message("signal", "c", b'{"project_id": "shop", "session_id": "c", "new": [1]}')])
        assert await heard(feed, 3) == {Touched("shop", "a"), Touched("other", "b"), Touched("shop", "c")}
        assert feed.unreadable == 4
        assert await feed.touched(100) == []
    await emitter.close()


async def test_partitions_that_come_later_are_noticed(kafka: Kafka) -> None:
    settings = await topics(kafka)
    async with Feed(settings) as feed:
        assert not await feed.has_grown()
        async with admin(kafka.bootstrap) as client:
            await client.create_partitions({settings.activity_topic: NewPartitions(3)})
        while not await feed.has_grown():
            pass


async def test_topics_that_are_not_there_are_named(kafka: Kafka) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap, signals_topic="nothing", activity_topic="neither")
    with pytest.raises(Unavailable, match="there is no topic nothing and neither"):
        async with Feed(settings):
            raise AssertionError


async def test_a_kafka_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="cannot be listened to"):
        async with Feed(KafkaSettings(bootstrap_servers="127.0.0.1:1")):
            raise AssertionError
