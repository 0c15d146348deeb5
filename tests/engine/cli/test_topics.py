"""`wince topics` against a real broker."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from engine.cli import main
from tests.servers.kafka_admin import admin, create_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.process import free_port
from tests.servers.waiting import until

SECONDS = 30.0
TOPICS = ("events", "signals", "activity", "dead_letters")

Capture = pytest.CaptureFixture[str]
Run = Callable[..., Awaitable[int]]


@pytest.fixture
def prefix() -> str:
    """Start of the names of topics that no other test uses."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def wince(kafka: Kafka, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `wince topics` with small topics of one's own; named arguments are keys of `[kafka]`."""

    async def run(*arguments: str, **chosen: object) -> int:
        wanted = {
            "bootstrap_servers": kafka.bootstrap,
            "replication_factor": 1,
            "request_timeout": "10s",
            "rebalance_timeout": "5s",
            **{f"{name}_topic": f"{prefix}-{name}" for name in TOPICS},
            **{f"{name}_partitions": 1 for name in TOPICS},
            **chosen,
        }
        monkeypatch.setattr("os.environ", {f"WINCE_KAFKA_{key.upper()}": str(value) for key, value in wanted.items()})
        return await asyncio.to_thread(main, ["topics", *arguments])

    return run


async def is_right(wince: Run, **chosen: object) -> None:
    """Wait until brokers tell what they were told."""

    async def asked() -> bool:
        return await wince(**chosen) == 0

    await until(asked, SECONDS, "topics as they should be")


async def settings_of(kafka: Kafka, topic: str) -> dict[str, str]:
    async with admin(kafka.bootstrap) as client:
        (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def partitions_of(kafka: Kafka, topic: str) -> int:
    async with admin(kafka.bootstrap) as client:
        return len((await client.describe_topics([topic]))[0]["partitions"])


async def topics_of(kafka: Kafka, prefix: str) -> list[str]:
    async with admin(kafka.bootstrap) as client:
        return sorted(topic for topic in await client.list_topics() if topic.startswith(prefix))


async def test_missing_topics_are_told_and_made_only_when_asked_to(
    kafka: Kafka, wince: Run, prefix: str, capsys: Capture
) -> None:
    assert await wince() == 1
    printed = capsys.readouterr().out
    assert all(f"{prefix}-{name}" in printed for name in TOPICS)
    assert "Nothing was changed" in printed
    assert await topics_of(kafka, prefix) == []
    assert await wince("--apply") == 0
    assert "done: create" in capsys.readouterr().out
    await is_right(wince)
    assert "All topics are as they should be." in capsys.readouterr().out
    settings = await settings_of(kafka, f"{prefix}-events")
    assert settings["message.timestamp.type"] == "LogAppendTime"
    assert settings["max.message.bytes"] == f"{10 << 20}"


async def test_differences_are_told_and_changed_and_nothing_else_is(
    kafka: Kafka, wince: Run, prefix: str, capsys: Capture
) -> None:
    await create_topic(kafka.bootstrap, f"{prefix}-events", settings={"segment.bytes": "1048576", "retention.ms": "5"})
    assert await wince("--apply") == 0
    capsys.readouterr()
    await is_right(wince)
    assert await wince(events_retention="2h", events_partitions=3) == 1
    printed = capsys.readouterr().out
    assert "604800000" in printed
    assert "7200000" in printed
    assert await partitions_of(kafka, f"{prefix}-events") == 1
    assert await wince("--apply", events_retention="2h", events_partitions=3) == 0
    await is_right(wince, events_retention="2h", events_partitions=3)
    settings = await settings_of(kafka, f"{prefix}-events")
    assert (settings["retention.ms"], settings["segment.bytes"]) == ("7200000", "1048576")


async def test_partitions_and_copies_too_many_are_left_to_people(
    kafka: Kafka, wince: Run, prefix: str, capsys: Capture
) -> None:
    await create_topic(kafka.bootstrap, f"{prefix}-events", partitions=2)
    assert await wince("--apply") == 1
    assert "never removes partitions" in capsys.readouterr().out
    assert await partitions_of(kafka, f"{prefix}-events") == 2


async def test_what_brokers_refuse_is_told_with_their_reason(wince: Run, capsys: Capture) -> None:
    assert await wince("--apply", replication_factor=99) == 1
    error = capsys.readouterr().err
    assert "cannot be created: InvalidReplicationFactorError" in error
    assert "99" in error


async def test_a_kafka_that_is_not_there_is_told(wince: Run, capsys: Capture) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    assert await wince(bootstrap_servers=nobody) == 1
    assert f"wince: no answer from Kafka at {nobody} (kafka.bootstrap_servers)" in capsys.readouterr().err


async def test_unusable_certificates_are_wrong_settings(wince: Run, capsys: Capture) -> None:
    assert await wince(security_protocol="SSL", tls_ca_file="/nowhere/ca.pem") == 2
    assert "kafka.tls_ca_file = /nowhere/ca.pem" in capsys.readouterr().err
