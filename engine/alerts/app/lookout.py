"""What has to be known of topics beside their records: which logs they are, where they begin and end, who read what."""

from collections.abc import Iterable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from engine.errors import Unavailable
from engine.runtime.kafka.client_options import admin_options, consumer_options
from engine.runtime.kafka.log_identity import LogIdentity, read_log_identities
from engine.runtime.kafka.positions import Bounds
from engine.runtime.kafka.records import Place
from engine.settings import KafkaSettings

_POSITIVE: Final = 0x7FFFFFFF

Identities = dict[str, LogIdentity]


def partition_of(project_id: str, partitions: int) -> int:
    """Say to which partition a project's items go: as Kafka's own clients choose it by the key."""
    return int(murmur2(project_id.encode("utf-8", "surrogatepass")) & _POSITIVE) % partitions


class Lookout:
    """Asks brokers, in no group. Every question raises Unavailable if they do not answer."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._group_id = kafka.group_id
        self._consumer = AIOKafkaConsumer(
            **(consumer_options(kafka, 0) | {"group_id": None, "group_instance_id": None})
        )
        self._admin = AIOKafkaAdminClient(**admin_options(kafka))

    async def start(self) -> None:
        """Connect."""
        try:
            await self._consumer.start()
            await self._admin.start()
        except (KafkaError, OSError) as error:
            await self.close()
            raise Unavailable(f"Kafka cannot be reached: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._consumer.stop()
        await self._admin.close()

    async def identities(self, topics: Iterable[str]) -> Identities:
        """Return which logs topics are; a topic that was deleted and made again is another one."""
        return {topic: await read_log_identities(self._consumer._client, topic) for topic in topics}  # noqa: SLF001 - it has no public name

    async def partitions(self, topic: str) -> int:
        """Count the partitions of a topic."""
        return len(await self._places([topic]))

    async def bounds(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        """Return which offsets partitions have."""
        partitions = [TopicPartition(*place) for place in places]
        try:
            begin = await self._consumer.beginning_offsets(partitions)
            end = await self._consumer.end_offsets(partitions)
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka does not tell its offsets: {type(error).__name__}") from error
        return {Place(*each): Bounds(int(begin[each]), int(end[each])) for each in partitions}

    async def ends(self, topics: Iterable[str]) -> dict[Place, int]:
        """Return the offset after the last record of every partition of topics."""
        return {
            place: at.end for place, at in (await self.bounds(await self._places(topics))).items() if at.end > at.begin
        }

    async def is_read(self, ends: Mapping[Place, int]) -> bool:
        """Say whether our group has read partitions up to these offsets, whichever of us has them."""
        try:
            commits = await self._admin.list_consumer_group_offsets(
                self._group_id, partitions=[TopicPartition(*place) for place in ends]
            )
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka does not tell commits: {type(error).__name__}") from error
        return all(commits[TopicPartition(*place)].offset >= end for place, end in ends.items())

    async def _places(self, topics: Iterable[str]) -> list[Place]:
        found: list[Place] = []
        for topic in topics:
            try:
                await self._consumer._client.add_topic(topic)  # noqa: SLF001 - it has no public name
            except (KafkaError, OSError) as error:
                raise Unavailable(f"Kafka cannot be reached: {type(error).__name__}") from error
            partitions = self._consumer.partitions_for_topic(topic)
            if not partitions:
                raise Unavailable(f"there is no topic {topic}: wince topics --apply makes it")
            found += [Place(topic, partition) for partition in sorted(partitions)]
        return found
