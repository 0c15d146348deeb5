"""Faust as a transport: our clients with our options under its agents, and where reading starts is decided by us.

Faust keeps nothing: no tables, no changelogs, no topics of its own, no files. Its offsets are hints (decision 0063).
"""

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from typing import Any, ClassVar, Final, cast

import aiokafka
import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, NoOffsetForPartitionError
from faust.transport.drivers import aiokafka as driver

from engine.errors import Broken, Unavailable
from engine.runtime.kafka.client_options import Options, consumer_options, producer_options
from engine.runtime.kafka.records import Place
from engine.settings import KafkaSettings

Starts = Callable[[AbstractSet[Place], Mapping[Place, int]], Awaitable[Mapping[Place, int]]]
"""Given the partitions assigned and what was committed of them, says where each is read from."""

Safe = Callable[[], Mapping[Place, int]]
"""Says up to where each partition is safe."""

_IS_FETCHING: Final = ContextVar("_IS_FETCHING", default=False)

COMMIT_SECONDS: Final = 1.0
BUFFERED_RECORDS: Final = 1_024


class _Thread(driver.AIOKafkaConsumerThread):
    """Fetches with the options of our settings."""

    def _create_consumer(self, loop: object) -> AIOKafkaConsumer:  # noqa: ARG002 - Faust gives it
        # Faust sets it where it makes a consumer itself.
        self._assignor = None
        return AIOKafkaConsumer(**cast("AlertsApp", self.app).consumer_options)

    async def _fetch_records(
        self,
        consumer: Any,  # noqa: ANN401 - as Faust has it
        active_partitions: Any,  # noqa: ANN401 - as Faust has it
        timeout: float | None = None,  # noqa: ASYNC109 - as Faust has it
        max_records: int | None = None,
    ) -> Any:  # noqa: ANN401 - as Faust has it
        try:
            return await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        except NoOffsetForPartitionError:
            return {}  # newly assigned, and not sought yet


class _Consumer(driver.Consumer):
    """Starts where we say, and commits what we say."""

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - as Faust has it
        _IS_FETCHING.set(True)
        await super()._drain_messages(fetcher)

    async def perform_seek(self) -> None:
        """Have every assigned partition read from where it has to be."""
        if _IS_FETCHING.get():
            return  # a fetch ended in the middle of a rebalance, which will have us seek when it is over
        assigned = {Place(*each) for each in self.assignment()}
        commits = await self._commits(assigned)
        starts = await cast("AlertsApp", self.app).starts(assigned, commits)
        await self._thread.seek_wait({_partition(place): offset for place, offset in starts.items()})
        for place, offset in starts.items():
            self._read_offset[_partition(place)] = offset or None
            commit = commits.get(place, -1)
            self._committed_offset[_partition(place)] = commit if 0 <= commit <= offset else None

    async def force_commit(self, topics: object = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - as Faust has it
        """Commit what is safe.

        Faust goes by what was acknowledged since it was assigned. So it never says what is known to be safe where
        reading starts, and takes for done what a commit that failed was to say: others wait for both in vain.
        """
        for counted in (self._acked, self._acked_index, self._gap):
            counted.clear()
        safe = {_partition(place): offset for place, offset in cast("AlertsApp", self.app).safe().items()}
        assigned = self.assignment()
        news = {each: offset for each, offset in safe.items() if each in assigned and self._should_commit(each, offset)}
        if not news or not await self._commit(news):
            return False
        self._committed_offset.update(news)
        return True

    async def _commits(self, assigned: AbstractSet[Place]) -> dict[Place, int]:
        offsets = await self._thread.call_thread(self._read_commits, [_partition(place) for place in assigned])
        return {Place(*partition): offset for partition, offset in offsets.items()}

    async def _read_commits(self, partitions: list[Any]) -> dict[Any, int]:
        consumer = self._thread._ensure_consumer()  # noqa: SLF001 - it has no public name
        found = {partition: await consumer.committed(partition) for partition in partitions}
        return {partition: -1 if offset is None else int(offset) for partition, offset in found.items()}


class _Producer(driver.Producer):
    """Writes with the options of our settings."""

    def _new_producer(self, transactional_id: str | None = None) -> AIOKafkaProducer:  # noqa: ARG002 - there are none
        return AIOKafkaProducer(**cast("AlertsApp", self.app).producer_options)


class _Transport(driver.Transport):
    Consumer: ClassVar[type] = _Consumer
    Producer: ClassVar[type] = _Producer


class AlertsApp(faust.App):
    """A Faust application with nothing of its own on disk or in Kafka. Made anew for each time in the group."""

    def __init__(self, kafka: KafkaSettings, process_number: int, starts: Starts, safe: Safe) -> None:
        self.consumer_options: Options = consumer_options(kafka, process_number)
        self.producer_options: Options = producer_options(kafka)
        self.starts = starts
        self.safe = safe
        super().__init__(
            kafka.group_id,
            broker=[f"kafka://{server}" for server in kafka.servers],
            broker_commit_interval=COMMIT_SECONDS,
            broker_request_timeout=kafka.request_timeout_ms / 1_000,
            broker_session_timeout=kafka.session_timeout_ms / 1_000,
            store="memory://",
            stream_buffer_maxsize=BUFFERED_RECORDS,
            stream_recovery_delay=0.0,
            stream_wait_empty=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
        )

    def _create_directories(self) -> None:
        """Faust would make some for its tables."""

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> _Transport:
        return _Transport(self.conf.broker_producer, self)

    def raw_topic(self, *names: str) -> Any:  # noqa: ANN401 - Faust is untyped
        """Name topics whose records are taken as they are."""
        return self.topic(
            *names,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
            internal=True,
        )

    def end_offset(self, place: Place) -> int | None:
        """Return the offset after a partition's last record, as last heard; `None` if nothing was."""
        try:
            found: int | None = self.consumer.highwater(_partition(place))  # also if it never heard
        except (KafkaError, AssertionError, faust.exceptions.FaustError):
            return None
        return found

    async def send_record(self, place: Place, key: bytes, value: bytes, timestamp_ms: int) -> Awaitable[object]:
        """Write a record; what is returned is done when it is safe. Raises Unavailable."""
        try:
            sent: Awaitable[object] = await self.producer.send(
                place.topic, key, value, place.partition, timestamp_ms / 1_000 + 0.000_1, None
            )
        except (KafkaError, faust.exceptions.FaustError) as error:
            raise Unavailable(f"Kafka does not take records: {type(error).__name__}") from error
        return sent


def _partition(place: Place) -> aiokafka.TopicPartition:
    return faust.types.TP(place.topic, place.partition)


def as_ours(error: BaseException) -> BaseException:
    """Say which of our kinds an error is by which Faust or its clients ended."""
    if isinstance(error, KafkaError):
        kind = Unavailable if getattr(error, "retriable", False) else Broken
        return kind(f"Kafka cannot be used: {type(error).__name__}")
    return error
