"""One assigned partition: takes it over, works on it, and starts anew when somebody else did."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from engine.operate.logs import get_logger
from engine.operate.meters import Count, Gauge, Histogram
from engine.runtime.kafka.inbox import Inbox
from engine.runtime.kafka.log_identity import LogIdentity
from engine.runtime.kafka.ownership import Ownership, ResetError
from engine.runtime.kafka.positions import Start, choose_start, log_name
from engine.runtime.kafka.records import Place, Record
from engine.runtime.kafka.source import KafkaSource, NotOwnerError
from engine.runtime.kafka.tools import Tools
from engine.runtime.kafka.work import Work

IDLE_SECONDS: Final = 1.0
"""How often a partition looks at the time."""

_DISPUTED: Final = frozenset({"refused_write", "mark_refused"})
_GONE: Final = frozenset({"log_changed", "out_of_range"})
"""After these, what was read cannot be read again."""


class Partition:
    """One partition's task. `start` it when it is assigned, again if it is so again after `stop`."""

    def __init__(self, place: Place, source: KafkaSource, tools: Tools, identity: Callable[[], LogIdentity]) -> None:
        self.place = place
        self.inbox = Inbox()
        self._source = source
        self._name = f"{place.topic}/{place.partition}"
        self._tools = tools.of_loop(self._name)
        self._identity = identity
        self._work: Work | None = None
        self._caught_up_from = 0
        self._ownership = Ownership(self._name, self._tools)
        self._passed_at = 0.0
        self._idle_end: int | None = None
        self._reached = -1
        self._trouble = ""
        self._stopping = False
        self._refusals = 0
        self._sharing = 1
        self.durable_offset = -1
        self.is_fetching = False

    # -- from outside -------------------------------------------------------------------------------------------

    @property
    def resident_sessions(self) -> int:
        """How many sessions it has in memory."""
        return 0 if self._work is None else self._work.resident_sessions

    def tell_lag(self) -> None:
        """Set the gauges of how far the partition is, as far as anything is known."""
        end, work, labels = self._source.end_offset(self.place), self._work, self.place._asdict()
        if end is None or work is None or self.durable_offset < 0:
            return
        lag = 0 if end == self._idle_end else max(end - self.durable_offset, 0)
        now_ms, oldest_ms = self._tools.clock_ms(), self.inbox.oldest_ms
        lag_ms = max(now_ms - oldest_ms, 0) if lag and oldest_ms is not None else 0
        meters = self._tools.meters
        meters.set(Gauge.LAG_RECORDS, lag, **labels)
        meters.set(Gauge.LAG_SECONDS, lag_ms / 1_000, **labels)
        meters.set(Gauge.REPLAY_RECORDS, work.next_offset - work.replay_from, **labels)

    def share_memory(self, partitions: int) -> None:
        """Take one part in so many of what the process may keep."""
        self._sharing = partitions
        if self._work is not None:
            self._work.share_memory(partitions)

    def offer(self, records: Sequence[Record]) -> None:
        """Give it fetched records; while it has not said from where to fetch, they are of no use."""
        if self.is_fetching:
            self.inbox.put(records)

    def trouble(self, cause: str) -> None:
        """Have the partition taken over again: its log is another one now, or does not have the next offset."""
        self._trouble = cause
        self.inbox.wake()

    def stop(self) -> None:
        """Have the task end after what it is just doing."""
        self._stopping = True
        self.inbox.wake()

    async def save(self) -> None:
        """Store all states, so that the next owner has nothing to read again. Only when the task has ended."""
        if self._work is not None:
            await self._work.flush(save_all=True)
            await self._work.settle()

    async def keep(self) -> None:
        """Store all states of a log that cannot be read again, as far as nobody else goes on with the sessions."""
        if self._work is not None:
            with contextlib.suppress(ResetError):
                await self._work.flush(save_all=True)

    # -- the task -----------------------------------------------------------------------------------------------

    def start(self) -> asyncio.Task[None]:
        """Have a task take the partition over and work on it until stopped, or until the group took it away.

        The task may raise Broken. `durable_offset` is, once something is durable, what may be committed.
        """
        self._stopping = False  # here and not in the task: it may be stopped before its first step
        return asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while not self._stopping:
                try:
                    work = await self._take_over()
                    await self._work_off(work)
                except ResetError as reset:
                    await self._reset(reset.cause)
        except NotOwnerError:
            self._work = None
        except asyncio.CancelledError:
            self._work = None  # it may be in the middle of something
            raise
        finally:
            self._tools.health.end(self._name)
            self.is_fetching = False
            self.inbox.clear()

    async def _take_over(self) -> Work:
        tools, identity = self._tools, self._identity()
        found, undisturbed = await self._ownership.claim()
        bounds = await tools.patience.insist(lambda: self._source.bounds(self.place))
        if self._work is None or not undisturbed:
            commit = await tools.patience.insist(lambda: self._source.committed(self.place))
            start = choose_start(log_name(*identity, self.place.partition), found, commit, bounds, self._reached)
            self._reached = -1
            self._tell(start)
            self._work = Work(self.place, start.log, start.offset, tools, self._ownership)
            self._work.share_memory(self._sharing)
        self._caught_up_from = bounds.end
        self._source.seek(self.place, self._work.next_offset)
        self.inbox.clear()  # at once: nothing fetched from elsewhere may come first
        self.is_fetching = True
        self._source.resume([self.place])
        return self._work

    def _tell(self, start: Start) -> None:
        if start.cause:
            self._tools.meters.count(Count.PARTITION_RESETS, cause=start.cause)
        if start.lost:
            self._tools.meters.count(Count.RECORDS_LOST, start.lost)
        log = get_logger().error if start.lost else get_logger().warning if start.cause else get_logger().info
        topic, partition = self.place
        log(
            "partition_taken_over",
            topic=topic,
            partition=partition,
            offset=start.offset,
            cause=start.cause,
            lost=start.lost,
        )

    async def _work_off(self, work: Work) -> None:
        worker = self._tools.settings.worker
        while not self._stopping:
            records = await self.inbox.take(worker.poll_max_messages, worker.poll_max_bytes, IDLE_SECONDS)
            if self._trouble:
                cause, self._trouble = self._trouble, ""
                raise ResetError(cause)
            await self._poll(work, records)
            self.inbox.done()
            self._tools.collect()

    async def _poll(self, work: Work, records: Sequence[Record]) -> None:
        tools = self._tools
        clock = asyncio.get_running_loop().time
        started = clock()
        topic, partition = self.place
        with tools.tracer.span("poll", topic=topic, partition=partition, records=len(records)):
            if records:
                await work.process(records)
            if started - self._passed_at >= IDLE_SECONDS:
                self._passed_at = started
                is_idle = not self.inbox and await self._source.is_read(self.place)
                self._idle_end = self._source.end_offset(self.place) if is_idle else None
                # The last offset may be that of a transaction's marker, which is no record.
                is_caught_up = is_idle or work.next_offset >= self._caught_up_from
                await work.pass_time(is_idle=is_idle, is_caught_up=is_caught_up)
            await work.settle()
            self._refusals = 0
            self.durable_offset = work.next_offset
        if records:
            tools.meters.observe(Histogram.POLL, clock() - started)
        tools.health.beat(self._name)

    async def _reset(self, cause: str) -> None:
        """Forget everything. Where another owner was at work, go on only if the group still has us here."""
        tools, (topic, partition) = self._tools, self.place
        tools.meters.count(Count.PARTITION_RESETS, cause=cause)
        get_logger().warning("partition_reset", topic=topic, partition=partition, cause=cause)
        if cause in _GONE:
            await self.keep()
        if self._work is not None and cause == "out_of_range":
            self._reached = self._work.next_offset
        self._work = None
        self.durable_offset = -1
        self.is_fetching = False
        self._source.pause([self.place])
        self.inbox.clear()
        if cause in _DISPUTED:
            await asyncio.sleep(tools.patience.pause_ms(self._refusals) / 1_000)
            self._refusals += 1
            await self._ask_group()

    async def _ask_group(self) -> None:
        """Commit what is committed: the group lets only a partition's owner do that. Raises NotOwnerError."""
        insist = self._tools.patience.insist
        offset = await insist(lambda: self._source.committed(self.place))
        if offset < 0:
            offset = (await insist(lambda: self._source.bounds(self.place))).begin
        await insist(lambda: self._source.commit({self.place: offset}))
