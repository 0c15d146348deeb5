"""The declarations of `[kafka]`: how brokers are reached, how topics are laid out, how they are read and written."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from engine.settings._types import Duration, DurationOrZero, Size
from engine.settings._units import DAY_MS, KIB, MIB, MINUTE_MS, SECOND_MS

SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Compression: TypeAlias = Literal["none", "gzip", "snappy", "lz4", "zstd"]
IsolationLevel: TypeAlias = Literal["read_committed", "read_uncommitted"]

_SERVER = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}"
_TOPIC_EXPECTED = "1 to 249 of the characters A-Z, a-z, 0-9, _ . -"

Topic: TypeAlias = Annotated[str, Meta(pattern=r"\A(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,249}\Z")]
Partitions: TypeAlias = Annotated[int, Meta(ge=1, le=10_000)]
ClientDuration: TypeAlias = Annotated[int, Meta(ge=1, le=DAY_MS, extra={"unit": "duration"})]
ClientSize: TypeAlias = Annotated[int, Meta(ge=KIB, le=1_024 * MIB, extra={"unit": "size"})]


def _topic(description: str) -> Meta:
    return Meta(description=description, extra={"expected": _TOPIC_EXPECTED})


class KafkaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How brokers are reached, how the topics are laid out, how they are read and written."""

    bootstrap_servers: Annotated[
        str,
        Meta(
            pattern=rf"\A{_SERVER}( *, *{_SERVER})*\Z",
            description="Brokers that are asked first, with commas between them; they tell of all others.",
            extra={"expected": 'HOST:PORT, or several with commas, such as "kafka-1:9092,kafka-2:9092"'},
        ),
    ] = "127.0.0.1:9092"
    group_id: Annotated[
        str,
        Meta(
            pattern=r"\A[^\x00-\x1f\x7f]{1,249}\Z",
            description="Consumer group of the workers: its members share the partitions.",
            extra={"expected": "1 to 249 printable characters"},
        ),
    ] = "wince"
    client_id: Annotated[
        str,
        Meta(
            pattern=r"\A[A-Za-z0-9_.-]{1,100}\Z",
            description="Name by which brokers know this client in their logs, metrics and quotas.",
            extra={"expected": "1 to 100 of the characters A-Z, a-z, 0-9, _ . -"},
        ),
    ] = "wince"
    instance_id: Annotated[
        str,
        Meta(
            pattern=r"\A[A-Za-z0-9_.-]{0,200}\Z",
            description="Name of this container within the group, the same after each restart and used by no other "
            "(such as the name of a pod of a stateful set). With one, a restart within `kafka.session_timeout` keeps "
            "its partitions; the number of the process is appended.",
            extra={"expected": "up to 200 of the characters A-Z, a-z, 0-9, _ . -, or nothing"},
        ),
    ] = ""

    security_protocol: Annotated[
        SecurityProtocol,
        Meta(description="Whether connections are encrypted (`SSL`) and begin with a login (`SASL`)."),
    ] = "PLAINTEXT"
    tls_ca_file: Annotated[
        str,
        Meta(description="PEM file of the authorities that brokers' certificates are checked by; else the system's."),
    ] = ""
    tls_cert_file: Annotated[
        str, Meta(description="PEM file of the certificate this client shows, if brokers ask for one.")
    ] = ""
    tls_key_file: Annotated[
        str, Meta(description="PEM file of that certificate's key, where it is not in the same file.")
    ] = ""
    tls_key_password: Annotated[str, Meta(description="Password of an encrypted key. It is never printed.")] = ""
    tls_check_hostname: Annotated[
        bool, Meta(description="Whether a broker's certificate has to be for the name it was reached by.")
    ] = True
    sasl_mechanism: Annotated[SaslMechanism, Meta(description="How the login is done.")] = "SCRAM-SHA-512"
    sasl_username: Annotated[str, Meta(description="User of the login.")] = ""
    sasl_password: Annotated[str, Meta(description="Password of the login. It is never printed.")] = ""

    events_topic: Annotated[Topic, _topic("Topic that batches of events are read from.")] = "session-events"
    events_partitions: Annotated[Partitions, Meta(description="Its partitions: the most workers that share it.")] = 12
    events_retention_ms: Annotated[
        Duration, Meta(description="How long it keeps batches: how far back an older Redis can be repaired.")
    ] = field(default=7 * DAY_MS, name="events_retention")
    signals_topic: Annotated[Topic, _topic("Topic that signals are written to.")] = "frustration-signals"
    signals_partitions: Annotated[Partitions, Meta(description="Its partitions.")] = 6
    signals_retention_ms: Annotated[Duration, Meta(description="How long it keeps signals.")] = field(
        default=30 * DAY_MS, name="signals_retention"
    )
    activity_topic: Annotated[Topic, _topic("Topic that starts and ends of sessions and pages are written to.")] = (
        "session-activity"
    )
    activity_partitions: Annotated[Partitions, Meta(description="Its partitions.")] = 6
    activity_retention_ms: Annotated[Duration, Meta(description="How long it keeps them.")] = field(
        default=30 * DAY_MS, name="activity_retention"
    )
    dead_letters_topic: Annotated[Topic, _topic("Topic that is told where poison was, and why it is poison.")] = (
        "session-events-dlq"
    )
    dead_letters_partitions: Annotated[Partitions, Meta(description="Its partitions.")] = 1
    dead_letters_retention_ms: Annotated[Duration, Meta(description="How long it keeps them.")] = field(
        default=30 * DAY_MS, name="dead_letters_retention"
    )
    replication_factor: Annotated[
        int,
        Meta(ge=1, le=100, description="Copies of each topic; with 3 or more, one of them can be away for writes."),
    ] = 3
    max_message_bytes: Annotated[
        ClientSize,
        Meta(description="Largest batch of records, compressed, that `kafka.events_topic` takes."),
    ] = 10 * MIB

    session_timeout_ms: Annotated[
        ClientDuration, Meta(description="A worker not heard of for this long loses its partitions to others.")
    ] = field(default=15 * SECOND_MS, name="session_timeout")
    heartbeat_interval_ms: Annotated[ClientDuration, Meta(description="Time between two signs of life.")] = field(
        default=3 * SECOND_MS, name="heartbeat_interval"
    )
    rebalance_timeout_ms: Annotated[
        ClientDuration, Meta(description="How long the group waits for a worker when partitions are dealt out anew.")
    ] = field(default=30 * SECOND_MS, name="rebalance_timeout")
    max_poll_interval_ms: Annotated[
        ClientDuration,
        Meta(description="A worker that did not ask for batches for this long leaves the group."),
    ] = field(default=5 * MINUTE_MS, name="max_poll_interval")
    request_timeout_ms: Annotated[ClientDuration, Meta(description="An answer is waited for this long.")] = field(
        default=40 * SECOND_MS, name="request_timeout"
    )
    retry_backoff_ms: Annotated[ClientDuration, Meta(description="Time before a failed request is repeated.")] = field(
        default=100, name="retry_backoff"
    )
    metadata_max_age_ms: Annotated[
        ClientDuration, Meta(description="New brokers and partitions are looked for this often.")
    ] = field(default=MINUTE_MS, name="metadata_max_age")
    connections_max_idle_ms: Annotated[
        ClientDuration, Meta(description="A connection unused for this long is closed, before brokers do (10 minutes).")
    ] = field(default=9 * MINUTE_MS, name="connections_max_idle")

    fetch_max_wait_ms: Annotated[
        ClientDuration, Meta(description="A broker waits this long for `kafka.fetch_min_bytes`.")
    ] = field(default=100, name="fetch_max_wait")
    fetch_min_bytes: Annotated[Size, Meta(description="Less than this is not sent before that time is over.")] = 1
    fetch_max_bytes: Annotated[ClientSize, Meta(description="Most bytes that one broker sends at a time.")] = 32 * MIB
    max_partition_fetch_bytes: Annotated[
        ClientSize, Meta(description="Most bytes of one partition that a broker sends at a time.")
    ] = 10 * MIB
    check_crcs: Annotated[bool, Meta(description="Whether the checksums of fetched batches are checked.")] = True
    isolation_level: Annotated[
        IsolationLevel, Meta(description="Whether batches of transactions that were not committed are left out.")
    ] = "read_committed"

    compression: Annotated[Compression, Meta(description="How what is written is compressed.")] = "zstd"
    linger_ms: Annotated[
        DurationOrZero, Meta(description="A record to be written waits this long for others to go with.")
    ] = field(default=5, name="linger")
    max_request_bytes: Annotated[
        ClientSize,
        Meta(description="Most bytes that are written in one request, and largest batch that the written topics take."),
    ] = MIB

    @property
    def servers(self) -> tuple[str, ...]:
        """The bootstrap servers one by one."""
        return tuple(server.strip() for server in self.bootstrap_servers.split(","))
