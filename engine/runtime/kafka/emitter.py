"""Writes signals, activity and dead letters to their topics, and waits until they are safe there."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from engine.errors import Broken, Unavailable
from engine.runtime.kafka.client_options import producer_options
from engine.runtime.kafka.outbox import Message
from engine.settings import KafkaSettings
from schemas.dead_letter import DeadLetter

_ENCODE: Final = msgspec.json.Encoder().encode


class Emitter:
    """One producer for all partitions of this process. After an error it is made anew: what it had is sent again."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topics = {"signal": kafka.signals_topic, "activity": kafka.activity_topic}
        self._producer: Any = None
        self._lock = asyncio.Lock()

    async def connect(self) -> None:
        """Connect now, so that `send` can be counted on for the moment. Raises Unavailable."""
        await self._ready()

    async def send(self, messages: Sequence[Message]) -> None:
        """Send messages and wait for every acknowledgement. Raises Unavailable: send all of them again."""
        await self._send([(self._topics[each.channel], each.key, each.value) for each in messages])

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        """Send dead letters, keyed by partition, and wait. Raises Unavailable: send all of them again."""
        topic = self._kafka.dead_letters_topic
        await self._send([(topic, f"{letter.topic}/{letter.partition}", _ENCODE(letter)) for letter in letters])

    async def _send(self, messages: Sequence[tuple[str, str, bytes]]) -> None:
        if not messages:
            return
        producer = await self._ready()
        try:
            acknowledged = [
                await producer.send(topic, value=value, key=key.encode("utf-8", "surrogatepass"))
                for topic, key, value in messages
            ]
            await asyncio.gather(*acknowledged)
        except MessageSizeTooLargeError as error:
            raise Broken("a message is larger than kafka.max_request_bytes, or than its topic takes") from error
        except KafkaError as error:
            await self._discard(producer)
            raise Unavailable(f"Kafka does not take messages: {type(error).__name__}") from error

    async def _ready(self) -> Any:  # noqa: ANN401 - the client publishes no types
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(**producer_options(self._kafka))
                try:
                    await producer.start()
                except BaseException as error:
                    await producer.stop()
                    if isinstance(error, KafkaError | OSError):
                        raise Unavailable(f"Kafka cannot be reached: {type(error).__name__}") from error
                    raise
                self._producer = producer
            return self._producer

    async def _discard(self, producer: Any) -> None:  # noqa: ANN401 - the client publishes no types
        """Drop a producer that failed: one that lost its place in the order of its messages can't go on."""
        async with self._lock:
            if self._producer is producer:
                self._producer = None
                await _stop(producer)

    async def close(self) -> None:
        """Close the connections."""
        async with self._lock:
            if self._producer is not None:
                await _stop(self._producer)
                self._producer = None


async def _stop(producer: Any) -> None:  # noqa: ANN401 - the client publishes no types
    try:
        await asyncio.wait_for(producer.stop(), timeout=5)
    except (KafkaError, TimeoutError):
        return
