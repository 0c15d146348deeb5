"""`wince delete` beside a real Kafka: readers of the activity topic are told, once for each session."""

import argparse
import asyncio
import json
import uuid
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.cli import delete as command
from engine.runtime.readers import open_readers
from engine.settings import KafkaSettings, Settings
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from replay.tombstones import DELETED, Removed, Tombstone
from tests.kafka.groups import consumer
from tests.replay.samples import T0, write
from tests.servers.kafka_admin import create_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["delete", *arguments]))


async def test_readers_are_told_of_what_was_stored(
    kafka: Kafka, redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    topic = f"activity-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic, 1)
    async with Redis.from_url(redis_server.url, protocol=2) as redis:
        await redis.flushall()
    store = RedisStore(connect(redis_server.url), StoreSettings(), lambda: T0)
    await store.apply_many([write("a"), write("b"), write("c")])
    await store.close()
    for name, value in (
        ("STORE_REDIS_URL", redis_server.url), ("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap),
        ("KAFKA_ACTIVITY_TOPIC", topic),
    ):  # fmt: skip
        monkeypatch.setenv(f"WINCE_{name}", value)
    receipt = tmp_path / "receipt.json"
    asked = ("--session", "a", "--session", "c", "--session", "never", "--yes", "--receipt", str(receipt))
    assert await asyncio.to_thread(run, *asked) == 0
    assert json.loads(receipt.read_text())["kafka"]["told_on"] == topic
    async with consumer(kafka.bootstrap, topic, topic) as (reader, _):
        told = [await asyncio.wait_for(reader.getone(), 20) for _ in range(2)]
        end = (await reader.end_offsets(reader.assignment())).values()
    assert list(end) == [2]
    said = [json.loads(each.value) for each in told]
    assert [(each["kind"], each["session_id"], each["project_id"]) for each in said] == [
        ("session_withdrawn", "a", "shop"), ("session_withdrawn", "c", "shop"),
    ]  # fmt: skip
    assert [each.key for each in told] == [b"a", b"c"]


async def test_readers_are_told_by_the_http_server_as_well(kafka: Kafka) -> None:
    topic = f"activity-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic, 1)
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=kafka.bootstrap, activity_topic=topic))
    async with open_readers(settings) as tell:
        await tell([removed("a", "shop"), removed("never stored", "")])
    async with consumer(kafka.bootstrap, topic, topic) as (reader, _):
        told = json.loads((await asyncio.wait_for(reader.getone(), 20)).value)
        assert list((await reader.end_offsets(reader.assignment())).values()) == [1]
    assert (told["kind"], told["session_id"], told["project_id"]) == ("session_withdrawn", "a", "shop")


def removed(session_id: str, project_id: str) -> Removed:
    stone = Tombstone("id", DELETED, T0, project_id)
    return Removed(session_id=session_id, tombstone=stone, keys=[], listings=[], stream_entries=0, signal_ids=[])
