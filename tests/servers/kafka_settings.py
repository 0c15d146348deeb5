"""What a broker for tests is set to: quick, small, and nothing by itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.servers.certificates import Certificates

USER = "wince"
PASSWORD = "not-a-secret"
CLIENT_LISTENERS = ("SASL_PLAINTEXT", "SASL_SSL", "SSL")
"""Listeners beside the plain one, each named for its protocol; SSL asks clients for a certificate."""

LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


class Ports(NamedTuple):
    """Where one broker listens, on loopback."""

    plain: int
    controller: int
    secured: Mapping[str, int]


def common_settings(brokers: int) -> dict[str, str]:
    """Return what any broker of a cluster of so many is set to, wherever it runs."""
    in_sync = min(2, brokers)
    replicas = min(3, brokers)
    return {
        "process.roles": "broker,controller",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "auto.create.topics.enable": "false",
        "default.replication.factor": f"{replicas}",
        "min.insync.replicas": f"{in_sync}",
        "offsets.topic.replication.factor": f"{replicas}",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": f"{replicas}",
        "transaction.state.log.min.isr": f"{in_sync}",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": f"{replicas}",
        "share.coordinator.state.topic.min.isr": f"{in_sync}",
        "share.coordinator.state.topic.num.partitions": "2",
        # Groups form at once, and members that died are missed soon.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "500",
        # A broker that died is missed soon, and may come back soon.
        "broker.heartbeat.interval.ms": "300",
        "broker.session.timeout.ms": "3000",
        "replica.lag.time.max.ms": "3000",
        "controlled.shutdown.enable": "true",
        # Logs are shortened and dropped soon.
        "log.retention.check.interval.ms": "500",
        "log.segment.delete.delay.ms": "500",
        "log.initial.task.delay.ms": "500",
        "log.cleaner.dedupe.buffer.size": f"{4 << 20}",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.partitions": "1",
    }


def broker_settings(node: int, everybody: Mapping[int, Ports], data: Path) -> dict[str, str]:
    """Return what one of several brokers on loopback needs to know of itself and the others."""
    ports = everybody[node]
    listeners = {"PLAINTEXT": ports.plain, **ports.secured}
    addresses = ",".join(f"{name}://127.0.0.1:{port}" for name, port in listeners.items())
    protocols = ["CONTROLLER:PLAINTEXT", *(f"{name}:{name}" for name in listeners)]
    voters = ",".join(f"{other}@127.0.0.1:{its.controller}" for other, its in everybody.items())
    return {
        **common_settings(len(everybody)),
        "node.id": f"{node}",
        "controller.quorum.voters": voters,
        "listeners": f"{addresses},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": addresses,
        "listener.security.protocol.map": ",".join(protocols),
        "log.dirs": str(data),
    }


def security_settings(certificates: Certificates, folder: Path) -> dict[str, str]:
    """Return what the secured listeners need: passwords of one user, and the server's certificate."""
    store = folder / "keystore.pem"
    store.write_bytes(certificates.server.key.read_bytes() + certificates.server.certificate.read_bytes())
    settings = {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
        "listener.name.ssl.ssl.client.auth": "required",
    }
    security = "org.apache.kafka.common.security"
    plain = f'{security}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    scram = f"{security}.scram.ScramLoginModule required;"
    for listener in ("sasl_plaintext", "sasl_ssl"):
        settings[f"listener.name.{listener}.plain.sasl.jaas.config"] = plain
        for bits in (256, 512):
            settings[f"listener.name.{listener}.scram-sha-{bits}.sasl.jaas.config"] = scram
    return settings


def scram_users() -> tuple[str, ...]:
    """Return what the storage tool is told, to know the user by the SCRAM mechanisms."""
    users = [f"SCRAM-SHA-{bits}=[name={USER},password={PASSWORD}]" for bits in (256, 512)]
    return tuple(part for user in users for part in ("--add-scram", user))
