"""Workers in this process, on topics, a group and keys that nobody else uses, against real servers."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from engine.core.core import Core
from engine.core.shared import Shared
from engine.input.files import SourceMessage
from engine.operate.health import Health
from engine.operate.registry import Meters
from engine.operate.traces import NO_TRACES
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.patience import Patience
from engine.runtime.kafka.process import _Observer
from engine.runtime.kafka.tools import Tools
from engine.runtime.kafka.worker import Worker
from engine.runtime.recorded import RecordedRun
from engine.runtime.stores import redis_client, store_settings
from engine.runtime.writer import Writer
from engine.settings import KafkaSettings, Settings, WorkerSettings
from engine.settings import StoreSettings as StoreSection
from replay.marks import Mark, RedisMarks
from replay.redis_client import RedisClient
from replay.redis_store import RedisStore
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.kafka.groups import producer
from tests.servers.kafka_admin import committed, create_topic, log_bounds
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis
from tests.servers.waiting import until

WAIT_SECONDS = 60.0
HOUR_MS = 3_600_000


class Site:
    """One installation: its topics, its group, its keys in Redis, its clock."""

    def __init__(self, kafka: Kafka, redis: FoundRedis) -> None:
        self.name = f"test-{uuid.uuid4().hex[:20]}"
        self.bootstrap = kafka.bootstrap
        self.events = f"{self.name}-events"
        self.settings = Settings(
            kafka=KafkaSettings(
                bootstrap_servers=kafka.bootstrap,
                group_id=self.name,
                events_topic=self.events,
                signals_topic=f"{self.name}-signals",
                activity_topic=f"{self.name}-activity",
                dead_letters_topic=f"{self.name}-dead-letters",
                session_timeout_ms=6_000,
                heartbeat_interval_ms=200,
                metadata_max_age_ms=1_000,
                fetch_max_wait_ms=100,
                retry_backoff_ms=50,
                replication_factor=1,
            ),
            store=StoreSection(redis_url=redis.url, key_prefix=self.name),
            worker=WorkerSettings(mark_interval_ms=200, retry_backoff_ms=20),
        )
        self.skipped_ms = 0

    def change(self, section: str, **values: Any) -> None:
        """Set something."""
        changed = msgspec.structs.replace(getattr(self.settings, section), **values)
        self.settings = msgspec.structs.replace(self.settings, **{section: changed})

    def clock_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.skipped_ms

    async def create(self, partitions: int = 1, **settings: str) -> None:
        """Create the topics."""
        kafka = self.settings.kafka
        await create_topic(self.bootstrap, self.events, partitions, settings=settings)
        for topic in (kafka.signals_topic, kafka.activity_topic, kafka.dead_letters_topic):
            await create_topic(self.bootstrap, topic)

    async def send(self, batches: Iterable[bytes], partition: int = 0) -> None:
        """Write records, in this order."""
        async with producer(self.bootstrap) as made:
            for batch in batches:
                await made.send(self.events, batch, partition=partition)
            await made.flush()

    async def ends(self) -> dict[int, int]:
        """Return the offset after the last of each partition."""
        return {partition: end for partition, (_, end) in (await log_bounds(self.bootstrap, self.events)).items()}

    async def commits(self) -> dict[int, int]:
        """Return what the group has committed; nothing while the broker sets groups up."""
        with suppress(GroupCoordinatorNotAvailableError):
            return {where.partition: offset for where, offset in (await committed(self.bootstrap, self.name)).items()}
        return {}

    async def told(self, topic: str) -> list[Any]:
        """Read all of a topic."""
        bounds = await log_bounds(self.bootstrap, topic)
        reader = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        async with reader:
            places = [TopicPartition(topic, partition) for partition in bounds]
            reader.assign(places)
            await reader.seek_to_beginning(*places)
            values: list[bytes] = []
            while len(values) < sum(end - begin for begin, end in bounds.values()):
                values += [each.value for part in (await reader.getmany(timeout_ms=500)).values() for each in part]
        return [msgspec.json.decode(value) for value in values]


class Running:
    """A worker at work."""

    def __init__(self, site: Site, worker: Worker, tools: Tools) -> None:
        self.site = site
        self.worker = worker
        self.tools = tools
        self.meters, self.health = tools.meters, tools.health
        self.task = asyncio.create_task(worker.run())
        self.is_judged = False

    async def ended(self) -> BaseException | None:
        """Wait until it has ended, and give what ended it."""
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.wait((self.task,))
        self.is_judged = True
        return self.task.exception()

    async def until(self, ask: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until something is so; raises what ends the worker."""

        async def asked() -> bool:
            if self.task.done():
                self.task.result()
            return await ask()

        await until(asked, WAIT_SECONDS, what)

    async def reads_all(self) -> None:
        """Wait until all that is there is durable and committed."""
        ends = await self.site.ends()

        async def ask() -> bool:
            commits = await self.site.commits()
            return all(commits.get(partition, 0) >= end for partition, end in ends.items())

        await self.until(ask, f"commits of {ends}")

    async def stop(self) -> None:
        """Have it drain and end."""
        self.worker.stop()
        await self.task


class Stored:
    """What is in Redis."""

    def __init__(self, site: Site, client: RedisClient) -> None:
        self.store = RedisStore(client, store_settings(site.settings))
        self.marks = RedisMarks(client, site.settings.store.key_prefix)
        self._site = site

    async def record(self, session_id: str) -> SessionRecord:
        """Return a session's record; it has to be there."""
        found = await self.store.record(session_id)
        assert found is not None, session_id
        return found

    async def mark(self, partition: int = 0) -> Mark | None:
        return await self.marks.read(f"{self._site.events}/{partition}")

    async def content(self, session_ids: Iterable[str]) -> dict[str, object]:
        """Return what has to be the same however sessions came here."""
        content: dict[str, object] = {}
        for session_id in session_ids:
            record = await self.record(session_id)
            bundle = [(line.window_id, line.event) async for line in self.store.bundle(session_id)]
            signals: list[Signal] = await self.store.signals(session_id)
            content[session_id] = (bundle, signals, record.tags, record.totals, record.pages, record.status)
        return content


@asynccontextmanager
async def stored(site: Site, prefix: str | None = None) -> AsyncIterator[Stored]:
    """Look into a site's Redis, or into other keys of it."""
    if prefix is not None:
        seen = Site.__new__(Site)
        seen.__dict__ |= site.__dict__
        seen.change("store", key_prefix=prefix)
        site = seen
    client = redis_client(site.settings)
    try:
        yield Stored(site, client)
    finally:
        await client.close()


@asynccontextmanager
async def running(site: Site, number: int = 0) -> AsyncIterator[Running]:
    """Run a worker; one that is still at work in the end is stopped."""
    meters, health = Meters("test"), Health()
    async with AsyncExitStack() as stack:
        client = redis_client(site.settings, _Observer(meters, health))
        stack.push_async_callback(client.close)
        emitter = Emitter(site.settings.kafka)
        stack.push_async_callback(emitter.close)
        tools = Tools(
            settings=site.settings,
            owner=uuid.uuid4().hex,
            shared=Shared(site.settings),
            store=RedisStore(client, store_settings(site.settings)),
            marks=RedisMarks(client, site.settings.store.key_prefix),
            emitter=emitter,
            patience=Patience(site.settings.worker, meters, health.beat),
            meters=meters,
            health=health,
            tracer=NO_TRACES,
            collect=lambda: None,
            clock_ms=site.clock_ms,
        )
        here = Running(site, Worker(tools, number), tools)
        try:
            yield here
        finally:
            here.worker.stop()
            error = await here.ended() if not here.is_judged else None
    if error is not None:
        raise error


async def recorded(site: Site, batches: Iterable[bytes], prefix: str) -> None:
    """Run batches as recorded input into other keys of the same Redis."""
    async with stored(site, prefix) as other:
        run = RecordedRun(
            Core(site.settings), Writer(other.store, "recorded", "recorded", keep_state=False), bury=lambda _: None
        )
        await run.run(SourceMessage(value, None, "recorded", line, line) for line, value in enumerate(batches))
