"""Which sessions were touched, as Kafka tells it: from the ends of two topics on, in no consumer group.

Positions are not kept: whoever begins to listen looks at all sessions once afterwards, and misses nothing.
"""

from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from engine.errors import Unavailable
from engine.operate.logs import get_logger
from engine.runtime.kafka.client_options import consumer_options
from engine.settings import KafkaSettings

MAX_RECORDS: Final = 2_000
"""Messages taken at a time."""


class Touched(NamedTuple):
    """A session of which something was told."""

    project_id: str
    session_id: str


class _Named(msgspec.Struct, gc=False):
    """What a signal and an activity have in common."""

    project_id: str
    session_id: str


_decode: Final = msgspec.json.Decoder(_Named).decode


class Feed:
    """Listens to signals and activities; use it with `async with`. Methods raise Unavailable: then begin anew."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topics = (kafka.signals_topic, kafka.activity_topic)
        self._consumer: Any = None
        self._partitions: frozenset[TopicPartition] = frozenset()
        self.unreadable = 0

    async def __aenter__(self) -> Self:
        """Begin at the ends of the topics: what is told from now on is heard."""
        options = consumer_options(self._kafka, 0) | {
            "group_id": None, "group_instance_id": None, "auto_offset_reset": "latest"
        }  # fmt: skip
        self._consumer = AIOKafkaConsumer(**options)
        try:
            await self._consumer.start()
            self._partitions = await self._known_partitions()
            self._consumer.assign(sorted(self._partitions))
            await self._consumer.seek_to_end()
            for partition in self._partitions:
                await self._consumer.position(partition)
        except BaseException as error:
            await self._consumer.stop()
            if isinstance(error, KafkaError | OSError):
                raise _away(error) from error
            raise
        return self

    async def _known_partitions(self) -> frozenset[TopicPartition]:
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001 - what is public knows its own only
        found = [(topic, cluster.partitions_for_topic(topic)) for topic in self._topics]
        missing = [topic for topic, numbers in found if not numbers]
        if missing:
            raise Unavailable(f"there is no topic {' and '.join(missing)}: wince topics --apply makes it")
        return frozenset(TopicPartition(topic, number) for topic, numbers in found for number in numbers)

    async def touched(self, wait_ms: int) -> list[Touched]:
        """Give sessions that were touched since the last call, each once; wait for the first one, if there is none."""
        try:
            found = await self._consumer.getmany(timeout_ms=wait_ms, max_records=MAX_RECORDS)
        except KafkaError as error:
            raise _away(error) from error
        touched, unreadable = dict[Touched, None](), 0
        for records in found.values():
            for record in records:
                try:
                    named = _decode(record.value or b"")
                except (msgspec.DecodeError, UnicodeDecodeError):
                    unreadable += 1
                    continue
                touched[Touched(named.project_id, named.session_id)] = None
        if unreadable:
            self.unreadable += unreadable
            get_logger().warning("messages_unreadable", count=unreadable)
        return list(touched)

    async def has_grown(self) -> bool:
        """Say whether there are partitions that are not listened to: then begin anew."""
        try:
            return await self._known_partitions() != self._partitions
        except KafkaError as error:
            raise _away(error) from error

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no longer."""
        await self._consumer.stop()


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"Kafka cannot be listened to: {type(error).__name__}")
