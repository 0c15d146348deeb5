"""Workers, a log and a store in one process and in virtual time: everything but Kafka, Redis and chance is real."""

import asyncio
import contextlib
import random
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import msgspec

from engine.core.shared import Shared
from engine.operate.health import Health
from engine.operate.registry import Meters
from engine.operate.traces import NO_TRACES
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import Message
from engine.runtime.kafka.ownership import ResetError
from engine.runtime.kafka.partition import Partition
from engine.runtime.kafka.patience import Patience
from engine.runtime.kafka.records import Place
from engine.runtime.kafka.source import KafkaSource, NotOwnerError
from engine.runtime.kafka.tools import Tools
from engine.settings import Settings
from replay.errors import Unavailable
from replay.marks import Marks
from replay.store import Store
from schemas.dead_letter import DeadLetter
from schemas.envelope import Envelope
from tests.engine.core.harness import START_MS
from tests.engine.runtime.kafka.memory_log import MemberView, Topic
from tests.engine.runtime.kafka.memory_store import Data, MemoryMarks, MemoryStore, Port

FETCH_SECONDS = 0.05
SETTLE_SECONDS = 600.0


class Told:
    """What was told on the other topics."""

    def __init__(self) -> None:
        self.messages: dict[str, list[bytes]] = {"signal": [], "activity": []}
        self.letters: list[DeadLetter] = []

    def ids(self, channel: str) -> set[str]:
        """Return the ids of all that was told on one of them."""
        return {msgspec.json.decode(value)["id"] for value in self.messages[channel]}


class _MemoryEmitter:
    def __init__(self, told: Told, port: Port) -> None:
        self._told = told
        self._port = port

    async def send(self, messages: Sequence[Message]) -> None:
        if messages:
            await self._port.go()
            for message in messages:
                self._told.messages[message.channel].append(message.value)
            await self._port.go()

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        if letters := list(letters):
            await self._port.go()
            self._told.letters += letters
            await self._port.go()


def memory_tools(
    settings: Settings, owner: str, data: Data, told: Told, port: Port, clock_ms: Callable[[], int]
) -> Tools:
    """Make the tools of one process: all of it real but store, marks and producer."""
    meters, health = Meters("test"), Health()
    return Tools(
        settings=settings,
        owner=owner,
        shared=Shared(settings),
        store=cast("Store", MemoryStore(data, port)),
        marks=cast("Marks", MemoryMarks(data, port)),
        emitter=cast("Emitter", _MemoryEmitter(told, port)),
        patience=Patience(settings.worker, meters, health.beat),
        meters=meters,
        health=health,
        tracer=NO_TRACES,
        collect=lambda: None,
        clock_ms=clock_ms,
    )


class Node:
    """One worker process."""

    def __init__(self, world: "World", name: str) -> None:
        self.port = Port(world.rng, world.trouble)
        self.view = MemberView(world.topic, self.port)
        self.identity = world.topic.identity
        self._world = world
        self._partitions: dict[Place, Partition] = {}
        self._tasks: dict[Place, asyncio.Task[None]] = {}
        self._tools = memory_tools(world.settings, name, world.data, world.told, self.port, world.clock_ms)
        self._fetching = asyncio.create_task(self._fetch_always())

    async def _fetch_always(self) -> None:
        while True:
            await asyncio.sleep(FETCH_SECONDS)
            for place, partition in self._partitions.items():
                if place in self.view.assigned and place not in self.view.paused and partition.is_fetching:
                    records = self.view.fetch(place, self._world.rng.choice([1, 3, 20]))
                    if records is None:
                        self.view.pause([place])
                        partition.trouble("out_of_range")
                    else:
                        partition.offer(records)

    async def assign(self, places: Iterable[Place]) -> None:
        """Hear of an assignment; partitions that were here before and still are go on as they were."""
        here, self._partitions = self._partitions, {}
        self.view.assigned = set(places)
        source = cast("KafkaSource", self.view)
        for place in sorted(self.view.assigned):
            partition = here.pop(place, None) or Partition(place, source, self._tools, lambda: self.identity)
            self._partitions[place] = partition
            self._tasks[place] = partition.start()
        for partition in self._partitions.values():
            partition.share_memory(len(self._partitions))

    async def revoke(self) -> None:
        """Hear that partitions are dealt out anew: end what is under way."""
        for partition in self._partitions.values():
            partition.stop()
        await self._end()
        await self.commit()

    async def _end(self) -> None:
        tasks, self._tasks = self._tasks, {}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=5)
        for task in tasks.values():
            task.cancel()
        for done in await asyncio.gather(*tasks.values(), return_exceptions=True):
            if isinstance(done, Exception):
                raise done

    async def commit(self) -> None:
        """Commit what is durable."""
        offsets = {place: partition.durable_offset for place, partition in self._partitions.items()}
        try:
            await self.view.commit({place: offset for place, offset in offsets.items() if offset >= 0})
        except (NotOwnerError, Unavailable):
            return

    def look_at_topic(self) -> None:
        """Find out whether the topic is still the same."""
        if self.identity != self._world.topic.identity:
            self.identity = self._world.topic.identity
            for partition in self._partitions.values():
                partition.trouble("log_changed")

    async def drain(self) -> None:
        """Save everything and end, as on SIGTERM."""
        await self.revoke()
        for partition in self._partitions.values():
            with contextlib.suppress(ResetError):
                await partition.save()
        await self.commit()
        self._fetching.cancel()

    def kill(self) -> None:
        """End at once, wherever it just is."""
        self.port.cut()
        self._fetching.cancel()
        for task in self._tasks.values():
            task.cancel()

    def check(self) -> None:
        """Raise what ended a task that should not have ended."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    @property
    def is_done(self) -> bool:
        """Whether it has read everything that is there, and what it read is durable."""
        return all(
            partition.durable_offset >= len(self._world.topic.records[place.partition])
            for place, partition in self._partitions.items()
        )


class World:
    """One topic, one store, some workers. Everything in it follows from the `seed`."""

    def __init__(self, seed: int, settings: Settings, *, partitions: int = 2, trouble: float = 0.0) -> None:
        self.rng = random.Random(seed)
        self.settings = settings
        self.trouble = trouble
        self.data, self.told, self.topic = Data(), Told(), Topic(partitions)
        self.nodes: list[Node] = []
        self.asleep: list[Node] = []
        self.produced: list[bytes] = []
        self._started = 0
        self._skipped_ms = 0

    def clock_ms(self) -> int:
        return START_MS + self._skipped_ms + int(asyncio.get_running_loop().time() * 1_000)

    def skip(self, milliseconds: int) -> None:
        """Let so much time have passed."""
        self._skipped_ms += milliseconds

    def produce(self, batches: Iterable[bytes]) -> None:
        """Write batches, each where its session belongs; what is no batch goes to the first partition."""
        for batch in batches:
            self.produced.append(batch)
            self.topic.append(self.partition_of(batch), self.clock_ms(), batch)

    async def make_topic_again(self) -> None:
        """Delete the topic and make it again, with everything that was in it."""
        produced, self.produced = self.produced, []
        self.topic.make_again(self.topic.partitions)
        self.produce(produced)
        await self.deal()

    async def add_partition(self) -> None:
        """Have one partition more; most sessions go on in another one."""
        self.topic.add_partitions(self.topic.partitions + 1)
        await self.deal()

    def partition_of(self, batch: bytes) -> int:
        try:
            session_id = msgspec.json.decode(batch, type=Envelope).session_id
        except msgspec.MsgspecError:
            return 0
        return zlib.crc32(session_id.encode()) % self.topic.partitions

    # -- the group ----------------------------------------------------------------------------------------------

    def start(self) -> Node:
        """Start a worker; it has nothing to do before `deal`."""
        self._started += 1
        node = Node(self, f"node-{self._started}")
        self.nodes.append(node)
        return node

    async def deal(self) -> None:
        """Deal partitions out anew among those that are awake."""
        for node in self.nodes:
            await node.revoke()
        shuffled = self.rng.sample(self.nodes, len(self.nodes))
        dealt = {place: shuffled[at % len(shuffled)] for at, place in enumerate(self.topic.places)}
        self.topic.owners = {place: node.view for place, node in dealt.items()}
        for node in self.nodes:
            node.look_at_topic()
            await node.assign(place for place, owner in dealt.items() if owner is node)

    async def fall_asleep(self, node: Node) -> None:
        """Stop a worker without its noticing; others get its partitions."""
        node.port.close()
        self.nodes.remove(node)
        self.asleep.append(node)

    async def wake_up(self) -> None:
        """Let a worker that slept go on where it was, then hear what has become of the group."""
        if not self.asleep:
            return
        node = self.asleep.pop()
        node.port.open()
        await asyncio.sleep(self.rng.choice([0.01, 0.3, 2.0]))
        node.check()
        await node.revoke()
        node.kill()

    async def settle(self, is_done: Callable[[], bool]) -> None:
        """Let everything go on until something is so."""
        async with asyncio.timeout(SETTLE_SECONDS):
            while not is_done():
                await asyncio.sleep(0.2)
                for node in self.nodes:
                    node.look_at_topic()
                    node.check()

    async def end(self) -> None:
        """Let everything be read and all sessions close by the wall clock, without failures, then drain."""
        for node in self.nodes:
            node.port.trouble = 0.0
        await self.deal()
        await self.settle(self._has_read_all)
        session = self.settings.session
        for silence_ms in (session.idle_timeout_ms, session.grace_ms):
            self.skip(silence_ms)
            await asyncio.sleep(SETTLE_SECONDS / 100)
        await self.settle(lambda: not self.data.deadlines)
        for node in self.nodes:
            await node.drain()

    def _has_read_all(self) -> bool:
        return all(node.is_done for node in self.nodes)
