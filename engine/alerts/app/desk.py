"""All that one process judges while it is in the group: its partitions, its projects, and how they are stored."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, Final

from aiokafka.errors import KafkaError

from engine.alerts.app.lanes import Doubt, Lane, Unread, read_item
from engine.alerts.app.lookout import Identities, Lookout, partition_of
from engine.alerts.app.project import JudgedProject, KeptAlerts
from engine.alerts.app.tools import AlertTools
from engine.alerts.history import MINUTE_MS
from engine.alerts.rules import RulesFile
from engine.alerts.store import Forgetting, Outcome, ProjectWrite, StoredProject
from engine.errors import Unavailable
from engine.operate.logs import get_logger
from engine.operate.meters import Count, Gauge, Histogram
from engine.runtime.kafka.clock import PartitionClock
from engine.runtime.kafka.positions import Start, choose_start, log_name
from engine.runtime.kafka.records import Place
from engine.settings._units import DAY_MS
from replay.withdrawals import MAX_ENTRIES, Withdrawn

LOADED_AT_ONCE: Final = 50
TRUSTED_MS: Final = MINUTE_MS
"""Clocks of those who write may be so far ahead of ours: their records are judged by the same times, whenever."""

FULL_TIMES: Final = 4
"""So many times `alerts.save_max_items` may wait in a partition before nothing more is taken from it."""


class Desk:
    """Made anew for each time in the group; `owner` names it. Any doubt ends it, and another begins by what is stored.

    Faust calls `starts`, `forward`, `judge` and `revoked`; `save` is called by one task, again and again.
    """

    def __init__(self, tools: AlertTools, lookout: Lookout, identities: Identities) -> None:
        self._tools = tools
        self.kafka = tools.kafka
        self._lookout = lookout
        self._identities = identities
        self._owner = tools.token()
        self._input_topic = tools.settings.alerts.input_topic
        self._input_partitions = 1
        self._most = tools.settings.alerts.save_max_items
        settings = tools.settings
        alerts = settings.alerts
        self._kept = KeptAlerts(alerts.kept_alerts, settings.store.retention_ms, alerts.forget_after_ms + DAY_MS)
        self._saving = asyncio.Lock()
        self._is_emptied = asyncio.Event()
        self.lanes: dict[Place, Lane] = {}
        self.projects: dict[str, JudgedProject] = {}
        self._withdrawals = tools.withdrawals()
        self._withdrawn = deque[Withdrawn](maxlen=MAX_ENTRIES)
        self._record_ms = 0
        """When the last record was written that was judged, as it says itself."""
        self.is_due = asyncio.Event()
        """Set when it should be stored now, before its time."""

    # -- the group -----------------------------------------------------------------------------------------------

    async def starts(self, assigned: AbstractSet[Place], commits: Mapping[Place, int]) -> dict[Place, int]:
        """Take partitions over, and say from where each is read. Everything known before is dropped."""
        insist = self._tools.patience.insist
        async with self._saving:
            self._drop()
            self._input_partitions = await insist(lambda: self._lookout.partitions(self._input_topic))
            bounds = await insist(lambda: self._lookout.bounds(assigned))
            lanes: dict[Place, Lane] = {}
            for place in sorted(assigned):
                claim = await insist(lambda place=place: self._tools.marks.claim(_shard(place), self._owner))  # type: ignore[misc]  # bound at once
                log = log_name(*self._identities[place.topic], place.partition)
                start = choose_start(log, claim.previous, commits.get(place, -1), bounds[place])
                self._tell_start(place, start)
                lanes[place] = Lane(place, start, claim.count)
            await insist(self.withdraw)
            await self._load_all({place.partition for place in assigned if place.topic == self._input_topic})
            self.lanes = lanes
        self._tools.health.joined(group=True)
        self._tools.meters.count(Count.REBALANCES)
        self._tools.meters.set(Gauge.PARTITIONS_ASSIGNED, len(assigned))
        get_logger().info("partitions_assigned", partitions=sorted({place.partition for place in assigned}))
        return {place: lane.done_offset for place, lane in lanes.items()}

    def _tell_start(self, place: Place, start: Start) -> None:
        if start.cause:
            self._tools.meters.count(Count.PARTITION_RESETS, cause=start.cause)
            get_logger().warning(
                "partition_taken_over",
                topic=place.topic,
                partition=place.partition,
                cause=start.cause,
                offset=start.offset,
                lost=start.lost,
            )
        if start.lost:
            self._tools.meters.count(Count.RECORDS_LOST, start.lost)

    def safe(self) -> dict[Place, int]:
        """Say up to where each partition is safe: nothing before that is read again."""
        return {place: lane.saved_offset for place, lane in self.lanes.items()}

    async def revoked(self) -> None:
        """Store what was judged within the time the group gives, and drop everything."""
        self._tools.health.joined(group=False)
        try:
            async with asyncio.timeout(self._tools.kafka.rebalance_timeout_ms / 2_000):
                await self.save()
        except (TimeoutError, Unavailable):
            get_logger().warning("drain_cut_short", cause="revoked")
        self._drop()

    def _drop(self) -> None:
        for place in self.lanes:
            self._tools.meters.forget_partition(*place)
        self.lanes, self.projects = {}, {}
        self._is_emptied.set()

    async def _load_all(self, partitions: AbstractSet[int]) -> None:
        """Take over the projects of partitions: time passes for them even if nothing comes."""
        insist = self._tools.patience.insist
        known = await insist(self._tools.store.projects)
        ours = [id_ for id_ in known if partition_of(id_, self._input_partitions) in partitions]
        for start in range(0, len(ours), LOADED_AT_ONCE):
            await self._load(ours[start : start + LOADED_AT_ONCE])

    async def _load(self, project_ids: Sequence[str]) -> None:
        stored = await self._tools.patience.insist(lambda: self._tools.store.load(project_ids))
        for project_id, found in zip(project_ids, stored, strict=True):
            self.projects[project_id] = self._made(project_id, found)

    async def _new(self, project_id: str, lane: Lane) -> JudgedProject | None:
        """Return a project met for the first time; `None` if its partition was taken away meanwhile."""
        (found,) = await self._tools.patience.insist(lambda: self._tools.store.load([project_id]))
        if self.lanes.get(lane.place) is not lane:
            return None
        return self.projects.setdefault(project_id, self._made(project_id, found))

    def _made(self, project_id: str, stored: StoredProject) -> JudgedProject:
        made = JudgedProject(project_id, stored, self._tools.rules)
        for each in self._withdrawn:
            if each.project_id == project_id:
                made.withdraw(each.session_ids, each.at)
        return made

    async def withdraw(self) -> None:
        """Learn of sessions that were deleted, also of those that nobody is told of by Kafka."""
        for each in await self._withdrawals.news():
            self._withdrawn.append(each)
            project = self.projects.get(each.project_id)
            if project is not None:
                project.withdraw(each.session_ids, each.at)

    # -- records -------------------------------------------------------------------------------------------------

    async def forward(self, event: Any, app: Any) -> None:  # noqa: ANN401 - Faust is untyped
        """Put a signal or an activity among those of its project."""
        lane, message = await self._lane_of(event), event.message
        if lane is None:
            return
        try:
            project_id = read_item(message.value).project_id
        except Unread as unread:
            self._drop_item(unread.reason)
            lane.keep(event)
            return
        place = Place(self._input_topic, partition_of(project_id, self._input_partitions))
        key = project_id.encode("utf-8", "surrogatepass")
        sent = await app.send_record(place, key, message.value, _timestamp_ms(message))
        lane.keep(event, sent=sent)

    async def judge(self, event: Any) -> None:  # noqa: ANN401 - Faust is untyped
        """Let the rules judge an item."""
        lane, message = await self._lane_of(event), event.message
        if lane is None:
            return
        try:
            item = read_item(message.value)
        except Unread as unread:
            self._drop_item(unread.reason)
            lane.keep(event)
            return
        project = self.projects.get(item.project_id) or await self._new(item.project_id, lane)
        if project is None:
            return
        now_ms = self._now_ms(lane, project, _timestamp_ms(message))
        if not project.is_known(lane.place.partition, lane.log, message.offset):
            ahead = project.ahead
            self._drop_item(project.feed(item, now_ms))
            self._repaired("item", project.ahead - ahead)
            project.read(lane.place.partition, lane.log, message.offset)
        lane.keep(event, judged_ms=_timestamp_ms(message))
        if project.has_news or lane.waiting >= self._most:
            self.is_due.set()

    def _now_ms(self, lane: Lane, project: JudgedProject, record_ms: int) -> int:
        """Say when a record arrived. What is later than both our clock and the record say was told by a wrong clock."""
        self._record_ms = record_ms
        wall_ms = self._tools.clock_ms()
        latest_ms = max(wall_ms, record_ms)
        if lane.clock.now_ms > latest_ms + self._tools.rules.bounds.max_ahead_ms:
            lane.clock = PartitionClock()
            self._repaired("partition", 1)
        self._repaired("project", project.set_back(latest_ms))
        return lane.clock.saw(record_ms, wall_ms + TRUSTED_MS)

    def _repaired(self, what: str, times: int) -> None:
        if times:
            self._tools.meters.count(Count.ALERT_TIMES_REPAIRED, times, what=what)

    async def _lane_of(self, event: Any) -> Lane | None:  # noqa: ANN401 - Faust is untyped
        """Return the lane of a record that came for the first time, once there is room in it."""
        lane = self.lanes.get(Place(event.message.topic, event.message.partition))
        while lane is not None and lane.waiting >= FULL_TIMES * self._most:
            self._is_emptied.clear()
            self.is_due.set()
            await self._is_emptied.wait()
            if self.lanes.get(lane.place) is not lane:
                return None
        missing = None if lane is None else lane.accept(event.message.offset)
        if lane is None or missing is None:
            return None
        if missing:
            self._tools.meters.count(Count.RECORDS_LOST, missing)
            get_logger().warning("records_lost", topic=lane.place.topic, partition=lane.place.partition, lost=missing)
        self._tools.health.reached("kafka")
        return lane

    def _drop_item(self, reason: str) -> None:
        if reason:
            self._tools.meters.count(Count.ALERT_DROPPED, reason=reason)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken from a partition until what was read is stored."""
        return any(lane.waiting >= FULL_TIMES * self._most for lane in self.lanes.values())

    def has_read(self, ends: Mapping[Place, int]) -> bool:
        """Say whether the partitions here were read up to these offsets."""
        return all(lane.done_offset >= ends.get(place, 0) for place, lane in self.lanes.items())

    def tick(self, now_ms: int) -> None:
        """Let time pass until a full minute (epoch ms) for every project here."""
        for project in self.projects.values():
            if self._record_ms:
                self._repaired("project", project.set_back(max(now_ms, self._record_ms)))
            project.tick(now_ms)

    def change_rules(self, rules: RulesFile) -> None:
        """Go on by other rules."""
        for project in self.projects.values():
            project.change_rules(rules)

    # -- storing -------------------------------------------------------------------------------------------------

    async def save(self) -> None:
        """Store what changed, move marks, acknowledge. Raises Doubt if somebody else has written."""
        async with self._saving:
            taken = [(lane, lane.done_offset, lane.take()) for lane in self.lanes.values()]
            changed = [project for project in self.projects.values() if project.is_changed]
            await self._write(changed)
            await self._sent([sent for _, _, kept in taken for sent in kept.sent])
            for lane, offset, kept in taken:
                await self._mark(lane, offset)
                for event in kept.events:
                    event.ack()
                self._judged(kept.judged_ms)
            self._is_emptied.set()

    async def _write(self, changed: Sequence[JudgedProject]) -> None:
        insist, store = self._tools.patience.insist, self._tools.store
        if not changed:
            return
        new = [project.project_id for project in changed if project.is_new or project.has_new_hour]
        await insist(lambda: store.register(new))
        await self._forget(changed)
        now_ms = self._tools.clock_ms()
        writes = [project.write(self._tools.token(), now_ms, self._kept) for project in changed]
        outcomes = await insist(lambda: store.save(writes))
        for project, write, outcome in zip(changed, writes, outcomes, strict=True):
            self._tools.meters.count(Count.ALERT_WRITES, outcome=outcome.name.lower())
            if outcome is not Outcome.REFUSED:
                project.confirm(write)
                self._written(write)
        if Outcome.REFUSED in outcomes:
            raise Doubt("refused_write")

    async def _forget(self, projects: Iterable[JudgedProject]) -> None:
        """Take sessions that were withdrawn out of messages, before it is stored that they were."""
        insist, outbox, now_ms = self._tools.patience.insist, self._tools.outbox, self._tools.clock_ms()
        for project in projects:
            gone = project.gone(now_ms)
            if gone:
                await insist(lambda id_=project.project_id, gone=gone: outbox.forget(id_, gone))  # type: ignore[misc]  # bound at once

    def _written(self, write: ProjectWrite) -> None:
        meters = self._tools.meters
        meters.count(Count.ALERT_STATE_BYTES, sum(len(name) + len(part) for name, part in write.changes.stored.items()))
        for state in write.told:
            meters.count(Count.ALERTS, state=state)
        if write.messages:
            self._tools.on_stored(write.project_id)

    async def _sent(self, sent: Sequence[Any]) -> None:
        try:
            await asyncio.gather(*sent)
        except KafkaError as error:
            raise Unavailable(f"Kafka does not take records: {type(error).__name__}") from error
        self._tools.meters.count(Count.ALERT_FORWARDED, len(sent))

    async def _mark(self, lane: Lane, offset: int) -> None:
        """Say how far a partition is safe; who starts anew starts there."""
        if lane.marked_offset == offset:
            return
        insist, marks = self._tools.patience.insist, self._tools.marks
        if not await insist(lambda: marks.move(_shard(lane.place), self._owner, lane.count, lane.log, offset)):
            raise Doubt("mark_refused")
        lane.count += 1
        lane.marked_offset = lane.saved_offset = offset
        self._tools.meters.count(Count.MARKS_MOVED)

    def _judged(self, times_ms: Sequence[int]) -> None:
        now_ms = self._tools.clock_ms()
        self._tools.meters.count(Count.ALERT_ITEMS, len(times_ms))
        for judged_ms in times_ms:
            self._tools.meters.observe(Histogram.ALERT_LATENCY, max(now_ms - judged_ms, 0) / 1_000)

    async def forget_silent(self) -> None:
        """Forget projects of which nothing came for long. Raises Doubt if somebody else has written."""
        insist, store = self._tools.patience.insist, self._tools.store
        after_ms = self._tools.settings.alerts.forget_after_ms
        async with self._saving:
            for id_, project in list(self.projects.items()):
                since_ms, now_ms = project.silent_since(self._tools.clock_ms()), self._tools.clock_ms()
                if since_ms is None or now_ms - since_ms < after_ms:
                    continue
                call = partial(store.forget, id_, project.token, since_ms, after_ms)
                came = await insist(call)
                if came is Forgetting.REFUSED or (came is Forgetting.GONE and project.is_changed):
                    # Changed is what was judged meanwhile, which is to be read again.
                    raise Doubt("refused_write")
                if came is Forgetting.GONE and self.projects.get(id_) is project:
                    del self.projects[id_]
                    self._tools.meters.count(Count.ALERT_PROJECTS_FORGOTTEN)

    async def look_after(self) -> None:
        """See whether what was stored still is, and what was withdrawn is not. Raises Doubt: Redis is an older one."""
        insist, marks = self._tools.patience.insist, self._tools.marks
        await insist(self.withdraw)
        await self._forget(list(self.projects.values()))
        async with self._saving:
            for lane in self.lanes.values():
                if not await insist(lambda lane=lane: marks.holds(_shard(lane.place), self._owner, lane.count)):  # type: ignore[misc]  # bound at once
                    raise Doubt("mark_refused")


def _shard(place: Place) -> str:
    return f"alerts/{place.topic}/{place.partition}"


def _timestamp_ms(message: Any) -> int:  # noqa: ANN401 - Faust is untyped
    return int(message.timestamp * 1_000 + 0.5)
