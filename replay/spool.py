"""The spool: where a directory store keeps sessions while it runs, in one SQLite file.

One file and a fixed page cache hold any number of sessions; nothing of it survives the run, so nothing is synced.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, cast

import msgspec

from replay.index import place_blocks
from replay.writes import BlockDraft
from schemas.activity import Activity
from schemas.bundle_index import BlockEntry, BundleIndex, Hole
from schemas.signals import Signal

_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE sessions (
    id BLOB PRIMARY KEY, project BLOB, version INTEGER, token BLOB, position BLOB, record BLOB, state BLOB,
    deadline INTEGER, started_at INTEGER, score REAL, holes BLOB, raw_bytes INTEGER, length INTEGER, full INTEGER,
    blocks INTEGER, shard BLOB, outbox BLOB
) WITHOUT ROWID;
CREATE INDEX deadlines ON sessions (shard, deadline) WHERE deadline IS NOT NULL;
CREATE TABLE blocks (session BLOB, start INTEGER, entry BLOB, data BLOB, PRIMARY KEY (session, start));
CREATE TABLE signals (session BLOB, id BLOB, t INTEGER, signal BLOB, PRIMARY KEY (session, id)) WITHOUT ROWID;
CREATE TABLE activities (
    place INTEGER PRIMARY KEY, session BLOB, id BLOB, t INTEGER, activity BLOB, UNIQUE (session, id)
);
CREATE TABLE listings (session BLOB, name BLOB, PRIMARY KEY (session, name)) WITHOUT ROWID;
CREATE TABLE fates (
    session BLOB, reason BLOB, project BLOB, count INTEGER, last_at INTEGER, PRIMARY KEY (session, reason)
) WITHOUT ROWID;
"""

_OF_A_SESSION: Final = ("blocks", "signals", "activities", "listings", "fates")

_holes: Final = msgspec.json.Decoder(list[Hole])
_entry: Final = msgspec.json.Decoder(BlockEntry)


class Row(NamedTuple):
    """A session's row, in the order of the table's columns after the id."""

    project: bytes
    version: int
    token: bytes
    position: bytes
    record: bytes
    state: bytes
    deadline: int | None
    started_at: int
    score: float
    holes: bytes
    raw_bytes: int
    length: int
    full: int
    blocks: int
    shard: bytes
    outbox: bytes


class Spool:
    """Rows in, rows out; ids and all other texts are UTF-8 bytes, which SQLite leaves alone (NUL included)."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript(_TABLES)
        self.database.execute("BEGIN")

    def session(self, session_id: str) -> Row | None:
        """Read a session's row."""
        row = self.database.execute("SELECT * FROM sessions WHERE id = ?", (session_id.encode(),)).fetchone()
        return Row(*row[1:]) if row else None

    def put_session(self, session_id: str, row: Row) -> None:
        """Write a session's row."""
        marks = ", ".join("?" * (len(Row._fields) + 1))
        self.database.execute(f"REPLACE INTO sessions VALUES ({marks})", (session_id.encode(), *row))  # noqa: S608

    def add_blocks(self, session_id: str, drafts: Sequence[BlockDraft], offset: int) -> None:
        """Append blocks at `offset` of the session's data."""
        key = session_id.encode()
        for entry, draft in zip(place_blocks(drafts, offset), drafts, strict=True):
            values = (key, entry.offset, msgspec.json.encode(entry), draft.data)
            self.database.execute("INSERT INTO blocks VALUES (?, ?, ?, ?)", values)

    def put_signals(self, session_id: str, signals: Sequence[Signal]) -> None:
        """Set signals by their id."""
        rows = [(session_id.encode(), each.id.encode(), each.t, msgspec.json.encode(each)) for each in signals]
        self.database.executemany("REPLACE INTO signals VALUES (?, ?, ?, ?)", rows)

    def add_activities(self, session_id: str, activities: Sequence[Activity]) -> None:
        """Append activities, but for those that are there."""
        key = session_id.encode()
        rows = [(key, each.id.encode(), each.t, msgspec.json.encode(each)) for each in activities]
        self.database.executemany(
            "INSERT OR IGNORE INTO activities (session, id, t, activity) VALUES (?, ?, ?, ?)", rows
        )

    def put_listings(self, session_id: str, names: Sequence[str]) -> None:
        """List a session under names it is not yet listed under."""
        rows = [(session_id.encode(), name.encode()) for name in names]
        self.database.executemany("INSERT OR IGNORE INTO listings VALUES (?, ?)", rows)

    def index(self, session_id: str, row: Row) -> BundleIndex:
        """Make a session's index."""
        select = "SELECT entry FROM blocks WHERE session = ? ORDER BY start"
        found = self.database.execute(select, (session_id.encode(),))
        return BundleIndex(
            session_id=session_id,
            version=row.version,
            blocks=[_entry.decode(entry) for (entry,) in found],
            holes=_holes.decode(row.holes),
            length=row.length,
        )

    def data(self, session_id: str, offset: int, length: int) -> bytes:
        """Read whole blocks that lie at `offset` to `offset + length`."""
        select = "SELECT data FROM blocks WHERE session = ? AND start >= ? AND start < ? ORDER BY start"
        rows = self.database.execute(select, (session_id.encode(), offset, offset + length))
        return b"".join(data for (data,) in rows)

    def number(self, select: str, *values: bytes | float) -> int:
        """Run a query that gives one number."""
        (found,) = self.database.execute(select, values).fetchone()
        return cast("int", found)

    def column(self, select: str, *values: bytes | float) -> Iterator[bytes]:
        """Run a query that gives one column of texts."""
        return (value for (value,) in self.database.execute(select, values))

    def note_fate(self, session_id: str, values: tuple[str, str, int, int]) -> None:
        """Add `(reason, project, count, now in ms)`; the same moment again changes nothing."""
        reason, project, count, now_ms = values
        self.database.execute(
            "INSERT INTO fates VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count,"
            " project = excluded.project, last_at = excluded.last_at WHERE last_at != excluded.last_at",
            (session_id.encode(), reason.encode(), project.encode(), count, now_ms),
        )

    def delete(self, session_id: str) -> None:
        """Delete everything of a session."""
        key = session_id.encode()
        self.database.execute("DELETE FROM sessions WHERE id = ?", (key,))
        for table in _OF_A_SESSION:
            self.database.execute(f"DELETE FROM {table} WHERE session = ?", (key,))  # noqa: S608

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()
