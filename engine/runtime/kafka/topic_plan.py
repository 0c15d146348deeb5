"""What the topics should be like, and what has to be changed for it. Pure: who asks brokers is `topic_admin`."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

import msgspec

from engine.settings import AlertsSettings, KafkaSettings

SAFE_REPLICAS: Final = 3
"""From so many copies on, one may be away while others are written: writes then wait for all but one."""


class TopicLayout(msgspec.Struct, frozen=True):
    """A topic as it is, or as it should be: `settings` are those of Kafka, by their names."""

    name: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]


class Way(Enum):
    """How a difference is removed."""

    CREATE = auto()
    ADD_PARTITIONS = auto()
    ALTER = auto()
    BY_HAND = auto()


class Change(msgspec.Struct, frozen=True):
    """One difference: what it is about, as it is, as it should be, and the way there."""

    topic: TopicLayout
    about: str
    now: str
    wanted: str
    way: Way
    remark: str = ""


_ALERTS: Final = AlertsSettings()


def wanted_topics(kafka: KafkaSettings, alerts: AlertsSettings = _ALERTS) -> list[TopicLayout]:
    """List the topics that the settings ask for."""
    events = {
        "max.message.bytes": str(kafka.max_message_bytes),
        # Arrival is what decides when sessions end; clocks of senders are not to be trusted with it.
        "message.timestamp.type": "LogAppendTime",
    }
    written = {"max.message.bytes": str(kafka.max_request_bytes)}
    return [
        _layout(kafka, kafka.events_topic, kafka.events_partitions, kafka.events_retention_ms, events),
        _layout(kafka, kafka.signals_topic, kafka.signals_partitions, kafka.signals_retention_ms, written),
        _layout(kafka, kafka.activity_topic, kafka.activity_partitions, kafka.activity_retention_ms, written),
        _layout(
            kafka, kafka.dead_letters_topic, kafka.dead_letters_partitions, kafka.dead_letters_retention_ms, written
        ),
        # Its records carry the times of those they were made of: a backlog is judged by when things were.
        _layout(
            kafka,
            alerts.input_topic,
            alerts.input_partitions,
            alerts.input_retention_ms,
            {**written, "message.timestamp.type": "CreateTime"},
        ),
    ]


def _layout(kafka: KafkaSettings, name: str, partitions: int, retention_ms: int, own: Mapping[str, str]) -> TopicLayout:
    replicas = kafka.replication_factor
    settings = {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_ms),
        "min.insync.replicas": str(replicas - 1 if replicas >= SAFE_REPLICAS else 1),
        **own,
    }
    return TopicLayout(name, partitions, replicas, settings)


def plan(current: Mapping[str, TopicLayout], wanted: Sequence[TopicLayout]) -> list[Change]:
    """List what has to be changed so that all wanted topics are there and as they should be.

    Args:
        current: Topics that are there, by name; others than the wanted ones are left alone.
        wanted: The topics that should be there.
    """
    return [
        change
        for topic in wanted
        for change in (_differences(current[topic.name], topic) if topic.name in current else [_creation(topic)])
    ]


def _creation(topic: TopicLayout) -> Change:
    shape = {"partitions": topic.partitions, "replication factor": topic.replication_factor, **topic.settings}
    return Change(topic, "topic", "missing", "\n".join(f"{name} {value}" for name, value in shape.items()), Way.CREATE)


def _differences(now: TopicLayout, topic: TopicLayout) -> Iterator[Change]:
    if now.partitions < topic.partitions:
        remark = "keys move, so sessions under way go on in other partitions"
        yield Change(topic, "partitions", str(now.partitions), str(topic.partitions), Way.ADD_PARTITIONS, remark)
    elif now.partitions > topic.partitions:
        remark = "Kafka never removes partitions; set what is there, or take another topic"
        yield Change(topic, "partitions", str(now.partitions), str(topic.partitions), Way.BY_HAND, remark)
    if now.replication_factor != topic.replication_factor:
        remark = "copies are moved with kafka-reassign-partitions"
        yield Change(
            topic,
            "replication factor",
            str(now.replication_factor),
            str(topic.replication_factor),
            Way.BY_HAND,
            remark,
        )
    for name, value in topic.settings.items():
        if now.settings.get(name) != value:
            yield Change(topic, name, now.settings.get(name, "not set"), value, Way.ALTER)
