"""The consumer behind a small interface: assignment and fetching, nothing else.

Everything the worker knows of the client is here and in `client_options`, so that another client can take its place.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)

from engine.errors import Broken, Unavailable
from engine.runtime.kafka.client_options import consumer_options
from engine.runtime.kafka.log_identity import LogIdentity, read_log_identities
from engine.runtime.kafka.positions import Bounds
from engine.runtime.kafka.records import Place, Record
from engine.settings import KafkaSettings

DEALING_SECONDS: Final = 1.0
"""How long fetching waits for partitions that are being dealt out; the client itself would wait without an end."""

COMMIT_WITHIN_SECONDS: Final = 5.0
"""A commit is a hint. The client would try it for as long as Kafka is away."""

CLOSE_WITHIN_SECONDS: Final = 5.0
"""Leaving the group in good order may have to wait for others; they notice all the same."""

FRESH_MS: Final = 5_000
"""What the broker last said of a partition's end counts as current for this long: it is asked all the time."""


class NotOwnerError(Exception):
    """The group gave the partition to somebody else, or is about to."""


class OutOfRangeError(Exception):
    """The offsets that were to be read next are not there; `places` says where."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__("offset out of range")
        self.places = places


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the client publishes no types
    def __init__(
        self,
        assigned: Callable[[list[Place]], Awaitable[None]],
        revoked: Callable[[list[Place]], Awaitable[None]],
    ) -> None:
        self._assigned = assigned
        self._revoked = revoked

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._assigned(_places(assigned))

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._revoked(_places(revoked))


class KafkaSource:
    """One member of the consumer group.

    `assigned` and `revoked` are called when the group deals partitions out; they must not raise, and `revoked` has to
    be done within the rebalance timeout. A partition is fetched from when it was sought.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        process_number: int,
        assigned: Callable[[list[Place]], Awaitable[None]],
        revoked: Callable[[list[Place]], Awaitable[None]],
    ) -> None:
        self._topic = kafka.events_topic
        self._options = consumer_options(kafka, process_number)
        self._consumer: Any = AIOKafkaConsumer(**self._options)
        self._listener = _Listener(assigned, revoked)

    async def start(self) -> None:
        """Connect. Raises Unavailable if no broker answers."""
        try:
            await self._consumer.start()
        except (KafkaError, OSError) as error:
            await self._consumer.stop()
            self._consumer = AIOKafkaConsumer(**self._options)  # one that was stopped does not start again
            raise Unavailable(f"Kafka cannot be reached: {type(error).__name__}") from error

    def join(self) -> None:
        """Join the group, some time from now on."""
        self._consumer.subscribe([self._topic], listener=self._listener)

    async def close(self) -> None:
        """Leave; a static member keeps its partitions for the session timeout."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN_SECONDS):
                await self._consumer.stop()
        except TimeoutError:
            await self._consumer._client.close()  # noqa: SLF001 - what is left of it

    async def fetch(self, timeout_ms: int, max_records: int) -> Mapping[Place, Sequence[Record]]:
        """Return what was fetched, or nothing after a while, be it because the group is dealing partitions out.

        Raises OutOfRangeError; Unavailable for what passes; Broken for what only an operator can mend.
        """
        try:
            async with asyncio.timeout(timeout_ms / 1_000 + DEALING_SECONDS):
                fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        except TimeoutError:
            return {}
        except OffsetOutOfRangeError as error:
            raise OutOfRangeError(_places(error.args[0])) from error
        except NoOffsetForPartitionError:
            return {}  # newly assigned, and not sought yet
        except TopicAuthorizationFailedError as error:
            raise Broken("Kafka does not allow reading the topic") from error
        except KafkaError as error:
            raise _as_ours(error) from error
        return {Place(*place): records for place, records in fetched.items()}

    def seek(self, place: Place, offset: int) -> None:
        """Fetch from this offset. Raises NotOwnerError."""
        try:
            self._consumer.seek(TopicPartition(*place), offset)
        except IllegalStateError as error:
            raise NotOwnerError from error

    def pause(self, places: Sequence[Place]) -> None:
        """Fetch nothing from these partitions for now; those that are not assigned are left out."""
        self._consumer.pause(*self._assigned(places))

    def resume(self, places: Sequence[Place]) -> None:
        """Fetch from these partitions again."""
        self._consumer.resume(*self._assigned(places))

    def _assigned(self, places: Sequence[Place]) -> list[TopicPartition]:
        assigned = self._consumer.assignment()
        return [TopicPartition(*place) for place in places if place in assigned]

    def is_gone(self) -> bool:
        """Return whether the topic was not there when brokers were last asked."""
        return self._consumer._client.cluster.partitions_for_topic(self._topic) is None  # noqa: SLF001 - no public name

    def end_offset(self, place: Place) -> int | None:
        """Return the offset after the partition's last record; `None` if the broker has not told it lately."""
        partition = TopicPartition(*place)
        try:
            told_ms = self._consumer.last_poll_timestamp(partition)
            stable, end = self._consumer.last_stable_offset(partition), self._consumer.highwater(partition)
        except (KafkaError, AssertionError):
            return None
        if told_ms is None or time.time_ns() // 1_000_000 - told_ms > FRESH_MS:
            return None
        return int(end if stable is None or stable < 0 else stable)

    async def is_read(self, place: Place) -> bool:
        """Return whether everything was fetched that the broker had lately; markers of transactions are no records."""
        end = self.end_offset(place)
        try:
            return end is not None and await self._consumer.position(TopicPartition(*place)) >= end
        except KafkaError:
            return False

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Tell the group how far its partitions are worked off. Raises NotOwnerError, Unavailable."""
        try:
            async with asyncio.timeout(COMMIT_WITHIN_SECONDS):
                await self._consumer.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
        except TimeoutError as error:
            raise Unavailable("Kafka does not take the commit: there is no answer") from error
        except (CommitFailedError, IllegalStateError) as error:
            raise NotOwnerError from error
        except KafkaError as error:
            raise Unavailable(f"Kafka does not take the commit: {type(error).__name__}") from error

    async def committed(self, place: Place) -> int:
        """Return what was committed; -1 if nothing was. Raises Unavailable."""
        try:
            offset = await self._consumer.committed(TopicPartition(*place))
        except IllegalStateError as error:
            raise NotOwnerError from error
        except KafkaError as error:
            raise Unavailable(f"Kafka does not tell the commit: {type(error).__name__}") from error
        return -1 if offset is None else int(offset)

    async def bounds(self, place: Place) -> Bounds:
        """Return which offsets the partition has. Raises Unavailable."""
        partition = TopicPartition(*place)
        try:
            begin = await self._consumer.beginning_offsets([partition])
            end = await self._consumer.end_offsets([partition])
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka does not tell its offsets: {type(error).__name__}") from error
        return Bounds(int(begin[partition]), int(end[partition]))

    async def identity(self) -> LogIdentity:
        """Return which cluster and which making of the topic this is. Raises Unavailable, Broken."""
        return await read_log_identities(self._consumer._client, self._topic)  # noqa: SLF001 - it has no public name


def _places(partitions: object) -> list[Place]:
    return [Place(*partition) for partition in cast("set[TopicPartition]", partitions)]


def _as_ours(error: KafkaError) -> Exception:
    if getattr(error, "retriable", False):
        return Unavailable(f"Kafka cannot be read: {type(error).__name__}")
    return Broken(f"Kafka cannot be read: {type(error).__name__}")
