"""One worker process: fetches for its partitions, deals records out to their tasks, follows the group."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Final

from engine.core.counts import Counts
from engine.errors import Unavailable, WinceError
from engine.operate.logs import get_logger
from engine.operate.meters import Count, Gauge
from engine.runtime.ending import end_tasks
from engine.runtime.kafka.log_identity import LogIdentity
from engine.runtime.kafka.partition import Partition
from engine.runtime.kafka.records import Place
from engine.runtime.kafka.source import KafkaSource, NotOwnerError, OutOfRangeError
from engine.runtime.kafka.tools import Tools
from replay.errors import StoreError

Listen = Callable[[list[Place]], Awaitable[None]]

FETCH_WAIT_MS: Final = 200
COMMIT_SECONDS: Final = 1.0
"""How often offsets are committed: they are a hint, for lag tools and for who starts without Redis."""

IDENTITY_SECONDS: Final = 2.0
"""How often it is asked whether the topic is still the same."""


class Worker:
    """Call `run` once. `stop` has it drain and end."""

    def __init__(self, tools: Tools, process_number: int) -> None:
        self._tools = tools
        self._health = tools.health
        kafka = tools.settings.kafka
        self._source = KafkaSource(kafka, process_number, self._told(self._assigned), self._told(self._revoked))
        self._partitions: dict[Place, Partition] = {}
        self._tasks: dict[Place, asyncio.Task[None]] = {}
        self._paused: set[Place] = set()
        self._committed: dict[Place, int] = {}
        self._identity = LogIdentity("", "")
        self._failure: BaseException | None = None
        self._stopping = asyncio.Event()
        # Held while tasks are started or ended: the group may deal anew in the middle of a drain.
        self._dealing = asyncio.Lock()
        self._is_drained = False

    @property
    def counts(self) -> Counts:
        """What became of everything this process read."""
        return self._tools.shared.counts

    def stop(self) -> None:
        """Have `run` write what was fetched, and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. Raises Broken, and whatever a bug of ours raises."""
        insist = self._tools.patience.insist
        if not await self._unless_stopped(self._reach_kafka()):
            return
        background = [asyncio.create_task(self._commit_always()), asyncio.create_task(self._watch_identity())]
        for task in background:
            task.add_done_callback(self._ended)
        try:
            await insist(self._fetch_always)
        finally:
            self._health.draining()
            await end_tasks(background)
            await self._drain()
            await self._source.close()

    async def _reach_kafka(self) -> None:
        insist = self._tools.patience.insist
        await insist(self._source.start)
        # Before there are any partitions: what is read without knowing of which log would be read again.
        self._identity = await insist(self._source.identity)
        self._source.join()

    async def _unless_stopped(self, work: Coroutine[None, None, None]) -> bool:
        """Do something that may take for ever; return whether it was done."""
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            await task
            return True
        await end_tasks([task])
        await self._source.close()
        return False

    # -- fetching -----------------------------------------------------------------------------------------------

    async def _fetch_always(self) -> None:
        """Fetch until stopped. Raises Unavailable, after which it is to be called again."""
        while not self._stopping.is_set():
            self._health.beat()
            if self._failure is not None:
                raise self._failure
            try:
                fetched = await self._source.fetch(FETCH_WAIT_MS, self._tools.settings.worker.poll_max_messages)
            except OutOfRangeError as error:
                await self._ask_identity()
                self._trouble(error.places, "out_of_range")
                continue
            if fetched:
                self._health.reached("kafka")
            for place, records in fetched.items():
                if place in self._partitions:
                    self._partitions[place].offer(records)
            self._hold_back()

    def _trouble(self, places: Sequence[Place], cause: str) -> None:
        self._source.pause(places)
        for place in places:
            if place in self._partitions:
                self._partitions[place].trouble(cause)

    def _hold_back(self) -> None:
        """Fetch nothing for partitions that have more than their share waiting, until they have half of it."""
        waiting = {place: partition.inbox.waiting_bytes for place, partition in self._partitions.items()}
        share = self._tools.settings.worker.max_bytes_in_flight // max(len(waiting), 1)
        full = {place for place, size in waiting.items() if size >= (share // 2 if place in self._paused else share)}
        self._source.pause(list(full - self._paused))
        partitions = self._partitions
        self._source.resume(
            [each for each in self._paused - full if each in partitions and partitions[each].is_fetching]
        )
        self._paused = full

    def refresh(self) -> None:
        """Set the gauges, which change also while nothing goes on."""
        meters, partitions = self._tools.meters, self._partitions.values()
        meters.set(Gauge.BUFFERED_BYTES, sum(partition.inbox.waiting_bytes for partition in partitions))
        meters.set(Gauge.PARTITIONS_PAUSED, len(self._paused))
        meters.set(Gauge.SESSIONS_RESIDENT, sum(partition.resident_sessions for partition in partitions))
        for partition in partitions:
            partition.tell_lag()

    # -- the group ----------------------------------------------------------------------------------------------

    def _told(self, listen: Listen) -> Listen:
        """Let what is raised end the worker: the client only logs it, and partitions would have no task."""

        async def listener(places: list[Place]) -> None:
            try:
                await listen(places)
            except Exception as error:
                self._failure = self._failure or error
                raise

        return listener

    async def _assigned(self, places: list[Place]) -> None:
        """Start a task for each partition; those that were here before and were nobody else's go on as they were."""
        async with self._dealing:
            if not self._is_drained:
                await self._start_tasks(places)

    async def _start_tasks(self, places: Sequence[Place]) -> None:
        self._source.pause(places)
        # A topic that was made again is assigned anew, and then nothing must be read by what was known of the old one.
        await self._ask_identity()
        here, self._partitions = self._partitions, {}
        for place in places:
            partition = here.pop(place, None) or Partition(place, self._source, self._tools, lambda: self._identity)
            self._partitions[place] = partition
            task = partition.start()
            task.add_done_callback(self._ended)
            self._tasks[place] = task
        for place in here:
            self._tools.meters.forget_partition(*place)
            self._committed.pop(place, None)
        self._share_memory()
        self._tools.meters.count(Count.REBALANCES)
        self._tools.meters.set(Gauge.PARTITIONS_ASSIGNED, len(places))
        self._health.joined(group=True)
        get_logger().info("partitions_assigned", partitions=sorted(place.partition for place in places))

    async def _revoked(self, places: list[Place]) -> None:
        """End all tasks within the time the group gives. Their partitions are kept: most come back as they were."""
        self._health.joined(group=False)
        kafka, worker = self._tools.settings.kafka, self._tools.settings.worker
        async with self._dealing:
            await self._end_tasks(min(worker.drain_timeout_ms, kafka.rebalance_timeout_ms // 2) / 1_000)
            if await self._ask_identity() or self._source.is_gone():
                await self._keep(self._partitions.values())
        await self._commit()
        get_logger().info("partitions_revoked", partitions=sorted(place.partition for place in places))

    async def _keep(self, partitions: Iterable[Partition]) -> None:
        """Store all states of partitions that cannot be read again, within the time the group gives."""
        seconds = self._tools.settings.kafka.rebalance_timeout_ms / 2_000
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(partition.keep() for partition in partitions))
        except (TimeoutError, WinceError, StoreError) as error:
            get_logger().error("states_lost", error=error)

    def _share_memory(self) -> None:
        for partition in self._partitions.values():
            partition.share_memory(len(self._partitions))

    async def _end_tasks(self, within_seconds: float) -> None:
        tasks, self._tasks = self._tasks, {}
        self._paused = set()
        for place in tasks:
            self._partitions[place].stop()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=within_seconds)
        await end_tasks(tasks.values())

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None and self._failure is None:
            self._failure = task.exception()

    async def _drain(self) -> None:
        """Write what was fetched, and all states: whoever comes next has little to read again."""
        seconds = self._tools.settings.worker.drain_timeout_ms / 1_000
        try:
            async with asyncio.timeout(seconds), self._dealing:
                self._is_drained = True
                await self._end_tasks(seconds / 2)
                if self._failure is None:
                    await self._save_all()
        except Exception as error:  # noqa: BLE001 - what could not be saved is read again; leaving is what matters now
            get_logger().warning("drain_cut_short", error=error)
        await self._commit()

    async def _save_all(self) -> None:
        saving = [partition.save() for partition in self._partitions.values()]
        for failed in await asyncio.gather(*saving, return_exceptions=True):
            if isinstance(failed, Exception):
                get_logger().warning("drain_cut_short", error=failed)

    # -- in the background --------------------------------------------------------------------------------------

    async def _commit_always(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
        durable = {place: partition.durable_offset for place, partition in self._partitions.items()}
        news = {
            place: offset for place, offset in durable.items() if offset >= 0 and offset != self._committed.get(place)
        }
        if not news:
            return
        try:
            await self._source.commit(news)
        except (NotOwnerError, Unavailable) as error:
            get_logger().debug("commit_refused", error=error)
            return
        self._committed |= news
        self._tools.meters.count(Count.COMMITS)

    async def _watch_identity(self) -> None:
        while True:
            await asyncio.sleep(IDENTITY_SECONDS)
            await self._ask_identity()

    async def _ask_identity(self) -> bool:
        """Say whether the topic was deleted and made again since it was last asked: its offsets mean other records."""
        try:
            identity = await self._source.identity()
        except Unavailable:
            return False
        self._health.reached("kafka")
        if identity == self._identity:
            return False
        self._identity = identity
        self._trouble(list(self._partitions), "log_changed")
        return True
