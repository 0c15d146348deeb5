"""Brokers that are killed, paused, lost, secured: what the fault suite does with them works."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from engine.errors import Unavailable
from engine.runtime.kafka.log_identity import read_log_identities
from tests.engine.core.batches import batch
from tests.kafka.groups import producer
from tests.kafka.workers import Site, running, stored
from tests.servers.certificates import Certificates
from tests.servers.kafka_admin import admin, cluster_client, create_topic, log_bounds
from tests.servers.kafka_broker import Kafka
from tests.servers.kafka_cluster import KafkaCluster
from tests.servers.kafka_settings import PASSWORD, USER
from tests.servers.redis_server import FoundRedis
from tests.servers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(jars: Path, certificates: Certificates) -> AsyncIterator[KafkaCluster]:
    async with KafkaCluster(jars, certificates=certificates) as made:
        yield made


async def send(bootstrap: str, topic: str, value: bytes) -> None:
    async with producer(bootstrap) as made:
        await made.send_and_wait(topic, value, partition=0)


async def test_what_was_acknowledged_outlives_a_kill(cluster: KafkaCluster) -> None:
    await create_topic(cluster.bootstrap, "killed")
    await send(cluster.bootstrap, "killed", b"before")
    (broker,) = cluster.brokers
    client = await cluster_client(cluster.bootstrap)
    before = await read_log_identities(client, "killed")
    killed = broker.pid

    broker.kill()
    assert not broker.is_running
    with pytest.raises(Unavailable):
        await read_log_identities(client, "killed")
    cluster.start()
    await cluster.ready()

    assert broker.pid != killed
    assert await log_bounds(cluster.bootstrap, "killed") == {0: (0, 1)}
    assert await read_log_identities(client, "killed") == before
    await client.close()


async def test_a_paused_broker_answers_when_it_goes_on(cluster: KafkaCluster) -> None:
    await create_topic(cluster.bootstrap, "paused")
    (broker,) = cluster.brokers
    async with producer(cluster.bootstrap) as made:
        await made.send_and_wait("paused", b"before", partition=0)
        broker.pause()
        sending = asyncio.create_task(made.send_and_wait("paused", b"while it is paused", partition=0))
        done, _ = await asyncio.wait([sending], timeout=0.3)
        assert not done
        broker.resume()
        await sending
    assert await log_bounds(cluster.bootstrap, "paused") == {0: (0, 2)}


async def test_a_broker_that_was_stopped_starts_again(cluster: KafkaCluster) -> None:
    await create_topic(cluster.bootstrap, "stopped")
    await send(cluster.bootstrap, "stopped", b"before")
    assert await asyncio.to_thread(cluster.brokers[0].stop) in {0, 143}
    cluster.start()
    await cluster.ready()
    assert await log_bounds(cluster.bootstrap, "stopped") == {0: (0, 1)}


class TestSecurity:
    def context(self, certificates: Certificates, *, with_certificate: bool = False) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(certificates.authority))
        if with_certificate:
            made.load_cert_chain(certificates.client.certificate, certificates.client.key)
        return made

    async def secured(self, cluster: KafkaCluster, protocol: str, **options: Any) -> int:
        """Write one record and read it; gives how many came."""
        options |= {"bootstrap_servers": cluster.secured_bootstrap(protocol), "security_protocol": protocol}
        with contextlib.suppress(KafkaError):
            await create_topic(cluster.bootstrap, f"{protocol}-{options.get('sasl_mechanism', 'none')}")
        topic = f"{protocol}-{options.get('sasl_mechanism', 'none')}"
        made = AIOKafkaProducer(**options)
        try:
            await made.start()
            await made.send_and_wait(topic, b"value", partition=0)
        finally:
            await made.stop()
        reader = AIOKafkaConsumer(topic, auto_offset_reset="earliest", enable_auto_commit=False, **options)
        async with reader:
            return len(await reader.getmany(timeout_ms=10_000))

    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    @pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
    async def test_a_password_lets_in(
        self, cluster: KafkaCluster, certificates: Certificates, protocol: str, mechanism: str
    ) -> None:
        options = {"sasl_mechanism": mechanism, "sasl_plain_username": USER, "sasl_plain_password": PASSWORD}
        context = self.context(certificates) if protocol == "SASL_SSL" else None
        assert await self.secured(cluster, protocol, ssl_context=context, **options) == 1

    async def test_a_wrong_password_does_not(self, cluster: KafkaCluster) -> None:
        options = {"sasl_mechanism": "SCRAM-SHA-256", "sasl_plain_username": USER, "sasl_plain_password": "wrong"}
        with pytest.raises(KafkaError):
            await self.secured(cluster, "SASL_PLAINTEXT", **options)

    async def test_a_certificate_lets_in_and_is_needed(self, cluster: KafkaCluster, certificates: Certificates) -> None:
        context = self.context(certificates, with_certificate=True)
        assert await self.secured(cluster, "SSL", ssl_context=context) == 1
        with pytest.raises(KafkaError):
            await self.secured(cluster, "SSL", ssl_context=self.context(certificates))


async def test_three_brokers_bear_the_loss_of_one(jars: Path) -> None:
    async with KafkaCluster(jars, brokers=3) as cluster:
        await create_topic(cluster.bootstrap, "kept", 3, replicas=3)
        async with producer(cluster.bootstrap, request_timeout_ms=30_000) as made:
            for partition in range(3):
                await made.send_and_wait("kept", b"before", partition=partition)
            lost = cluster.brokers.pop(0)
            lost.kill()
            for partition in range(3):
                await made.send_and_wait("kept", b"after", partition=partition)
        assert await log_bounds(cluster.bootstrap, "kept") == dict.fromkeys(range(3), (0, 2))

        cluster.brokers.insert(0, lost)
        cluster.start()
        await cluster.ready()
        async with admin(cluster.bootstrap) as client:

            async def all_in_sync() -> bool:
                described = (await client.describe_topics(["kept"]))[0]
                return all(len(each["isr"]) == 3 for each in described["partitions"])

            await until(all_in_sync, 30, "replicas that caught up")


class TestAWorkerWithoutKafka:
    async def test_it_can_be_stopped(
        self, cluster: KafkaCluster, redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("engine.runtime.kafka.source.COMMIT_WITHIN_SECONDS", 0.2)
        monkeypatch.setattr("engine.runtime.kafka.source.CLOSE_WITHIN_SECONDS", 0.2)
        site = Site(Kafka(cluster.bootstrap, ""), redis_server)
        await site.create()
        await site.send([batch(0)])
        (broker,) = cluster.brokers
        async with running(site) as worker:
            await worker.reads_all()
            async with stored(site) as redis:
                before = await redis.mark()
            broker.pause()
            try:
                await worker.stop()
            finally:
                broker.resume()
        async with stored(site) as redis:
            mark = await redis.mark()
        assert before is not None
        assert mark is not None
        assert (before.offset, mark.offset) == (0, 1), "its states are stored, though Kafka is away"

    async def test_it_is_not_ready_and_lives(self, cluster: KafkaCluster, redis_server: FoundRedis) -> None:
        site = Site(Kafka(cluster.bootstrap, ""), redis_server)
        await site.create()
        await site.send([batch(0)])
        (broker,) = cluster.brokers
        async with running(site) as worker:
            await worker.reads_all()
            await worker.until(lambda: _so(worker.health.ready().ok), "a worker that is ready")
            broker.pause()
            try:
                worker.health._reached_within_ms = 3_000

                async def is_not_ready() -> bool:
                    return worker.health.ready().checks["kafka"] != "ok"

                await worker.until(is_not_ready, "a worker that misses Kafka")
                assert worker.health.ready().checks["redis"] == "ok"
                assert worker.health.alive().ok
            finally:
                broker.resume()
            await worker.until(lambda: _so(worker.health.ready().ok), "a worker that is ready again")


async def _so(value: bool) -> bool:  # noqa: FBT001 - it is what it is
    return value
