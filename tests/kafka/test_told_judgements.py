"""`wince reprocess --write --publish` beside a real Kafka: readers of the signals hear what is new, once."""

import argparse
import asyncio
import json
import uuid

import pytest
from redis.asyncio import Redis

from engine.cli import reprocess as command
from tests.engine.reprocess.test_reprocess import Server
from tests.kafka.groups import consumer
from tests.servers.kafka_admin import create_topic
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["reprocess", "--all", "--write", "--json", *arguments]))


async def test_readers_are_told_of_changed_signals(
    kafka: Kafka, redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    topic = f"signals-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic, 1)
    async with Redis.from_url(redis_server.url, protocol=2) as redis:
        await redis.flushall()
        server = Server(redis_server.url, redis)
        await server.fill()
        await server.client.close()
    for name, value in (
        ("STORE_REDIS_URL", redis_server.url), ("KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrap),
        ("KAFKA_SIGNALS_TOPIC", topic), ("DETECTORS__DEAD_CLICK__WAIT_MS", "200"),
    ):  # fmt: skip
        monkeypatch.setenv(f"WINCE_{name}", value)
    for _ in range(2):
        assert await asyncio.to_thread(run, "--publish") == 0
    *lines, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert summary["published"] == 0
    news = {
        signal["id"]: signal
        for line in lines
        for signal in (*line.get("added", ()), *(pair["after"] for pair in line.get("changed", ())))
    }
    assert news
    async with consumer(kafka.bootstrap, topic, topic) as (reader, _):
        told = [await asyncio.wait_for(reader.getone(), 20) for _ in news]
        assert list((await reader.end_offsets(reader.assignment())).values()) == [len(news)]
    assert {(signal := json.loads(each.value))["id"]: signal for each in told} == news
    assert {each.key.decode() for each in told} == {signal["session_id"] for signal in news.values()}


@pytest.mark.usefixtures("redis_server")
def test_nothing_is_written_if_nobody_can_be_told(
    redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", redis_server.url)
    monkeypatch.setenv("WINCE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert run("--publish") == 1
    assert "Kafka cannot be reached" in capsys.readouterr().err
