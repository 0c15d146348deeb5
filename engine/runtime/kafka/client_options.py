"""Every option of every Kafka client, stated: defaults of a client change under their users' feet."""

import ssl
from typing import Final

from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.partitioner import DefaultPartitioner

from engine.settings import KafkaSettings, SettingsError, SettingsProblem

Options = dict[str, object]

RECORDS_BUFFER_BYTES: Final = 256 * 1_024
"""What a producer gathers for one partition while the request before is under way."""

NEWS_WAIT_MS: Final = 200
"""A consumer's fetching looks up after this long: newly assigned or resumed partitions wait no longer."""


def consumer_options(kafka: KafkaSettings, process_number: int) -> Options:
    """Give the keyword arguments of `AIOKafkaConsumer` for one process of a worker.

    Nothing is committed but what the worker commits, and no offset is ever chosen but by the worker.

    Args:
        kafka: The settings.
        process_number: Counts the processes of one container from 0; it makes their static memberships differ.

    Raises:
        SettingsError: A file of certificates or keys is of no use.
    """
    return _connection(kafka) | {
        "group_id": kafka.group_id,
        "group_instance_id": f"{kafka.instance_id}-{process_number}" if kafka.instance_id else None,
        "partition_assignment_strategy": (_sticky_assignor(),),
        "session_timeout_ms": kafka.session_timeout_ms,
        "heartbeat_interval_ms": kafka.heartbeat_interval_ms,
        "rebalance_timeout_ms": kafka.rebalance_timeout_ms,
        "max_poll_interval_ms": kafka.max_poll_interval_ms,
        "enable_auto_commit": False,
        "auto_commit_interval_ms": 5_000,
        "auto_offset_reset": "none",
        "isolation_level": kafka.isolation_level,
        "exclude_internal_topics": True,
        "client_rack": None,
        "fetch_max_wait_ms": kafka.fetch_max_wait_ms,
        "fetch_min_bytes": kafka.fetch_min_bytes,
        "fetch_max_bytes": kafka.fetch_max_bytes,
        "max_partition_fetch_bytes": kafka.max_partition_fetch_bytes,
        "max_poll_records": None,
        "consumer_timeout_ms": NEWS_WAIT_MS,
        "check_crcs": kafka.check_crcs,
        "key_deserializer": None,
        "value_deserializer": None,
    }


def producer_options(kafka: KafkaSettings) -> Options:
    """Give the keyword arguments of `AIOKafkaProducer`: idempotent, acknowledged by all replicas in sync.

    Raises:
        SettingsError: A file of certificates or keys is of no use.
    """
    return _connection(kafka) | {
        "acks": "all",
        "enable_idempotence": True,
        "transactional_id": None,
        "transaction_timeout_ms": 60_000,
        "compression_type": None if kafka.compression == "none" else kafka.compression,
        "linger_ms": kafka.linger_ms,
        "max_batch_size": min(RECORDS_BUFFER_BYTES, kafka.max_request_bytes),
        "max_request_size": kafka.max_request_bytes,
        # The hash that other clients use by default as well: a session's records keep to one partition.
        "partitioner": DefaultPartitioner(),
        "key_serializer": None,
        "value_serializer": None,
    }


def admin_options(kafka: KafkaSettings) -> Options:
    """Give the keyword arguments of `AIOKafkaAdminClient`.

    Raises:
        SettingsError: A file of certificates or keys is of no use.
    """
    return _connection(kafka)


def _connection(kafka: KafkaSettings) -> Options:
    """Give what all clients have in common."""
    logs_in = kafka.security_protocol.startswith("SASL")
    return {
        "bootstrap_servers": list(kafka.servers),
        "client_id": kafka.client_id,
        "request_timeout_ms": kafka.request_timeout_ms,
        "retry_backoff_ms": kafka.retry_backoff_ms,
        "metadata_max_age_ms": kafka.metadata_max_age_ms,
        "connections_max_idle_ms": kafka.connections_max_idle_ms,
        "security_protocol": kafka.security_protocol,
        "ssl_context": _ssl_context(kafka) if kafka.security_protocol.endswith("SSL") else None,
        "sasl_mechanism": kafka.sasl_mechanism,
        "sasl_plain_username": kafka.sasl_username if logs_in else None,
        "sasl_plain_password": kafka.sasl_password if logs_in else None,
        "sasl_kerberos_service_name": "kafka",
        "sasl_kerberos_domain_name": None,
        "sasl_oauth_token_provider": None,
    }


def _sticky_assignor() -> type:
    # The client keeps what a member was assigned on the class: consumers of one process would mix theirs up.
    return type("OwnStickyAssignor", (StickyPartitionAssignor,), {})


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    problems: list[SettingsProblem] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = kafka.tls_check_hostname
    try:
        if kafka.tls_ca_file:
            context.load_verify_locations(kafka.tls_ca_file)
        else:
            context.load_default_certs()
    except OSError as error:
        problems.append(_unusable("tls_ca_file", kafka.tls_ca_file, "certificates of authorities", error))
    try:
        if kafka.tls_cert_file:
            # A password is always given: without one OpenSSL would ask at the terminal for that of an encrypted key.
            context.load_cert_chain(kafka.tls_cert_file, kafka.tls_key_file or None, kafka.tls_key_password)
    except (OSError, ValueError) as error:
        problems.append(_unusable("tls_cert_file", kafka.tls_cert_file, "a certificate and its key", error))
    if problems:
        raise SettingsError(problems)
    return context


def _unusable(key: str, path: str, holds: str, error: Exception) -> SettingsProblem:
    # The texts of both kinds of error name a reason and at most the file.
    reason = getattr(error, "strerror", None) or str(error)
    return SettingsProblem(
        key=f"kafka.{key}", value=path, expected=f"a readable PEM file with {holds} ({reason})", source="settings"
    )
