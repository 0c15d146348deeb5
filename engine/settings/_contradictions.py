"""Values of settings that are possible alone and make no sense together."""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

from detectors.wince import RULES
from engine.settings._kafka_section import KafkaSettings
from engine.settings._reader import Path, Reader
from engine.settings._sections import (
    ActivitySettings,
    KeepSettings,
    PrivacySettings,
    ProjectSettings,
    Settings,
    StoreSettings,
)
from engine.settings._serve_section import ServeSettings
from engine.settings._toml import write_toml
from engine.settings._units import DAY_MS, format_duration, format_size
from replay.withdrawals import KEPT_MS


class Contradiction(msgspec.Struct, frozen=True):
    """A key whose value another rules out: the value, what was expected, and which other keys may be to blame."""

    path: Path
    value: object
    expected: str
    others: tuple[Path, ...]


Found: TypeAlias = Iterator[Contradiction]

_TOPICS: Final = (
    ("kafka", "events_topic"),
    ("kafka", "signals_topic"),
    ("kafka", "activity_topic"),
    ("kafka", "dead_letters_topic"),
    ("alerts", "input_topic"),
)

_PROTOCOL: Final[tuple[Path, ...]] = (("kafka", "security_protocol"),)

_URL: Final[tuple[Path, ...]] = (("store", "redis_url"),)

_URL_WITH_LOGIN: Final = re.compile(r"://[^/?#]*@|[?&](username|password)=")

_MOST_CUSTOM_EVENTS: Final = 50
"""Each may be told a hundred times of a session: a few thousand activities are the most that one can make."""

_HEARTBEATS_IN_A_SESSION_TIMEOUT: Final = 3
"""A single lost sign of life must not cost the partitions; Kafka's documentation asks for this many."""


def note_contradictions(settings: Settings, reader: Reader) -> None:
    """Report all that contradicts itself, with the source that set one of the values."""
    for found in _contradictions(settings):
        # The value that is wrong may be a default that another setting rules out.
        paths = (found.path, *found.others)
        source = next(reader.sources[path] for path in paths if path in reader.sources)
        reader.add_problem(source, found.path, found.value, found.expected)


def _contradictions(settings: Settings) -> Found:
    yield from _of_session(settings, ())
    yield from _of_retention(settings.store, ())
    yield from _of_privacy(settings.privacy, ())
    yield from _of_activity(settings.activity, ())
    for name, project in settings.projects.items():
        if project.session != settings.session:
            yield from _of_session(project, ("projects", name))
        yield from _of_retention(project.store, ("projects", name))
        if project.privacy != settings.privacy:
            yield from _of_privacy(project.privacy, ("projects", name))
        if project.activity != settings.activity:
            yield from _of_activity(project.activity, ("projects", name))
    yield from _of_sizes(settings)
    yield from _of_times(settings)
    yield from _of_topics(settings)
    yield from _of_security(settings.kafka)
    yield from _of_redis(settings.store)
    yield from _of_serving(settings.serve)


def _of_session(project: ProjectSettings, at: Path) -> Found:
    idle_ms, longest_ms = project.session.idle_timeout_ms, project.session.max_duration_ms
    if idle_ms > longest_ms:
        low, high = ("session", "idle_timeout"), ("session", "max_duration")
        expected = f'at most session.max_duration, which is "{format_duration(longest_ms)}"'
        yield Contradiction((*at, *low), format_duration(idle_ms), expected, ((*at, *high), low, high))


def _of_privacy(privacy: PrivacySettings, where: Path) -> Found:
    for name, wanted in (("hash_identifiers", privacy.hash_identifiers), ("echo", privacy.echo)):
        if wanted and not privacy.identifier_secret:
            path: Path = (*where, "privacy", name)
            others: tuple[Path, ...] = (("privacy", name), (*where, "privacy", "identifier_secret"))
            yield Contradiction(path, value=True, expected="false, or a secret in identifier_secret", others=others)


def _of_activity(activity: ActivitySettings, where: Path) -> Found:
    path: Path = (*where, "activity", "custom_events")
    if len(activity.custom_events) > _MOST_CUSTOM_EVENTS:
        yield Contradiction(path, len(activity.custom_events), f"at most {_MOST_CUSTOM_EVENTS} names", ())


def _of_retention(keep: KeepSettings, at: Path) -> Found:
    kept, longest, by_tag = ("store", "retention"), ("store", "max_retention"), ("store", "retention_by_tag")
    if keep.retention_ms > keep.max_retention_ms:
        expected = f'at most store.max_retention, which is "{format_duration(keep.max_retention_ms)}"'
        yield Contradiction(
            (*at, *kept), format_duration(keep.retention_ms), expected, ((*at, *longest), kept, longest)
        )
    for tag in keep.retention_by_tag_ms:
        if tag not in RULES:
            yield Contradiction((*at, *by_tag), tag, f"tags among {', '.join(RULES)}", ((*at, *by_tag), by_tag))


def _of_sizes(settings: Settings) -> Found:
    kafka, limits, worker = settings.kafka, settings.limits, settings.worker
    largest_message = ("limits", "max_message_bytes"), limits.max_message_bytes
    largest_records = ("kafka", "max_message_bytes"), kafka.max_message_bytes
    part = ("kafka", "max_partition_fetch_bytes"), kafka.max_partition_fetch_bytes
    yield from _at_least(
        (("order", "max_held_bytes"), settings.order.max_held_bytes),
        (("limits", "max_batch_bytes"), limits.max_batch_bytes),
    )
    yield from _at_least(part, max(largest_message, largest_records, key=lambda size: size[1]))
    yield from _at_least((("kafka", "fetch_max_bytes"), kafka.fetch_max_bytes), part)
    yield from _at_least(
        (("worker", "max_bytes_in_flight"), worker.max_bytes_in_flight),
        (("worker", "poll_max_bytes"), worker.poll_max_bytes),
    )


def _at_least(large: tuple[Path, int], small: tuple[Path, int]) -> Found:
    path, size = large
    other, least = small
    if size < least:
        expected = f'at least {other[0]}.{other[1]}, which is "{format_size(least)}"'
        yield Contradiction(path, format_size(size), expected, (other,))


def _of_times(settings: Settings) -> Found:
    kafka, worker = settings.kafka, settings.worker
    if kafka.heartbeat_interval_ms * _HEARTBEATS_IN_A_SESSION_TIMEOUT > kafka.session_timeout_ms:
        expected = f'at most a third of kafka.session_timeout, which is "{format_duration(kafka.session_timeout_ms)}"'
        yield _wrong_time("kafka", "heartbeat_interval", kafka.heartbeat_interval_ms, expected, "session_timeout")
    if kafka.request_timeout_ms <= kafka.rebalance_timeout_ms:
        # The request to join a group is answered when all members have joined, or that time is over.
        expected = f'more than kafka.rebalance_timeout, which is "{format_duration(kafka.rebalance_timeout_ms)}"'
        yield _wrong_time("kafka", "request_timeout", kafka.request_timeout_ms, expected, "rebalance_timeout")
    alerts = settings.alerts
    if alerts.forget_after_ms <= alerts.input_retention_ms:
        # What was forgotten must not be read again.
        expected = f'more than alerts.input_retention, which is "{format_duration(alerts.input_retention_ms)}"'
        yield _wrong_time("alerts", "forget_after", alerts.forget_after_ms, expected, "input_retention")
    if alerts.forget_after_ms + DAY_MS > KEPT_MS:
        # What is kept for longer than deletions are told may hold what was deleted.
        yield Contradiction(("alerts", "forget_after"), format_duration(alerts.forget_after_ms), "at most 30d", ())
    if worker.retry_backoff_ms > worker.max_retry_backoff_ms:
        expected = f'at most worker.max_retry_backoff, which is "{format_duration(worker.max_retry_backoff_ms)}"'
        yield _wrong_time("worker", "retry_backoff", worker.retry_backoff_ms, expected, "max_retry_backoff")


def _wrong_time(section: str, key: str, value_ms: int, expected: str, other: str) -> Contradiction:
    return Contradiction((section, key), format_duration(value_ms), expected, ((section, other),))


def _of_topics(settings: Settings) -> Found:
    taken: dict[str, tuple[str, str]] = {}
    for key in _TOPICS:
        topic: str = getattr(getattr(settings, key[0]), key[1])
        if topic in taken:
            other = taken[topic]
            yield Contradiction(key, topic, f"another topic than {'.'.join(other)}", (other,))
        taken.setdefault(topic, key)
    if settings.alerts.group_id == settings.kafka.group_id:
        other = ("kafka", "group_id")
        yield Contradiction(
            ("alerts", "group_id"), settings.alerts.group_id, "another group than kafka.group_id", (other,)
        )


def _of_security(kafka: KafkaSettings) -> Found:
    protocol = kafka.security_protocol
    logs_in, encrypts = protocol.startswith("SASL"), protocol.endswith("SSL")
    by_protocol = f"with kafka.security_protocol = {write_toml(protocol)}"
    for key in ("sasl_username", "sasl_password"):
        if logs_in and not getattr(kafka, key):
            yield Contradiction(("kafka", key), None, f"the login's {key[5:]}, {by_protocol}", _PROTOCOL)
        elif not logs_in and getattr(kafka, key):
            yield Contradiction(("kafka", key), getattr(kafka, key), f"nothing, {by_protocol}", _PROTOCOL)
    for key in ("tls_ca_file", "tls_cert_file", "tls_key_file", "tls_key_password"):
        if not encrypts and getattr(kafka, key):
            yield Contradiction(("kafka", key), getattr(kafka, key), f"nothing, {by_protocol}", _PROTOCOL)
    if kafka.tls_key_file and not kafka.tls_cert_file:
        other = ("kafka", "tls_key_file")
        yield Contradiction(("kafka", "tls_cert_file"), None, "the certificate of kafka.tls_key_file", (other,))


def _of_redis(store: StoreSettings) -> Found:
    if _URL_WITH_LOGIN.search(store.redis_url):
        for key in ("redis_username", "redis_password"):
            if getattr(store, key):
                yield Contradiction(
                    ("store", key), getattr(store, key), "nothing, with a login in store.redis_url", _URL
                )
    if store.redis_username and not store.redis_password:
        yield Contradiction(("store", "redis_password"), None, "the user's password", (("store", "redis_username"),))
    if not store.redis_url.startswith("rediss"):
        for key in ("redis_tls_ca_file", "redis_tls_cert_file", "redis_tls_key_file"):
            if getattr(store, key):
                expected = 'nothing, unless store.redis_url begins with "rediss"'
                yield Contradiction(("store", key), getattr(store, key), expected, _URL)
    if store.redis_tls_key_file and not store.redis_tls_cert_file:
        other = ("store", "redis_tls_key_file")
        yield Contradiction(
            ("store", "redis_tls_cert_file"), None, "the certificate of store.redis_tls_key_file", (other,)
        )


def _of_serving(serve: ServeSettings) -> Found:
    address: tuple[Path, ...] = (("serve", "http_address"),)
    if serve.login == "none" and not serve.is_loopback:
        yield Contradiction(("serve", "login"), "none", '"token", where others can reach serve.http_address', address)
    if serve.login == "none" and "*" in serve.allowed_hosts:
        login: tuple[Path, ...] = (("serve", "login"),)
        yield Contradiction(("serve", "allowed_hosts"), ["*"], 'names, with serve.login = "none"', login)
    if serve.http_host in {"0.0.0.0", "::"} and not serve.allowed_hosts:  # noqa: S104 - looked for, not bound
        expected = 'the names the server has, or ["*"]: serve.http_address tells none'
        yield Contradiction(("serve", "allowed_hosts"), [], expected, address)
    if serve.tls_key_file and not serve.tls_cert_file:
        other = ("serve", "tls_key_file")
        yield Contradiction(("serve", "tls_cert_file"), None, "the certificate of serve.tls_key_file", (other,))
