"""The files of a processed directory: written from a spool, and read again by `explain`."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from replay.explain import Known
from replay.index import late_events
from replay.names import encode_name
from replay.reading import exported_line
from replay.spool import Spool
from replay.store import Fate, Store
from schemas.bundle_index import Hole
from schemas.session_record import SessionRecord

_T = TypeVar("_T")

SESSIONS: Final = "sessions.jsonl"
SIGNALS: Final = "signals.jsonl"
ACTIVITY: Final = "activity.jsonl"
EXPLAIN: Final = "explain.jsonl"
BUNDLES: Final = "bundles"


class _Traces(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of `explain.jsonl`: what is missing or late in a session, or why there is none."""

    session_id: str
    holes: list[Hole] = []
    fates: list[Fate] = []
    late_events: int = 0


def bundle_path(directory: Path, session_id: str) -> Path:
    """Name the file of a session's bundle; ids that are no plain names are encoded (`replay.names`)."""
    return directory / BUNDLES / f"{encode_name(session_id)}.jsonl"


async def export(spool: Spool, store: Store, work: Path, directory: Path) -> None:
    """Write all files into `work`, then move them into `directory`, in the place of those of an earlier run."""
    _make_folders(work)
    _write_lines(work / SESSIONS, spool.column("SELECT record FROM sessions ORDER BY started_at, id"))
    _write_lines(work / SIGNALS, spool.column("SELECT signal FROM signals ORDER BY t, id"))
    # Of one moment of one session in the order it was told: a start comes before its end.
    _write_lines(work / ACTIVITY, spool.column("SELECT activity FROM activities ORDER BY t, session, place"))
    ids = spool.column("SELECT id FROM sessions UNION SELECT session FROM fates ORDER BY 1")
    with _create(work / EXPLAIN) as explain:
        for session_id in ids:
            await _export_session(store, session_id.decode(), work, explain)
    _move(work, directory)


async def _export_session(store: Store, session_id: str, work: Path, explain: BinaryIO) -> None:
    index = await store.index(session_id)
    holes, late = (index.holes, late_events(index)) if index else ([], 0)
    traces = _Traces(session_id, holes, await store.fates(session_id), late)
    if traces != _Traces(session_id):
        explain.write(msgspec.json.encode(traces) + b"\n")
    if index is not None:
        with _create(bundle_path(work, session_id)) as file:
            async for line in store.bundle(session_id):
                file.write(exported_line(line))


def _make_folders(work: Path) -> None:
    (work / BUNDLES).mkdir(parents=True)


def _create(path: Path) -> BinaryIO:
    return path.open("xb")


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    with _create(path) as file:
        for line in lines:
            file.write(line + b"\n")


def _move(work: Path, directory: Path) -> None:
    """Move the files; the bundles first, so that a session that is listed has its bundle."""
    old = work.parent / "old"
    if (directory / BUNDLES).exists():
        (directory / BUNDLES).rename(old)
    (work / BUNDLES).rename(directory / BUNDLES)
    shutil.rmtree(old, ignore_errors=True)
    for name in (SIGNALS, ACTIVITY, EXPLAIN, SESSIONS):
        (work / name).replace(directory / name)


def read_session(directory: Path, session_id: str) -> Known:
    """Find what a processed directory knows of a session.

    Raises OSError if a file is missing, msgspec.DecodeError if one is damaged.
    """
    record = _find(directory / SESSIONS, session_id, SessionRecord)
    traces = _find(directory / EXPLAIN, session_id, _Traces) or _Traces(session_id)
    return Known(
        session_id=session_id,
        record=record,
        holes=traces.holes,
        fates=traces.fates,
        late_events=traces.late_events,
    )


class _Identified(msgspec.Struct):
    session_id: str


def _find(path: Path, session_id: str, kind: type[_T]) -> _T | None:
    with path.open("rb") as lines:
        for line in lines:
            if msgspec.json.decode(line, type=_Identified).session_id == session_id:
                return msgspec.json.decode(line, type=kind)
    return None
