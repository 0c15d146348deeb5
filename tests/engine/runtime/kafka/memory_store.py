"""A store and marks in memory, by the rules of those in Redis; everything in it can be put back to what it was."""

import asyncio
import random
from collections.abc import Mapping, Sequence

import msgspec

from replay.blocks import decode_block
from replay.errors import Unavailable
from replay.index import place_blocks, playing_order
from replay.marks import Claim, Mark
from replay.store import Announce
from replay.writes import BlockDraft, Outcome, SessionWrite, StoredSession, WriteResult, withdrawn_session
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal


class Port:
    """The way of one process to the outside: it can be slow, closed for a while, cut for good, or lose answers."""

    def __init__(self, rng: random.Random, trouble: float = 0.0) -> None:
        self._rng = rng
        self._open = asyncio.Event()
        self._open.set()
        self.trouble = trouble
        self.calls = 0
        self.cut_after: int | None = None

    def close(self) -> None:
        """Let nothing through until it is opened again."""
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def cut(self) -> None:
        """Let nothing through any more: the process is dead."""
        self.cut_after = 0

    async def go(self) -> None:
        """Pass, before something is asked for or after it was done; raises Unavailable now and then."""
        self.calls += 1
        if self.cut_after is not None and self.calls > self.cut_after:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(self._rng.choice([0, 0, 0.001, 0.02]))
        await self._open.wait()
        if self._rng.random() < self.trouble:
            raise Unavailable("it was so decided")


class Slot(msgspec.Struct, frozen=True):
    """What is stored of a session."""

    version: int
    token: str
    project_id: str
    position: str
    state: bytes
    record: SessionRecord | None
    blocks: tuple[BlockDraft, ...]
    holes: tuple[Hole, ...]
    signals: dict[str, Signal]
    deadline_ms: int | None
    shard: str
    outbox: bytes
    withdrawn: bool = False


class Data:
    """Everything that is stored."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        self.deadlines: dict[tuple[str, str], int] = {}
        self.marks: dict[str, Mark] = {}
        """Those never moved have no log."""
        self.fates: dict[tuple[str, str], int] = {}

    def copy(self) -> "Data":
        """Give a dump."""
        dump = Data()
        dump.put_back(self)
        return dump

    def put_back(self, dump: "Data") -> None:
        """Go back to a dump."""
        self.slots, self.deadlines = dict(dump.slots), dict(dump.deadlines)
        self.marks, self.fates = dict(dump.marks), dict(dump.fates)

    def bundle(self, session_id: str) -> list[tuple[str, bytes]]:
        """Return a session's masked events with their window, in playing order."""
        drafts = self.slots[session_id].blocks
        placed = place_blocks(drafts, 0)
        by_offset = {entry.offset: draft for entry, draft in zip(placed, drafts, strict=True)}
        return [
            (entry.window_id, line)
            for entry in playing_order(placed)
            for line in decode_block(by_offset[entry.offset].data, 1 << 30).splitlines()
        ]


class MemoryStore:
    """The part of a `Store` that owners use, for one process."""

    def __init__(self, data: Data, port: Port) -> None:
        self._data = data
        self._port = port

    async def apply_many(self, writes: Sequence[SessionWrite], announce: Announce | None = None) -> list[WriteResult]:
        results = []
        for write in writes:
            await self._port.go()
            results.append(self._apply(write))
        await self._port.go()
        accepted = [
            write for write, result in zip(writes, results, strict=True) if result.outcome is not Outcome.REFUSED
        ]
        if announce is not None and accepted:
            await announce(accepted)
        for write in accepted:
            self._list(write.session_id, write.shard, write.deadline_ms)
        await self._port.go()
        return results

    def _apply(self, write: SessionWrite) -> WriteResult:
        slot = self._data.slots.get(write.session_id)
        version = 0 if slot is None else slot.version
        if slot is not None and slot.withdrawn:
            return WriteResult(Outcome.REFUSED, version, 0)
        if version != write.base_version:
            repeated = slot is not None and slot.token == write.token
            return WriteResult(Outcome.REPEATED if repeated else Outcome.REFUSED, version, 0)
        if write.base_token and (slot is None or slot.token != write.base_token):
            return WriteResult(Outcome.REFUSED, version, 0)
        if slot is not None and slot.project_id != write.project_id:
            return WriteResult(Outcome.REFUSED, version, 0)
        blocks = (() if slot is None else slot.blocks) + write.blocks
        self._data.slots[write.session_id] = Slot(
            version + 1,
            write.token,
            write.project_id,
            write.position,
            write.state or (b"" if slot is None else slot.state),
            write.record,
            blocks,
            (() if slot is None else slot.holes) + write.holes,
            ({} if slot is None else slot.signals) | {signal.id: signal for signal in write.signals},
            write.deadline_ms,
            write.shard,
            write.outbox,
        )
        return WriteResult(Outcome.APPLIED, version + 1, len(blocks))

    def _list(self, session_id: str, shard: str, deadline_ms: int | None) -> None:
        if deadline_ms is None:
            self._data.deadlines.pop((shard, session_id), None)
        else:
            self._data.deadlines[shard, session_id] = deadline_ms

    async def load_many(self, session_ids: Sequence[str]) -> list[StoredSession | None]:
        loaded = []
        for session_id in session_ids:
            await self._port.go()
            loaded.append(self._load(session_id))
        for stored in loaded:
            if stored is not None and not stored.withdrawn:
                self._list(stored.session_id, stored.shard, stored.deadline_ms)
        return loaded

    def _load(self, session_id: str) -> StoredSession | None:
        slot = self._data.slots.get(session_id)
        if slot is None:
            return None
        if slot.withdrawn or slot.record is None:
            return withdrawn_session(session_id, slot.version)
        return StoredSession(
            session_id=session_id,
            version=slot.version,
            position=slot.position,
            state=slot.state,
            record=slot.record,
            deadline_ms=slot.deadline_ms,
            outbox=slot.outbox,
            token=slot.token,
            shard=slot.shard,
        )

    async def due(self, now_ms: int, limit: int, offset: int = 0, shard: str = "") -> list[tuple[str, int]]:
        await self._port.go()
        due = [(at, id_) for (in_shard, id_), at in self._data.deadlines.items() if in_shard == shard and at <= now_ms]
        return [(session_id, at) for at, session_id in sorted(due)[offset : offset + limit]]

    async def forget_deadline(self, shard: str, session_id: str) -> None:
        await self._port.go()
        self._list(session_id, shard, None)

    async def withdraw(self, session_id: str, reason: str) -> None:
        assert reason
        await self._port.go()
        slot = self._data.slots.get(session_id)
        if slot is not None:
            self._list(session_id, slot.shard, None)
        version = 0 if slot is None else slot.version
        if slot is None or not slot.withdrawn:
            version += 1
        self._data.slots[session_id] = Slot(version, "", "", "", b"", None, (), (), {}, None, "", b"", withdrawn=True)
        await self._port.go()

    async def compact(self, session_id: str, version: int) -> bool:
        await self._port.go()
        slot = self._data.slots.get(session_id)
        return slot is not None and slot.version == version

    async def note_fate(self, session_id: str, project_id: str, reason: str, count: int, now_ms: int) -> None:
        await self._port.go()
        assert project_id
        assert now_ms >= 0
        self._data.fates[session_id, reason] = self._data.fates.get((session_id, reason), 0) + count


class MemoryMarks:
    """`Marks`, for one process."""

    def __init__(self, data: Data, port: Port) -> None:
        self._data = data
        self._port = port

    async def claim(self, shard: str, owner: str) -> Claim:
        await self._port.go()
        row = self._data.marks.get(shard)
        count = 1 if row is None else row.count + 1
        self._data.marks[shard] = (
            Mark("", -1, owner, count) if row is None else msgspec.structs.replace(row, owner=owner, count=count)
        )
        await self._port.go()
        return Claim(count, row if row is not None and row.log else None)

    async def move(self, shard: str, owner: str, count: int, log: str, offset: int, written: Mapping[str, str]) -> bool:
        await self._port.go()
        row = self._data.marks.get(shard)
        moved = Mark(log, offset, owner, count + 1)
        if row is None or row.owner != owner or (row.count != count and row != moved):
            return False
        if row != moved and not all(self._is_stored(session_id, token) for session_id, token in written.items()):
            return False
        self._data.marks[shard] = moved
        await self._port.go()
        return True

    def _is_stored(self, session_id: str, token: str) -> bool:
        slot = self._data.slots.get(session_id)
        return slot is not None and (slot.token == token if token else slot.withdrawn)

    async def holds(self, shard: str, owner: str, count: int) -> bool:
        await self._port.go()
        row = self._data.marks.get(shard)
        return row is not None and (row.owner, row.count) == (owner, count)

    async def read(self, shard: str) -> Mark | None:
        await self._port.go()
        row = self._data.marks.get(shard)
        return row if row is not None and row.log else None
