"""Every way in that `[kafka]` offers, against a broker that lets nobody in by another one."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from engine.errors import Unavailable
from engine.runtime.kafka.client_options import consumer_options, producer_options
from engine.runtime.kafka.topic_admin import connect
from engine.runtime.kafka.topic_plan import plan, wanted_topics
from engine.settings import KafkaSettings, SettingsError, load_settings
from tests.servers.certificates import Certificates
from tests.servers.kafka_cluster import KafkaCluster
from tests.servers.kafka_settings import PASSWORD, USER

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
WAYS_IN = [("SSL", "PLAIN"), *((protocol, name) for protocol in ("SASL_PLAINTEXT", "SASL_SSL") for name in MECHANISMS)]
PASSPHRASE = "open sesame"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster(jars: Path, certificates: Certificates) -> AsyncIterator[KafkaCluster]:
    async with KafkaCluster(jars, certificates=certificates) as made:
        yield made


def settings(cluster: KafkaCluster, certificates: Certificates, protocol: str, **chosen: object) -> KafkaSettings:
    """Load what an operator would set for one of the listeners; `chosen` is stronger."""
    wanted: dict[str, object] = {
        "bootstrap_servers": cluster.secured_bootstrap(protocol),
        "security_protocol": protocol,
        "request_timeout": "5s",
        "rebalance_timeout": "4s",
        "replication_factor": 1,
        "events_partitions": 1,
    }
    if protocol.startswith("SASL"):
        wanted |= {"sasl_username": USER, "sasl_password": PASSWORD}
    if protocol.endswith("SSL"):
        wanted |= {"tls_ca_file": certificates.authority}
    if protocol == "SSL":
        wanted |= {"tls_cert_file": certificates.client.certificate, "tls_key_file": certificates.client.key}
    environ = {f"WINCE_KAFKA_{key.upper()}": str(value) for key, value in (wanted | chosen).items()}
    return load_settings(None, environ).kafka


async def round_trip(kafka: KafkaSettings, value: bytes) -> bytes:
    """Make a topic, write to it, read it."""
    async with connect(kafka) as admin:
        wanted = wanted_topics(kafka)[:1]
        await admin.apply(plan({}, wanted))
    producer = AIOKafkaProducer(**producer_options(kafka))
    await producer.start()
    try:
        written = await producer.send_and_wait(kafka.events_topic, value)
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(**consumer_options(kafka, 0))
    await consumer.start()
    try:
        place = TopicPartition(kafka.events_topic, written.partition)
        consumer.assign([place])
        consumer.seek(place, written.offset)
        return bytes((await consumer.getone()).value)
    finally:
        await consumer.stop()


async def is_let_in(kafka: KafkaSettings) -> bool:
    try:
        async with connect(kafka) as admin:
            await admin.read([])
    except Unavailable:
        return False
    return True


@pytest.mark.parametrize(("protocol", "mechanism"), WAYS_IN)
async def test_admin_producer_and_consumer_come_in(
    cluster: KafkaCluster, certificates: Certificates, protocol: str, mechanism: str
) -> None:
    topic = f"test-{protocol}-{mechanism}"
    kafka = settings(cluster, certificates, protocol, sasl_mechanism=mechanism, events_topic=topic)
    assert await round_trip(kafka, topic.encode()) == topic.encode()


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_wrong_password_stays_out(cluster: KafkaCluster, certificates: Certificates, mechanism: str) -> None:
    kafka = settings(cluster, certificates, "SASL_SSL", sasl_mechanism=mechanism, sasl_password="wrong")
    assert not await is_let_in(kafka)


async def test_a_client_without_certificate_stays_out(cluster: KafkaCluster, certificates: Certificates) -> None:
    assert not await is_let_in(settings(cluster, certificates, "SSL", tls_cert_file="", tls_key_file=""))


async def test_a_broker_of_an_unknown_authority_is_not_trusted(
    cluster: KafkaCluster, certificates: Certificates
) -> None:
    assert not await is_let_in(settings(cluster, certificates, "SASL_SSL", tls_ca_file=""))


@pytest.mark.parametrize("check", ["true", "false"])
async def test_a_broker_of_another_name_is_trusted_only_if_names_do_not_matter(
    cluster: KafkaCluster, certificates: Certificates, check: str
) -> None:
    # Another way to write the same address, which no certificate is for.
    other_name = cluster.secured_bootstrap("SASL_SSL").replace("127.0.0.1", "127.1")
    kafka = settings(cluster, certificates, "SASL_SSL", bootstrap_servers=other_name, tls_check_hostname=check)
    assert await is_let_in(kafka) == (check == "false")


@pytest.mark.parametrize("password", [PASSPHRASE, "", "wrong"])
async def test_an_encrypted_key_is_opened_by_its_password_and_nobody_is_asked_for_it(
    cluster: KafkaCluster, certificates: Certificates, tmp_path: Path, password: str
) -> None:
    key = tmp_path / "encrypted.key"
    lock = ("openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", f"pass:{PASSPHRASE}")
    command = (*lock, "-in", str(certificates.client.key), "-out", str(key))
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=30)
    kafka = settings(cluster, certificates, "SSL", tls_key_file=str(key), tls_key_password=password)
    if password == PASSPHRASE:
        assert await is_let_in(kafka)
    else:
        with pytest.raises(SettingsError, match=r"kafka\.tls_cert_file"):
            await is_let_in(kafka)
