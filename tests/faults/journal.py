"""Sends a load and writes down exactly what the broker has acknowledged: the one thing a verifier may trust."""

import asyncio
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from tests.faults.load import Message

WINDOW = 200
"""Messages on their way at a time."""


class Sent(NamedTuple):
    """One acknowledged message; `log` counts how often the topic was made again before."""

    log: int
    partition: int
    offset: int
    message: Message


class Journal:
    """What was sent, per partition and in the broker's order."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.log = 0
        self.sent: list[Sent] = []
        self._ends: dict[int, int] = dict.fromkeys(range(partitions), 0)
        self._forgotten: set[tuple[int, int, int]] = set()

    @property
    def ends(self) -> dict[int, int]:
        """Return of each partition the offset after the last one sent."""
        return dict(self._ends)

    def note(self, sent: Sent) -> None:
        self.sent.append(sent)
        self._ends[sent.partition] = max(self._ends[sent.partition], sent.offset + 1)

    def topic_made_again(self) -> None:
        """From now on offsets count from zero."""
        self.log += 1
        self._ends = dict.fromkeys(range(self.partitions), 0)

    def forget(self, before: dict[int, int], after: dict[int, int]) -> int:
        """Take note that records from one offset up to another were deleted unread; gives how many."""
        gone = {
            (self.log, partition, offset)
            for partition, start in before.items()
            for offset in range(start, after[partition])
        }
        self._forgotten |= gone
        return len(gone)

    def in_order(self) -> list[Sent]:
        """Return everything that can be read, partition by partition, in the order it is read in."""
        kept = (each for each in self.sent if (each.log, each.partition, each.offset) not in self._forgotten)
        return sorted(kept, key=lambda each: (each.partition, each.log, each.offset))

    def partition_of(self, key: str) -> int:
        """Choose a key's partition; the same one always."""
        return zlib.crc32(key.encode()) % self.partitions


class Sender:
    """Sends messages to a topic, in order within each partition, and has them written down."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, journal: Journal) -> None:
        self._producer = producer
        self._topic = topic
        self._journal = journal

    async def send(
        self, messages: Iterable[Message], *, only_partition: int | None = None, per_second: float | None = None
    ) -> int:
        """Send all, at most so many a second, and wait until they are acknowledged; gives how many."""
        waiting: dict[int, list[tuple[Message, asyncio.Future[object]]]] = defaultdict(list)
        count = 0
        started = time.monotonic()
        for message in messages:
            partition = self._journal.partition_of(message.key) if only_partition is None else only_partition
            future = await self._producer.send(
                self._topic,
                message.value,
                key=message.key.encode(),
                partition=partition,
                headers=[("content-encoding", message.encoding.encode())] if message.encoding else [],
            )
            waiting[partition].append((message, future))
            count += 1
            if count % WINDOW == 0:
                await self._acknowledged(waiting)
            if per_second and (early := started + count / per_second - time.monotonic()) > 0:
                await asyncio.sleep(early)
        await self._acknowledged(waiting)
        return count

    async def _acknowledged(self, waiting: dict[int, list[tuple[Message, asyncio.Future[object]]]]) -> None:
        for partition, entries in waiting.items():
            for message, future in entries:
                told = await future
                self._journal.note(Sent(self._journal.log, partition, told.offset, message))  # type: ignore[attr-defined]
            entries.clear()
