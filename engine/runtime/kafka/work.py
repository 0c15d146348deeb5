"""The work on one partition, for as long as it is owned without a break: records in, durable writes out."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import msgspec

from engine.core.core import Core, StoredState
from engine.core.effects import DeadLetter as Letter
from engine.core.effects import SessionEffects
from engine.core.fates import Refusal, withdrawn_because
from engine.core.saving import SavingRules
from engine.errors import Broken
from engine.input.messages import DecodedBatch
from engine.operate.logs import get_logger
from engine.operate.meters import Count
from engine.reasons import Reason
from engine.runtime.kafka.clock import PartitionClock
from engine.runtime.kafka.outbox import Message, pack_outbox, unpack_outbox, withdrawal_message
from engine.runtime.kafka.ownership import Ownership, ResetError
from engine.runtime.kafka.positions import Position, decode_position, encode_position
from engine.runtime.kafka.progress import Progress
from engine.runtime.kafka.records import Place, Record, encoding_of
from engine.runtime.kafka.tools import Tools
from engine.runtime.versions import Versions
from replay.writes import Outcome, SessionWrite, StoredSession, WriteResult
from schemas.dead_letter import DeadLetter

BREATHE_SECONDS: Final = 0.02
"""Other tasks, heartbeats among them, wait no longer than about this for the processor."""

DUE_SESSIONS: Final = 200
"""Sessions listed at a time whose deadline has come."""

DUE_SECONDS: Final = 0.5
"""Time after which no more of them are listed for now: records wait meanwhile, and so may the group."""


class Work:
    """Processes records of one log from `next_offset` on; what was not flushed when it is dropped has to be read again.

    ResetError is raised where somebody else was at work, or Redis went back in time; Broken where nothing helps;
    everything that passes is waited for.
    """

    def __init__(self, place: Place, log: str, offset: int, tools: Tools, ownership: Ownership) -> None:
        worker = tools.settings.worker
        self.log = log
        self.next_offset = offset
        self._place = place
        self._tools = tools
        self._ownership = ownership
        self._shard = ownership.shard
        self._written: dict[str, str] = {}
        self._clock = PartitionClock()
        saving = SavingRules(worker.save_max_bytes, worker.save_interval_ms)
        self._core = Core(tools.settings, tools.shared, saving)
        self._versions = Versions(
            tools.owner,
            self._position,
            keep_state=True,
            shard=self._shard,
            outbox=pack_outbox,
            attempts=tools.attempts,
        )
        self._progress = Progress(tools.meters)
        self._max_resident = worker.max_resident_sessions
        self._poison_in_row = 0
        self._poisoned_ms: dict[int, int] = {}
        self._last_record_ms = 0

    def _position(self, effects: SessionEffects) -> str:
        return encode_position(Position(self.log, effects.position, dict(effects.next_seqs)))

    @property
    def resident_sessions(self) -> int:
        """How many sessions are in memory."""
        return self._core.open_sessions

    @property
    def replay_from(self) -> int:
        """The next offset that has to be read after a restart, if nothing more is flushed."""
        behind = self._core.replay_from()
        return self.next_offset if behind is None else behind

    def share_memory(self, partitions: int) -> None:
        """Keep no more than one part in so many of what the process may keep."""
        settings = self._tools.settings
        self._core.limit_hot(max(settings.worker.max_unpacked_sessions // partitions, 1))
        self._core.limit_held(settings.order.max_total_held_bytes // partitions)
        self._max_resident = max(settings.worker.max_resident_sessions // partitions, 1)

    # -- records ------------------------------------------------------------------------------------------------

    async def process(self, records: Sequence[Record]) -> None:
        """Take records and make what comes of them durable."""
        opened: list[tuple[Record, DecodedBatch | None]] = []
        size = 0
        started = time.perf_counter()
        for record in records:
            if record.offset < self.next_offset:
                continue  # fetched before the partition was sought
            batch = self._open(record)
            opened.append((record, batch))
            size += batch.size_bytes if batch is not None else 0
            if size > self._tools.settings.worker.poll_max_bytes:
                await self._feed(opened)
                await self.flush()
                opened, size = [], 0
            if time.perf_counter() - started > BREATHE_SECONDS:
                await asyncio.sleep(0)
                started = time.perf_counter()
        await self._feed(opened)
        await self.flush()

    def _open(self, record: Record) -> DecodedBatch | None:
        batch = self._core.open(record.value or b"", encoding_of(record), self._place.topic, record.offset)
        if batch is not None:
            self._poison_in_row = 0
            return batch
        self._poison_in_row += 1
        self._poisoned_ms[record.offset] = record.timestamp
        if self._poison_in_row >= self._tools.settings.worker.max_poison_in_row:
            raise Broken("nothing but poison was read for a long time")
        return None

    async def _feed(self, opened: Sequence[tuple[Record, DecodedBatch | None]]) -> None:
        if not opened:
            return
        with self._tools.stage("load"):
            await self._know({batch.envelope.session_id for _, batch in opened if batch is not None})
        with self._tools.stage("feed", records=len(opened)):
            started = time.perf_counter()
            for record, batch in opened:
                now_ms = self._clock.saw(record.timestamp, self._tools.clock_ms())
                await self._tick(now_ms)
                if batch is not None:
                    self._core.feed(batch, record.offset, now_ms)
                self.next_offset = record.offset + 1
                self._last_record_ms = record.timestamp
                if time.perf_counter() - started > BREATHE_SECONDS:
                    await asyncio.sleep(0)
                    started = time.perf_counter()

    # -- sessions -----------------------------------------------------------------------------------------------

    async def _know(self, session_ids: Iterable[str]) -> None:
        """Go on with those of these sessions that are stored."""
        unknown = [session_id for session_id in session_ids if not self._core.knows(session_id)]
        for stored in await self._load(unknown):
            self._adopt(stored)

    async def _load(self, session_ids: Sequence[str]) -> list[StoredSession]:
        """Take over the sessions that are stored, and tell again what was last to be told of them."""
        if not session_ids:
            return []
        insist = self._tools.patience.insist
        loaded = await insist(lambda: self._tools.store.load_many(session_ids))
        await self._ownership.check()
        stored = [session for session in loaded if session is not None]
        messages = [message for session in stored for message in self._untold(session)]
        # Who wrote them may have died before it told.
        await insist(lambda: self._tools.emitter.send(messages))
        self._tools.meters.count(Count.SESSIONS_LOADED, len(stored))
        return stored

    def _untold(self, stored: StoredSession) -> list[Message]:
        try:
            return unpack_outbox(stored.outbox)
        except msgspec.MsgspecError as error:
            get_logger().error("outbox_unreadable", topic=self._place.topic, error=error)
            return []

    def _adopt(self, stored: StoredSession) -> None:
        session_id = stored.session_id
        if stored.withdrawn:
            self._core.refuse(session_id, withdrawn_because(stored.reason))
            return
        try:
            position = decode_position(stored.position)
            record = stored.record
            self._core.adopt(
                StoredState(
                    session_id,
                    record.project_id,
                    stored.state,
                    position.offset,
                    position.next_seqs,
                    record,
                    stored.deadline_ms,
                    is_of_other_input=position.log != self.log,
                )
            )
        except (ValueError, msgspec.MsgspecError) as error:
            get_logger().error("session_unreadable", topic=self._place.topic, error=error)
            self._core.refuse(session_id, Reason.STATE_UNREADABLE)
            return
        if stored.deadline_ms is not None:
            self._versions.know(session_id, stored.version, stored.token)

    # -- time ---------------------------------------------------------------------------------------------------

    async def _tick(self, now_ms: int) -> None:
        core = self._core
        deadline_ms = core.next_deadline()
        while deadline_ms is not None and deadline_ms <= now_ms:
            core.tick(now_ms)
            deadline_ms = core.next_deadline()
            if deadline_ms is not None and deadline_ms <= now_ms:
                await self.flush()

    async def pass_time(self, *, is_idle: bool, is_caught_up: bool) -> None:
        """Do what is due by now, which is the wall clock's time if the partition has nothing to read (`is_idle`).

        Sessions that are not in memory are looked for only if this owner has read (`is_caught_up`) what was there
        when it took over: before, their next batch may be on its way.
        """
        if is_idle:
            self._clock.idle(self._tools.clock_ms())
        await self._tick(self._clock.now_ms)
        await self.flush()
        if is_caught_up:
            self._core.read_up_to(self.next_offset - 1)
            await self._look_for_due(self._clock.now_ms)

    async def _look_for_due(self, now_ms: int) -> None:
        clock = asyncio.get_running_loop().time
        enough_at, skipped = clock() + DUE_SECONDS, 0
        while clock() < enough_at:
            due = [session_id for session_id, _ in await self._list_due(now_ms, skipped)]
            skipped += await self._know_due(due)
            await self._tick(now_ms)
            await self.flush()
            if len(due) < DUE_SESSIONS:
                return

    async def _know_due(self, session_ids: Sequence[str]) -> int:
        """Go on with those sessions of the partition's list that are in it; say how many were at work already.

        The list is a hint. Of a session that went on in another partition the owner of that one has the say.
        """
        core = self._core
        unknown = [session_id for session_id in session_ids if not core.knows(session_id)]
        loaded = {session.session_id: session for session in await self._load(unknown)}
        here = {id_: each for id_, each in loaded.items() if each.shard == self._shard and not each.withdrawn}
        gone = [id_ for id_ in session_ids if core.is_over(id_)] + [id_ for id_ in unknown if id_ not in here]
        for session_id in gone:
            await self._tools.patience.insist(partial(self._tools.store.forget_deadline, self._shard, session_id))
        for session in here.values():
            self._adopt(session)
        return len(session_ids) - len(gone) - len(here)

    async def _list_due(self, now_ms: int, skipped: int) -> list[tuple[str, int]]:
        return await self._tools.patience.insist(
            lambda: self._tools.store.due(now_ms, DUE_SESSIONS, skipped, self._shard)
        )

    # -- writes -------------------------------------------------------------------------------------------------

    async def flush(self, *, save_all: bool = False) -> None:
        """Make durable what is to be published, and with `save_all` all states."""
        core, tools = self._core, self._tools
        effects = core.take(self._clock.now_ms, save_all=save_all)
        refusals, letters = core.take_refusals(), self._letters(core.take_dead_letters())
        tools.meters.mirror(core.counts)
        if not (effects or refusals or letters):
            return
        writes = self._versions.writes(effects)
        withdrawn = [effect for effect in effects if effect.withdrawal is not None]
        with tools.stage("write", sessions=len(writes)):
            await self._withdraw(withdrawn)
            await tools.patience.insist(lambda: tools.emitter.bury(letters))
            results = await self._store(writes)
        self._progress.wrote(results)
        refused = self._versions.confirm(writes, results)
        if refused and not await self._let_go(refused):
            raise ResetError("refused_write")
        gone = [effect.session_id for effect in withdrawn] + [write.session_id for write in refused]
        self._written |= {write.session_id: write.token for write in writes} | dict.fromkeys(gone, "")
        closed = [write.session_id for write in writes if write.deadline_ms is None]
        self._versions.forget(gone + closed)
        self._progress.published(effects, max(tools.clock_ms() - self._last_record_ms, 0) / 1_000)
        with tools.stage("list"):
            await tools.patience.insist(lambda: self._aside(writes, results, refusals))

    async def settle(self) -> None:
        """Have the mark vouch for all that was flushed; only then let go of sessions that are too many."""
        await self._ownership.move(self.log, self.replay_from, self._written)
        self._written.clear()
        self._versions.forget(self._core.evict(self._max_resident))

    async def _withdraw(self, withdrawn: Sequence[SessionEffects]) -> None:
        if not withdrawn:
            return
        tools = self._tools
        for session_id, reason in [(each.session_id, each.withdrawal or Reason.EXCLUDED_USER) for each in withdrawn]:
            await tools.patience.insist(partial(tools.store.withdraw, session_id, reason))
        told = [each for each in withdrawn if not each.is_new]
        messages = [withdrawal_message(each.project_id, each.session_id, tools.clock_ms()) for each in told]
        await tools.patience.insist(lambda: tools.emitter.send(messages))

    async def _store(self, writes: Sequence[SessionWrite]) -> list[WriteResult]:
        """Store writes and tell what comes of them: once, however often something else has to be tried again."""
        if not writes:
            return []
        is_told = False

        async def announce(accepted: Sequence[SessionWrite]) -> None:
            nonlocal is_told
            if not is_told:
                messages = [message for write in accepted for message in unpack_outbox(write.outbox)]
                with self._tools.stage("announce"):
                    await self._tools.emitter.send(messages)
                is_told = True

        return await self._tools.patience.insist(lambda: self._tools.store.apply_many(writes, announce))

    async def _let_go(self, refused: Sequence[SessionWrite]) -> bool:
        """Forget sessions that were withdrawn while they were at work here; say whether all that were refused are such.

        What was told of them may have come after the word that they are withdrawn, so that is said again.
        """
        insist = self._tools.patience.insist
        loaded = await insist(lambda: self._tools.store.load_many([write.session_id for write in refused]))
        withdrawn = [stored for stored in loaded if stored is not None and stored.withdrawn]
        if len(withdrawn) < len(refused):
            return False
        for stored in withdrawn:
            self._adopt(stored)
        told_ms = self._tools.clock_ms()
        messages = [withdrawal_message(write.project_id, write.session_id, told_ms) for write in refused]
        await insist(lambda: self._tools.emitter.send(messages))
        return True

    async def _aside(
        self,
        writes: Sequence[SessionWrite],
        results: Sequence[WriteResult],
        refusals: Sequence[tuple[Refusal, int]],
    ) -> None:
        """Do what may be done again, or never: merge blocks of ended sessions, note why batches were refused."""
        store, now_ms = self._tools.store, self._clock.now_ms
        for write, result in zip(writes, results, strict=True):
            if write.ended and result.blocks > 1 and result.outcome is not Outcome.REFUSED:
                await store.compact(write.session_id, result.version)
        for refusal, batches in refusals:
            await store.note_fate(refusal.session_id, refusal.project_id, refusal.reason, batches, now_ms)

    def _letters(self, letters: Sequence[Letter]) -> list[DeadLetter]:
        for letter in letters:
            self._tools.meters.count(Count.DEAD_LETTERS, reason=letter.reason)
        return [self._letter(letter) for letter in letters]

    def _letter(self, letter: Letter) -> DeadLetter:
        topic, partition = self._place
        at_ms = self._poisoned_ms.pop(letter.position)
        return DeadLetter(topic, partition, letter.position, letter.reason, letter.size_bytes, at_ms)
