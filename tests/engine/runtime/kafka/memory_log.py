"""A topic in memory, and what a member of its group sees of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from engine.runtime.kafka.log_identity import LogIdentity
from engine.runtime.kafka.positions import Bounds
from engine.runtime.kafka.records import Place, Record
from engine.runtime.kafka.source import NotOwnerError

if TYPE_CHECKING:
    from tests.engine.runtime.kafka.memory_store import Port


class MemoryRecord(NamedTuple):
    """One record."""

    offset: int
    timestamp: int
    value: bytes
    headers: Sequence[tuple[str, bytes | None]] = ()


class Topic:
    """Records by partition, who is to read them, and what the group has committed."""

    name = "events"

    def __init__(self, partitions: int) -> None:
        self.generation = 0
        self.partitions = partitions
        self.records: dict[int, list[MemoryRecord]] = {partition: [] for partition in range(partitions)}
        self.begins: dict[int, int] = {}
        self.owners: dict[Place, object] = {}
        self.commits: dict[Place, int] = {}

    @property
    def identity(self) -> LogIdentity:
        return LogIdentity("cluster", f"topic-{self.generation}")

    @property
    def places(self) -> list[Place]:
        return [Place(self.name, partition) for partition in range(self.partitions)]

    def make_again(self, partitions: int) -> None:
        """Delete it and make it again."""
        self.generation += 1
        self.partitions = partitions
        self.records = {partition: [] for partition in range(partitions)}
        self.begins.clear()
        self.commits.clear()

    def add_partitions(self, partitions: int) -> None:
        """Have more partitions: keys move."""
        for partition in range(self.partitions, partitions):
            self.records[partition] = []
        self.partitions = partitions

    def append(self, partition: int, timestamp: int, value: bytes) -> None:
        """Write a record."""
        records = self.records[partition]
        records.append(MemoryRecord(len(records), timestamp, value))


class MemberView:
    """The part of a `KafkaSource` that partitions use, of one member: what the group decides it hears when told."""

    def __init__(self, topic: Topic, port: "Port") -> None:
        self._topic = topic
        self._port = port
        self.assigned: set[Place] = set()
        self.positions: dict[Place, int] = {}
        self.paused: set[Place] = set()

    def fetch(self, place: Place, limit: int) -> Sequence[Record] | None:
        """Return the next records; `None` if the position is not there."""
        records, position = self._topic.records[place.partition], self.positions[place]
        if not self._topic.begins.get(place.partition, 0) <= position <= len(records):
            return None
        found = records[position : position + limit]
        self.positions[place] = position + len(found)
        return found

    def seek(self, place: Place, offset: int) -> None:
        if place not in self.assigned:
            raise NotOwnerError
        self.positions[place] = offset

    def pause(self, places: Sequence[Place]) -> None:
        self.paused |= set(places)

    def resume(self, places: Sequence[Place]) -> None:
        self.paused -= set(places)

    async def is_read(self, place: Place) -> bool:
        return self.positions[place] >= len(self._topic.records[place.partition])

    def end_offset(self, place: Place) -> int | None:
        return len(self._topic.records[place.partition])

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        await self._port.go()
        for place, offset in offsets.items():
            if self._topic.owners.get(place) is not self:
                raise NotOwnerError
            self._topic.commits[place] = offset

    async def committed(self, place: Place) -> int:
        await self._port.go()
        return self._topic.commits.get(place, -1)

    async def bounds(self, place: Place) -> Bounds:
        await self._port.go()
        partition = place.partition
        return Bounds(self._topic.begins.get(partition, 0), len(self._topic.records[partition]))
