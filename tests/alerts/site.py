"""One installation of alerters: topics, a group, keys in Redis, and what is in them."""

import os
import sys
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError, NodeNotReadyError

from engine.alerts.core import Item
from engine.alerts.store import AlertStore, StoredProject
from engine.runtime.stores import redis_client
from engine.settings import load_settings
from schemas.alerts import Alert
from schemas.signals import Signal
from tests.kafka.groups import producer
from tests.servers.kafka_admin import committed, create_topic, log_bounds, members
from tests.servers.kafka_broker import Kafka
from tests.servers.process import ServerProcess
from tests.servers.waiting import until

ROOT = Path(__file__).parents[2]
ALERTER = (sys.executable, "-m", "engine.cli", "alerts", "run")
SECONDS = float(os.environ.get("WINCE_TEST_ALERT_SECONDS", "60"))

MANY = """
[[rules]]
name = "many"
kind = "sessions"
detectors = ["rage_click"]
dimensions = ["page"]
threshold = 4
min_sessions = 5
window = "10m"
"""


class AlertSite:
    """Topics with names of their own, settings in a file, alerters as processes."""

    def __init__(self, kafka: Kafka, redis_url: str, folder: Path, rules: str = MANY, partitions: int = 2) -> None:
        self.name = f"test-{uuid.uuid4().hex[:20]}"
        self.bootstrap = kafka.bootstrap
        self.partitions = partitions
        self.folder = folder
        self.rules = folder / "rules.toml"
        self.rules.write_text(rules)
        self.config = folder / "wince.toml"
        self.config.write_text(f"""
[kafka]
bootstrap_servers = "{kafka.bootstrap}"
signals_topic = "{self.name}-signals"
activity_topic = "{self.name}-activity"
session_timeout = "6s"
heartbeat_interval = "200ms"
metadata_max_age = "1s"
fetch_max_wait = "50ms"
retry_backoff = "50ms"
replication_factor = 1

[store]
redis_url = "{redis_url}"
key_prefix = "{self.name}"

[worker]
retry_backoff = "20ms"
max_retry_backoff = "500ms"
log_level = "info"

[alerts]
group_id = "{self.name}"
input_topic = "{self.name}-input"
input_partitions = {partitions}
rules_file = "{self.rules}"
rules_interval = "200ms"
resolved_interval = "200ms"
http_address = "127.0.0.1:0"
""")
        self.settings = load_settings(self.config, {})
        self._made: list[ServerProcess] = []

    async def create(self) -> None:
        """Create the topics."""
        kafka = self.settings.kafka
        for topic in (kafka.signals_topic, kafka.activity_topic, self.settings.alerts.input_topic):
            await create_topic(self.bootstrap, topic, self.partitions)

    def alerter(self) -> ServerProcess:
        """Make an alerter that is not started yet."""
        made = ServerProcess((*ALERTER, "--config", str(self.config)), self.folder / f"log-{len(self._made)}", ROOT)
        self._made.append(made)
        return made

    def stop_all(self) -> None:
        for process in self._made:
            process.kill()

    async def send(self, items: Iterable[Item]) -> None:
        """Write items to their topics, those of a session to one partition."""
        async with producer(self.bootstrap) as made:
            for item in items:
                key = getattr(item, "session_id", "").encode()
                await made.send(self.topic_of(item), encoded(item), key=key)
            await made.flush()

    def topic_of(self, item: Item) -> str:
        kafka = self.settings.kafka
        return kafka.signals_topic if isinstance(item, Signal) else kafka.activity_topic

    async def commits(self) -> dict[tuple[str, int], int]:
        """Return what the group has committed; nothing while the broker sets groups up, or has no time."""
        with suppress(GroupCoordinatorNotAvailableError, NodeNotReadyError, KafkaConnectionError):
            return {tuple(where): offset for where, offset in (await committed(self.bootstrap, self.name)).items()}
        return {}

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit offsets for the group, which nobody is in any more."""

        async def is_empty() -> bool:
            return await members(self.bootstrap, self.name) == 0

        await until(is_empty, SECONDS, "an empty group")
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.name, enable_auto_commit=False, auto_offset_reset="none"
        )
        await consumer.start()
        try:
            consumer.assign([TopicPartition(*place) for place in offsets])
            await consumer.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
        finally:
            await consumer.stop()

    @property
    def running(self) -> list[ServerProcess]:
        return [process for process in self._made if process.is_running]

    async def ends(self) -> dict[tuple[str, int], int]:
        """Return the offset after the last record of every partition that has any."""
        kafka, found = self.settings.kafka, dict[tuple[str, int], int]()
        for topic in (kafka.signals_topic, kafka.activity_topic, self.settings.alerts.input_topic):
            bounds = await log_bounds(self.bootstrap, topic)
            found |= {(topic, partition): end for partition, (_, end) in bounds.items() if end}
        return found

    async def has_more_to_judge(self) -> bool:
        """Say whether something was sent that is not judged."""
        ends, commits = await self.ends(), await self.commits()
        return any(commits.get(place, 0) < end for place, end in ends.items())

    async def has_judged_some(self, *alive: ServerProcess) -> None:
        """Wait until something new was judged and stored, of every partition that is there now."""
        topic = self.settings.alerts.input_topic

        async def some() -> int:
            commits = await self.commits()
            return sum(offset for place, offset in commits.items() if place[0] == topic)

        before = await some()

        async def ask() -> bool:
            for process in alive:
                assert process.is_running, process.said()
            return await some() > before + 50

        await until(ask, SECONDS, "something judged")

    async def share_partitions(self, *alive: ServerProcess) -> None:
        """Wait until all of them are in the group."""

        async def ask() -> bool:
            for process in alive:
                assert process.is_running, process.said()
            return await members(self.bootstrap, self.name) == len(alive)

        await until(ask, SECONDS, f"a group of {len(alive)}")

    async def has_judged_all(self, *alive: ServerProcess) -> None:
        """Wait until everything sent was forwarded, judged and stored."""
        kafka = self.settings.kafka
        for topic in (kafka.signals_topic, kafka.activity_topic, self.settings.alerts.input_topic):
            ends = {partition: end for partition, (_, end) in (await log_bounds(self.bootstrap, topic)).items() if end}

            async def ask(topic: str = topic, ends: dict[int, int] = ends) -> bool:
                for process in alive:
                    assert process.is_running, process.said()
                commits = await self.commits()
                return all(commits.get((topic, partition), 0) >= end for partition, end in ends.items())

            await until(ask, SECONDS, f"commits of {topic}: {ends}")

    async def stored(self, project_id: str = "shop") -> StoredProject:
        client = redis_client(self.settings)
        try:
            (found,) = await AlertStore(client, self.name).load([project_id])
        finally:
            await client.close()
        return found

    async def alerts(self, project_id: str = "shop") -> list[Alert]:
        client = redis_client(self.settings)
        try:
            return await AlertStore(client, self.name).alerts([project_id])
        finally:
            await client.close()

    async def told(self, count: int, *alive: ServerProcess) -> list[Alert]:
        """Wait until so many alerts are listed."""

        async def ask() -> list[Alert] | None:
            for process in alive:
                assert process.is_running, process.said()
            found = await self.alerts()
            return found if len(found) >= count else None

        return await until(ask, SECONDS, f"{count} alerts")


def encoded(item: Item) -> bytes:
    return msgspec.json.encode(item)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
