"""What is told on topics is safe there, or it is said that it is not."""

import asyncio
import uuid

import pytest

from engine.errors import Broken, Unavailable
from engine.reasons import Reason
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import Message
from engine.settings import KafkaSettings
from schemas.dead_letter import DeadLetter
from tests.kafka.workers import Site
from tests.servers.kafka_admin import create_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.process import free_port
from tests.servers.redis_server import FoundRedis


@pytest.fixture
def site(kafka: Kafka, redis_server: FoundRedis) -> Site:
    return Site(kafka, redis_server)


async def test_messages_and_letters_are_there_when_it_returns(site: Site) -> None:
    await site.create()
    emitter = Emitter(site.settings.kafka)
    try:
        messages = [Message("signal", "\ud800", b"%d" % number) for number in range(100)]
        await emitter.send([*messages, Message("activity", "key", b"7")])
        await emitter.bury([DeadLetter("events", 3, 7, Reason.NOT_JSON, 5, 1)])
        await emitter.send([])
    finally:
        await emitter.close()
    kafka = site.settings.kafka
    assert await site.told(kafka.signals_topic) == list(range(100))
    assert await site.told(kafka.activity_topic) == [7]
    (letter,) = await site.told(kafka.dead_letters_topic)
    assert letter == {"topic": "events", "partition": 3, "offset": 7, "reason": "not_json", "size_bytes": 5, "t": 1}


async def test_what_no_topic_takes_is_not_tried_for_ever(kafka: Kafka) -> None:
    topic = f"test-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic, settings={"max.message.bytes": "2000"})
    emitter = Emitter(KafkaSettings(bootstrap_servers=kafka.bootstrap, signals_topic=topic, compression="none"))
    try:
        with pytest.raises(Broken, match="larger than"):
            await emitter.send([Message("signal", "key", bytes(100_000))])
        with pytest.raises(Broken, match="larger than"):
            await emitter.send([Message("signal", "key", bytes(20_000_000))])
        await emitter.send([Message("signal", "key", b"1")])
    finally:
        await emitter.close()


async def test_without_kafka_it_says_so_and_may_be_given_up() -> None:
    emitter = Emitter(KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}", retry_backoff_ms=10))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await emitter.connect()
    connecting = asyncio.create_task(emitter.connect())
    await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.wait((connecting,))
    await emitter.close()
