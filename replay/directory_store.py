"""The directory store: the same writes as in Redis, and at the end a directory of files."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from replay.compaction import Fetch
from replay.directory_files import export
from replay.entries import listing_name, listing_names
from replay.holes import change_holes
from replay.index import blocks_to_play, cap_blocks, playing_order
from replay.reading import read_lines
from replay.spool import Row, Spool
from replay.store import (
    Announce,
    BundleLine,
    Fate,
    SessionPage,
    SessionQuery,
    StoreSettings,
    decode_cursor,
    encode_cursor,
)
from replay.writes import Outcome, SessionWrite, StoredSession, WriteResult
from schemas.activity import Activity
from schemas.bundle_index import BundleIndex
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_NEW = Row(b"", 0, b"", b"", b"", b"", None, 0, 0.0, b"[]", 0, 0, 0, 0, b"", b"")


class DirectoryStore:
    """A `Store` that writes `sessions.jsonl`, `signals.jsonl`, `activity.jsonl` and more files when it is closed.

    Until then everything is in one spool file inside `directory`, so that memory does not grow with the input. The
    files are the same, byte by byte, however the input was cut into writes. One store at a time may use a directory.
    """

    def __init__(self, directory: Path, settings: StoreSettings) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._settings = settings
        self._work = Path(tempfile.mkdtemp(prefix=".wince-", dir=directory))
        self._spool = Spool(self._work / "spool")
        self._open = True

    async def apply(self, write: SessionWrite) -> WriteResult:
        """Apply a write if the session is at its `base_version`."""
        row = self._spool.session(write.session_id) or _NEW
        is_other = write.base_token and row.token != write.base_token.encode()
        if row.version != write.base_version or is_other or (row.version and row.project != write.project_id.encode()):
            repeated = row.version != write.base_version and row.token == write.token.encode()
            outcome = Outcome.REPEATED if repeated else Outcome.REFUSED
            return WriteResult(outcome, row.version, row.blocks)
        applied = self._apply(write, row)
        return WriteResult(Outcome.APPLIED, applied.version, applied.blocks)

    def _apply(self, write: SessionWrite, row: Row) -> Row:
        room = 0 if row.full else self._settings.max_session_bytes - row.raw_bytes
        kept, lost = cap_blocks(write.blocks, room)
        holes = row.holes
        if write.holes or write.filled or lost:
            old = self._spool.index(write.session_id, row).holes
            holes = msgspec.json.encode(change_holes(old, (*write.holes, *lost), write.filled))
        changed = Row(
            project=write.project_id.encode(),
            version=row.version + 1,
            token=write.token.encode(),
            position=write.position.encode(),
            record=msgspec.json.encode(write.record),
            state=write.state or row.state,
            deadline=write.deadline_ms,
            started_at=write.record.started_at,
            score=write.record.score,
            holes=holes,
            raw_bytes=row.raw_bytes + sum(block.raw_length for block in kept),
            length=row.length + sum(len(block.data) for block in kept),
            full=int(bool(row.full or lost)),
            blocks=row.blocks + len(kept),
            shard=write.shard.encode(),
            outbox=write.outbox,
        )
        self._spool.put_session(write.session_id, changed)
        self._spool.add_blocks(write.session_id, kept, row.length)
        self._spool.put_signals(write.session_id, write.signals)
        self._spool.put_listings(write.session_id, listing_names(write.record))
        return changed

    async def apply_many(self, writes: Sequence[SessionWrite], announce: Announce | None = None) -> list[WriteResult]:
        """Apply writes, each whole or not at all; see `Store.apply_many`."""
        results = [await self.apply(write) for write in writes]
        accepted = [w for w, result in zip(writes, results, strict=True) if result.outcome is not Outcome.REFUSED]
        if announce is not None and accepted:
            await announce(accepted)
        return results

    async def load(self, session_id: str) -> StoredSession | None:
        """Take over a session."""
        row = self._spool.session(session_id)
        if row is None:
            return None
        return StoredSession(
            session_id=session_id,
            version=row.version,
            position=row.position.decode(),
            state=row.state,
            record=msgspec.json.decode(row.record, type=SessionRecord),
            deadline_ms=row.deadline,
            outbox=row.outbox,
            shard=row.shard.decode(),
            token=row.token.decode(),
        )

    async def load_many(self, session_ids: Sequence[str]) -> list[StoredSession | None]:
        """Take over sessions."""
        return [await self.load(session_id) for session_id in session_ids]

    async def due(self, now_ms: int, limit: int, offset: int = 0, shard: str = "") -> list[tuple[str, int]]:
        """List sessions whose deadline has come."""
        rows = self._spool.database.execute(
            "SELECT id, deadline FROM sessions WHERE shard = ? AND deadline <= ?"
            " ORDER BY deadline, id LIMIT ? OFFSET ?",
            (shard.encode(), now_ms, limit, offset),
        )
        return [(session_id.decode(), deadline) for session_id, deadline in rows]

    async def forget_deadline(self, shard: str, session_id: str) -> None:
        """Do nothing: a session's deadline is in its own row, so no list can have a wrong one."""

    async def projects(self) -> list[str]:
        """List projects."""
        return [project.decode() for project in self._spool.column("SELECT DISTINCT project FROM sessions ORDER BY 1")]

    async def sessions(self, query: SessionQuery) -> SessionPage:
        """List sessions."""
        column = "score" if query.by == "score" else "started_at"
        where, values = "project = ?", [query.project_id.encode()]
        if query.by not in {"time", "score"}:
            where += " AND id IN (SELECT session FROM listings WHERE name = ?)"
            values.append(listing_name(query.by, query.value).encode())
        bounds: tuple[float | bytes, ...] = ()
        if query.cursor:
            score, session_id = decode_cursor(query.cursor)
            where += f" AND ({column}, id) < (?, ?)"
            bounds = (score, session_id.encode())
        # Only names of columns are put into the text; every value is bound.
        select = f"SELECT {column}, id, record FROM sessions WHERE {where} ORDER BY {column} DESC, id DESC LIMIT ?"  # noqa: S608
        rows = self._spool.database.execute(select, (*values, *bounds, query.limit + 1)).fetchall()
        shown = rows[: query.limit]
        cursor = encode_cursor(shown[-1][0], shown[-1][1].decode()) if len(rows) > query.limit else ""
        return SessionPage([msgspec.json.decode(record, type=SessionRecord) for _, _, record in shown], cursor)

    async def record(self, session_id: str) -> SessionRecord | None:
        """Read a session's record."""
        row = self._spool.session(session_id)
        return msgspec.json.decode(row.record, type=SessionRecord) if row else None

    async def index(self, session_id: str) -> BundleIndex | None:
        """Read a bundle's index."""
        row = self._spool.session(session_id)
        return self._spool.index(session_id, row) if row else None

    async def signals(self, session_id: str) -> list[Signal]:
        """Read a session's signals."""
        select = "SELECT signal FROM signals WHERE session = ? ORDER BY t, id"
        found = self._spool.column(select, session_id.encode())
        return [msgspec.json.decode(signal, type=Signal) for signal in found]

    async def events(self, session_id: str, window_id: str, from_t: int, to_t: int) -> AsyncIterator[BundleLine]:
        """Read part of a bundle; see `Store.events`."""
        index = await self.index(session_id)
        if index is not None:
            async for line in read_lines(blocks_to_play(index, window_id, from_t, to_t), self._fetch(session_id)):
                yield line

    async def bundle(self, session_id: str) -> AsyncIterator[BundleLine]:
        """Read a whole bundle; see `Store.bundle`."""
        index = await self.index(session_id)
        if index is not None:
            async for line in read_lines(playing_order(index.blocks), self._fetch(session_id)):
                yield line

    def _fetch(self, session_id: str) -> Fetch:
        async def fetch(offset: int, length: int) -> bytes:
            return self._spool.data(session_id, offset, length)

        return fetch

    def tell(self, session_id: str, activities: Sequence[Activity]) -> None:
        """Keep what is told of a session, for `activity.jsonl`: here nobody listens while it happens."""
        self._spool.add_activities(session_id, activities)

    async def compact(self, session_id: str, version: int) -> bool:
        """Check the version and no more: the files written at the end hold bundles whole, whatever their blocks."""
        row = self._spool.session(session_id)
        return row is not None and row.version == version

    async def withdraw(self, session_id: str, reason: str) -> None:
        """Delete everything of a session; no tombstone, which would say the reason: only this one run writes here."""
        del reason
        self._spool.delete(session_id)

    async def note_fate(self, session_id: str, project_id: str, reason: str, count: int, now_ms: int) -> None:
        """Count why data of a session was not stored; see `Store.note_fate`."""
        self._spool.note_fate(session_id, (reason, project_id, count, now_ms))
        excess = self._spool.number("SELECT count(*) FROM fates") - self._settings.max_fates
        if excess > 0:
            self._spool.database.execute(
                "DELETE FROM fates WHERE (session, reason) IN"
                " (SELECT session, reason FROM fates ORDER BY last_at, session LIMIT ?)",
                (excess,),
            )

    async def fates(self, session_id: str) -> list[Fate]:
        """Read what was noted."""
        select = "SELECT project, reason, count, last_at FROM fates WHERE session = ? ORDER BY reason"
        rows = self._spool.database.execute(select, (session_id.encode(),))
        return [Fate(project.decode(), reason.decode(), count, last_at) for project, reason, count, last_at in rows]

    async def close(self) -> None:
        """Write the files, each whole or not at all, and remove the spool. Closing again does nothing."""
        if self._open:
            await export(self._spool, self, self._work / "out", self._directory)
        self.discard()

    def discard(self) -> None:
        """Remove the spool without writing files, after a run that failed."""
        if self._open:
            self._open = False
            self._spool.close()
            shutil.rmtree(self._work)
