"""A real Kafka for tests, wherever one is to be had, in this order:

1. the address in `WINCE_TEST_KAFKA` (host:port; tests create and delete topics there),
2. a container of Apache Kafka, where a Docker engine answers,
3. Apache Kafka as a Java process, its jars fetched with Maven (see `kafka_jars`).

Tests that kill, pause or secure brokers always use the third: see `KafkaCluster`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from testcontainers.core.container import DockerContainer

from tests.servers.docker import docker_answers
from tests.servers.kafka_admin import describe_cluster
from tests.servers.kafka_cluster import START_SECONDS, KafkaCluster
from tests.servers.kafka_jars import VERSION, kafka_jars
from tests.servers.kafka_settings import common_settings
from tests.servers.process import free_port
from tests.servers.required import Missing
from tests.servers.waiting import until


class Kafka(NamedTuple):
    """Where a broker listens, and what it is."""

    bootstrap: str
    description: str


@asynccontextmanager
async def find_kafka() -> AsyncIterator[Kafka]:
    """Find or start a broker; what was started is stopped at the end. Raises Missing if none is to be had."""
    if address := os.environ.get("WINCE_TEST_KAFKA"):
        if await describe_cluster(address) is None:
            raise Missing("nobody answers at the address in WINCE_TEST_KAFKA")
        yield Kafka(address, f"the broker at {address}, from WINCE_TEST_KAFKA")
    elif docker_answers():
        async with _container() as kafka:
            yield kafka
    else:
        async with KafkaCluster(kafka_jars()) as cluster:
            yield Kafka(cluster.bootstrap, f"Apache Kafka {VERSION} as a Java process at {cluster.bootstrap}")


@asynccontextmanager
async def _container() -> AsyncIterator[Kafka]:
    """Run the official image; clients reach it at the port it advertises, so that port is chosen first."""
    port = free_port()
    settings = common_settings(1) | {
        "node.id": "1",
        "controller.quorum.voters": "1@localhost:9093",
        "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }
    image = f"apache/kafka:{VERSION}"
    container = DockerContainer(image).with_bind_ports("9092/tcp", port)
    for name, value in settings.items():
        container = container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    address = f"127.0.0.1:{port}"
    with container:
        await until(lambda: describe_cluster(address), START_SECONDS, f"a broker in a container of {image}")
        yield Kafka(address, f"{image} in a container at {address}")
