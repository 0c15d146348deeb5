"""The servers of the fault suite, and one trial in them: topics, workers, what was sent, what has to come out."""

import asyncio
import random
import re
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from replay.redis_server import Binary
from tests.faults.expected import ROOT, WINCE, Expected, expect
from tests.faults.journal import Journal, Sender
from tests.faults.load import Message, Mix, make_load
from tests.faults.proxy import CuttingProxy
from tests.faults.recordings import Recording, load_recordings
from tests.faults.settings import JUDGING, Tables, write_settings
from tests.faults.told import Repeats, judge_activity, judge_dead_letters, judge_signals, read_topic
from tests.faults.verdict import Verdict, verify
from tests.servers.kafka_admin import create_topic
from tests.servers.kafka_cluster import KafkaCluster
from tests.servers.process import ServerProcess
from tests.servers.redis_process import RedisProcess
from tests.servers.waiting import until

SESSION_TIMEOUT_MS = 3_000
SETTLE_SECONDS = 180.0
JUDGE_SECONDS = 30.0
SEND_SECONDS = 120
TOLD_TOPICS = ("signals", "activity", "dead-letters")
SCRAPE_SECONDS = 5
MISSING_SHOWN = 5
PAST_MS = 6 * 3_600_000


class Arena:
    """One Kafka and one Redis with an append-only file, and a wire to Redis that can lose replies.

    Settings, logs of workers and what was sent are in `folder`, which stays where it is given as `keep`.
    """

    def __init__(self, jars: Path, redis_binary: Binary, *, brokers: int = 1, keep: Path | None = None) -> None:
        self.kafka = KafkaCluster(jars, brokers=brokers)
        self.redis = RedisProcess(redis_binary, append_only=True, options={"maxmemory-policy": "noeviction"})
        self.brokers = brokers
        self._keep = keep
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.redis)
        await self._stack.enter_async_context(self.kafka)
        self.proxy = await self._stack.enter_async_context(CuttingProxy(self.redis.port))
        self.folder = self._keep or Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="wince-faults-")))
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


class Wave(NamedTuple):
    """Messages that are sent together, and what is to become of them: by session its partition and its batches."""

    messages: Sequence[Message]
    batches: Mapping[str, int]
    partitions: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.batches.values())


class Progress(NamedTuple):
    """How many batches of a wave are stored, by partition."""

    stored: Mapping[int, int]
    wanted: Mapping[int, int]

    @property
    def done(self) -> int:
        return sum(self.stored.values())

    @property
    def left(self) -> int:
        return sum(self.wanted.values()) - self.done

    def has_moved_since(self, before: "Progress") -> bool:
        """Say whether every partition that had something left then has less left now."""
        busy = [partition for partition, count in before.wanted.items() if before.stored.get(partition, 0) < count]
        return all(self.stored.get(partition, 0) > before.stored.get(partition, 0) for partition in busy)


class Outcome(NamedTuple):
    """What the verifier found in the end."""

    verdict: Verdict
    repeats: Repeats
    records_in: int


class Trial:
    """Workers on topics and keys of their own. Use it with `async with`; everything in it follows from `seed`."""

    def __init__(
        self,
        arena: Arena,
        name: str,
        seed: int,
        *,
        partitions: int = 6,
        settings: Tables | None = None,
    ) -> None:
        self.arena = arena
        self.name = name
        self.rng = random.Random(seed)
        self.journal = Journal(partitions)
        self.workers: list[ServerProcess] = []
        self.lines: list[str] = []
        self._partitions = partitions
        self._own_settings = settings or {}
        self.recordings = load_recordings()
        self._started = 0
        self._producer: AIOKafkaProducer | None = None
        self._load_starts_at = time.time_ns() // 1_000_000 - PAST_MS

    # -- beginning and end --------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self.folder = self.arena.folder / self.name
        self.folder.mkdir()
        await self.create_events_topic()
        for topic in TOLD_TOPICS:
            await create_topic(self.bootstrap, self.topic(topic), 2, replicas=self.replicas)
        self.settings = write_settings(self.folder / "wince.toml", self._tables())
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks="all",
            enable_idempotence=True,
            max_request_size=16 << 20,
            request_timeout_ms=SEND_SECONDS * 1_000,
        )
        await self._producer.start()
        self.sender = Sender(self._producer, self.topic("events"), self.journal)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()
        if self._producer is not None:
            await self._producer.stop()

    async def create_events_topic(self) -> None:
        settings = {"max.message.bytes": f"{16 << 20}"}
        await create_topic(
            self.bootstrap, self.topic("events"), self._partitions, replicas=self.replicas, settings=settings
        )

    @property
    def bootstrap(self) -> str:
        return self.arena.kafka.bootstrap

    @property
    def replicas(self) -> int:
        return min(3, self.arena.brokers)

    def topic(self, what: str) -> str:
        return f"{self.name}-{what}"

    def _tables(self) -> dict[str, dict[str, str | int]]:
        tables: dict[str, dict[str, str | int]] = {
            "kafka": {
                "bootstrap_servers": self.bootstrap,
                "group_id": self.name,
                "events_topic": self.topic("events"),
                "signals_topic": self.topic("signals"),
                "activity_topic": self.topic("activity"),
                "dead_letters_topic": self.topic("dead-letters"),
                "session_timeout": f"{SESSION_TIMEOUT_MS}ms",
                "heartbeat_interval": "300ms",
                "rebalance_timeout": "10s",
                "metadata_max_age": "2s",
                "request_timeout": "15s",
                "replication_factor": self.replicas,
            },
            "worker": {
                "http_address": "127.0.0.1:0",
                "poll_max_messages": 20,
                "mark_interval": "500ms",
                "save_interval": "5s",
            },
            "store": {"redis_url": self.arena.proxy.url, "key_prefix": self.name},
            "session": dict(JUDGING["session"]),
        }
        for name, own in self._own_settings.items():
            tables[name].update(own)
        return tables

    # -- workers ------------------------------------------------------------------------------------------------

    def start_worker(self, instance: str = "") -> ServerProcess:
        """Start one more; it joins the group by itself, as a static member if it is given a name."""
        self._started += 1
        tables = self._tables()
        tables["kafka"]["instance_id"] = instance
        settings = write_settings(self.folder / f"worker-{self._started}.toml", tables)
        command = (*WINCE, "worker", "--config", str(settings))
        worker = ServerProcess(command, self.folder / f"worker-{self._started}.log", ROOT)
        worker.start()
        self.workers.append(worker)
        return worker

    async def meter(self, name: str) -> float:
        """Add up a metric over all workers and labels."""
        return sum([await self.meter_of(worker, name) for worker in self.workers])

    async def meter_of(self, worker: ServerProcess, name: str) -> float:
        """Read a metric of one worker, all labels added up."""
        return await asyncio.to_thread(_scrape, worker, name)

    def drop(self, worker: ServerProcess) -> None:
        """Forget one that is over."""
        self.workers.remove(worker)

    def check_alive(self) -> None:
        """Raise AssertionError if a worker ended by itself."""
        for worker in self.workers:
            assert worker.is_running, f"a worker has ended with {worker.exit_status}: {worker.said()}"

    # -- load and progress --------------------------------------------------------------------------------------

    def make_wave(
        self,
        sessions: int,
        mix: Mix,
        *,
        recordings: Sequence[Recording] | None = None,
        only_partition: int | None = None,
    ) -> Wave:
        """Make messages of so many new sessions."""
        load = make_load(
            recordings or self.recordings,
            self.rng,
            sessions=sessions,
            started_at=self._load_starts_at,
            mix=mix,
        )
        return self.as_wave(list(load), only_partition=only_partition)

    def as_wave(self, messages: Sequence[Message], *, only_partition: int | None = None) -> Wave:
        """Count what messages hold."""
        batches: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for message in messages:
            if message.batch is not None:
                batches[message.key].add(message.batch)
        fixed = only_partition
        partitions = {key: self.journal.partition_of(key) if fixed is None else fixed for key in batches}
        return Wave(messages, {key: len(found) for key, found in batches.items()}, partitions)

    async def progress(self, wave: Wave) -> Progress:
        """Ask Redis how many batches of a wave are stored, each once. Raises what redis-py raises."""
        names = [f"{self.name}:session:{{{key}}}:record" for key in wave.batches]
        async with self.arena.redis.client() as redis:
            records = await redis.mget(names) if names else []
        stored: dict[int, int] = defaultdict(int)
        wanted: dict[int, int] = defaultdict(int)
        for (key, count), record in zip(wave.batches.items(), records, strict=True):
            partition = wave.partitions[key]
            wanted[partition] += count
            if record is not None:
                stored[partition] += int(orjson.loads(record)["totals"]["batches"])
        return Progress(stored, wanted)

    async def ended(self, wave: Wave) -> int:
        """Ask Redis how many sessions of a wave have ended."""
        names = [f"{self.name}:session:{{{key}}}:record" for key in wave.batches]
        async with self.arena.redis.client() as redis:
            records = await redis.mget(names)
        return sum(record is not None and orjson.loads(record)["status"] == "ended" for record in records)

    async def end_reason(self, session_id: str) -> str | None:
        """Ask Redis why a session ended."""
        async with self.arena.redis.client() as redis:
            record = await redis.get(f"{self.name}:session:{{{session_id}}}:record")
        reason: str | None = None if record is None else orjson.loads(record).get("end_reason")
        return reason

    async def reached(self, wave: Wave, share: float) -> Progress:
        """Wait until so much of a wave is stored. Raises TimeoutError with what the workers said last."""

        async def ask() -> Progress | None:
            self.check_alive()
            now = await self.progress(wave)
            return now if now.done >= share * wave.total else None

        try:
            return await until(ask, SETTLE_SECONDS, f"{share:.0%} of a wave")
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {await self.what_is_missing(wave)}") from error

    async def moved_since(self, before: Progress, wave: Wave) -> None:
        """Wait until every partition that had something left goes on."""

        async def ask() -> bool:
            self.check_alive()
            return (await self.progress(wave)).has_moved_since(before)

        await until(ask, SETTLE_SECONDS, f"progress in all partitions since {before}")

    async def what_is_missing(self, wave: Wave) -> str:
        """Tell of the first sessions of a wave that are not complete what is stored, and where their batches are."""
        now = await self.progress(wave)
        lines = [f"{now.done} of {wave.total}, by partition {dict(now.stored)} of {dict(now.wanted)}"]
        async with self.arena.redis.client() as redis:
            for key, count in wave.batches.items():
                base = f"{self.name}:session:{{{key}}}:"
                record, position = await redis.get(base + "record"), await redis.hget(base + "meta", "position")
                stored = orjson.loads(record)["totals"]["batches"] if record else 0
                if stored != count and len(lines) < MISSING_SHOWN:
                    sent = [each for each in self.journal.sent if each.message.key == key]
                    places = [(each.partition, each.offset, each.message.batch) for each in sent]
                    lines.append(f"{key}: {stored} of {count}; position {position!r}; sent {places}")
        return "\n".join([*lines, *(worker.said() for worker in self.workers)])

    # -- the end ------------------------------------------------------------------------------------------------

    async def judge(self) -> Outcome:
        """Wait until nothing is left to do, then judge everything; what is wrong at first may still be repaired."""
        sent = self.journal.in_order()
        expected = await asyncio.to_thread(expect, sent, self.settings, self.folder / "expected")
        deadline = time.monotonic() + JUDGE_SECONDS
        while True:
            outcome = await self._judge_now(expected)
            if outcome.verdict.is_clean or time.monotonic() > deadline:
                return outcome

    async def _judge_now(self, expected: Expected) -> Outcome:
        sent = self.journal.in_order()
        repeats = Repeats()
        async with self.arena.redis.client() as redis:
            verdict = await verify(redis, self.name, expected)
            told = {name: await read_topic(self.bootstrap, self.topic(name)) for name in TOLD_TOPICS}
            await judge_signals(verdict, repeats, told["signals"], redis, self.name, expected)
        judge_activity(verdict, repeats, told["activity"], expected)
        judge_dead_letters(verdict, repeats, told["dead-letters"], self.topic("events"), sent)
        return Outcome(verdict, repeats, len(self.journal.sent))

    async def stop_workers(self) -> list[int | None]:
        """Ask all to end, as a deployment does; gives their exit statuses."""
        statuses = [await asyncio.to_thread(worker.stop) for worker in self.workers]
        self.workers.clear()
        return statuses

    async def redis_info(self, section: str) -> Mapping[str, Any]:
        """Ask Redis about itself."""
        async with self.arena.redis.client() as redis:
            info: Mapping[str, Any] = await redis.info(section)
            return info

    def redis(self) -> Redis:
        return self.arena.redis.client()


def _scrape(worker: ServerProcess, name: str) -> float:
    """Read a metric of one worker, all labels added up; it logs its port when it starts."""
    logged = re.search(rb'"port":\s*(\d+)', worker.log.read_bytes())
    assert logged, f"no port in the log: {worker.said()}"
    with urllib.request.urlopen(f"http://127.0.0.1:{int(logged[1])}/metrics", timeout=SCRAPE_SECONDS) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[ {{]", line))
