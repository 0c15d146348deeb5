"""What tests ask of a broker's administrator: topics, records, offsets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaClient, AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError, NoError, for_code

from tests.servers.waiting import until

SETTLE_SECONDS = 30.0
REQUEST_MS = 5_000


class Cluster(NamedTuple):
    """What a broker says of its cluster."""

    cluster_id: str
    brokers: tuple[int, ...]


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect an administrator. Raises KafkaConnectionError if nobody answers."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_MS)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def describe_cluster(bootstrap: str) -> Cluster | None:
    """Ask one broker for its cluster; none if it does not answer."""
    host, _, port = bootstrap.rpartition(":")
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        return await _describe(bootstrap)
    return None


async def _describe(bootstrap: str) -> Cluster | None:
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with admin(bootstrap) as client:
            said = await client.describe_cluster()
            return Cluster(str(said["cluster_id"]), tuple(int(each["node_id"]) for each in said["brokers"]))
    return None


async def create_topic(
    bootstrap: str, topic: str, partitions: int = 1, *, replicas: int = 1, settings: Mapping[str, str] | None = None
) -> None:
    """Create a topic and wait until every partition has a leader."""
    new = NewTopic(topic, partitions, replicas, topic_configs=dict(settings or {}))
    async with admin(bootstrap) as client:
        _check((await client.create_topics([new])).topic_errors)

        async def all_led() -> bool:
            described = (await client.describe_topics([topic]))[0]
            leaders = [each["leader"] for each in described["partitions"]]
            return described["error_code"] == 0 and len(leaders) == partitions and -1 not in leaders

        await until(all_led, SETTLE_SECONDS, f"leaders of {topic}")


async def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic and wait until it is gone."""
    async with admin(bootstrap) as client:
        _check((await client.delete_topics([topic])).topic_error_codes)

        async def is_gone() -> bool:
            return topic not in await client.list_topics()

        await until(is_gone, SETTLE_SECONDS, f"{topic} is gone")


async def delete_records(bootstrap: str, topic: str, before: Mapping[int, int]) -> None:
    """Delete all records of partitions before an offset; the logs then start there."""
    wanted = {TopicPartition(topic, partition): RecordsToDelete(offset) for partition, offset in before.items()}
    async with admin(bootstrap) as client:
        await client.delete_records(wanted)


async def log_bounds(bootstrap: str, topic: str) -> dict[int, tuple[int, int]]:
    """Return of each partition its first offset and the one after its last."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, request_timeout_ms=REQUEST_MS)
    await consumer.start()
    try:
        async with admin(bootstrap) as client:
            described = (await client.describe_topics([topic]))[0]
        partitions = [TopicPartition(topic, each["partition"]) for each in described["partitions"]]
        starts, ends = await asyncio.gather(consumer.beginning_offsets(partitions), consumer.end_offsets(partitions))
        return {each.partition: (starts[each], ends[each]) for each in partitions}
    finally:
        await consumer.stop()


async def committed(bootstrap: str, group: str) -> dict[TopicPartition, int]:
    """Return the offsets a group has committed."""
    async with admin(bootstrap) as client:
        return {where: at.offset for where, at in (await client.list_consumer_group_offsets(group)).items()}


async def members(bootstrap: str, group: str) -> int:
    """Return how many members a group has; 0 while it is rebalancing, or while nobody can tell."""
    with contextlib.suppress(KafkaError):
        async with admin(bootstrap) as client:
            described = (await client.describe_consumer_groups([group]))[0].groups[0]
            return len(described[5]) if described[2] == "Stable" else 0
    return 0


async def cluster_client(bootstrap: str) -> AIOKafkaClient:
    """Connect a bare client; the caller closes it."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=REQUEST_MS)
    await client.bootstrap()
    return client


def _check(answers: list[tuple[object, ...]]) -> None:
    for answer in answers:
        kind = for_code(answer[1])
        if kind is not NoError:
            raise kind(answer)
