"""The identity of a log, asked from a real broker."""

import uuid

import pytest
from aiokafka import AIOKafkaClient

from engine.errors import Unavailable
from engine.runtime.kafka.log_identity import read_log_identities
from tests.servers.kafka_admin import cluster_client, create_topic, delete_topic, describe_cluster
from tests.servers.kafka_broker import Kafka


async def test_a_topic_made_again_is_another_log(kafka: Kafka) -> None:
    topic = f"test-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic, 2)
    client = await cluster_client(kafka.bootstrap)
    try:
        first = await read_log_identities(client, topic)
        assert await read_log_identities(client, topic) == first
        cluster = await describe_cluster(kafka.bootstrap)
        assert cluster is not None
        assert first.cluster_id == cluster.cluster_id
        assert len(first.topic_id) == 22

        await delete_topic(kafka.bootstrap, topic)
        with pytest.raises(Unavailable, match="UnknownTopicOrPartitionError"):
            await read_log_identities(client, topic)
        await create_topic(kafka.bootstrap, topic, 2)
        second = await read_log_identities(client, topic)
    finally:
        await client.close()
    assert second.cluster_id == first.cluster_id
    assert second.topic_id != first.topic_id


async def test_topics_differ(kafka: Kafka) -> None:
    names = [f"test-{uuid.uuid4()}" for _ in range(2)]
    client = await cluster_client(kafka.bootstrap)
    try:
        for name in names:
            await create_topic(kafka.bootstrap, name)
        one, two = [await read_log_identities(client, name) for name in names]
    finally:
        await client.close()
    assert one.cluster_id == two.cluster_id
    assert one.topic_id != two.topic_id


async def test_a_client_that_knows_no_broker_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no Kafka broker"):
        await read_log_identities(AIOKafkaClient(bootstrap_servers="127.0.0.1:1"), "topic")
