"""Summaries from a store, with bounded work."""

from pathlib import Path
from typing import Final

import msgspec

from replay.directory_files import SIGNALS, bundle_path, read_session
from replay.store import BundleLine, Store
from replay.summary.account import summarize
from replay.summary.actions import Actions, ActionsReader
from replay.summary.types import Summary
from schemas.bundle_index import BundleIndex
from schemas.session_record import SessionRecord
from schemas.signals import Signal

MAX_READ_BYTES: Final = 16 << 20
"""Events (bytes of JSON) that are read for a summary; of a larger session no clicks and fields are counted."""

ALWAYS: Final = (-(2**53), 2**53)
"""A range that any session is in."""

_LINES_AT_ONCE: Final = 500


async def summarize_session(store: Store, record: SessionRecord, from_t: int, to_t: int) -> Summary:
    """Summarize what happened in a session from one moment to another (epoch ms, both included).

    What lies outside the range is not told, nor counted. Raises what the store raises.
    """
    whole = from_t <= record.started_at and record.last_event_at <= to_t
    index = await store.index(record.session_id)
    signals = await store.signals(record.session_id)
    actions = await _actions(store, record.session_id, index) if index else None
    if whole:
        return summarize(record, index, signals, actions)
    shown = [signal for signal in signals if from_t <= signal.t and signal.end_t <= to_t]
    return summarize(clip_record(record, from_t, to_t), clip_index(index, from_t, to_t), shown, actions)


def clip_record(record: SessionRecord, from_t: int, to_t: int) -> SessionRecord:
    """Narrow a record to a range: what was counted over the whole session goes."""
    cut = record.last_event_at > to_t
    return msgspec.structs.replace(
        record,
        started_at=max(record.started_at, from_t),
        last_event_at=min(record.last_event_at, to_t),
        status="ended" if cut else record.status,
        end_reason="input_end" if cut else record.end_reason,
        pages=[page for page in record.pages if from_t <= page.t <= to_t],
        totals=msgspec.structs.replace(record.totals, clicks=0, inputs=0, errors=0),
    )


def clip_index(index: BundleIndex | None, from_t: int, to_t: int) -> BundleIndex | None:
    """Narrow an index to what a summary may tell of a range."""
    if index is None:
        return None
    blocks = [
        msgspec.structs.replace(block, first_t=max(block.first_t, from_t), last_t=min(block.last_t, to_t))
        for block in index.blocks
        if block.first_t <= to_t and from_t <= block.last_t
    ]
    return msgspec.structs.replace(
        index, blocks=blocks, holes=[hole for hole in index.holes if from_t <= hole.t <= to_t]
    )


async def _actions(store: Store, session_id: str, index: BundleIndex) -> Actions | None:
    if sum(block.raw_length for block in index.blocks) > MAX_READ_BYTES:
        return None
    reader = ActionsReader()
    lines: list[BundleLine] = []
    async for line in store.bundle(session_id):
        lines.append(line)
        if len(lines) >= _LINES_AT_ONCE:
            reader.read(lines)
            lines.clear()
    reader.read(lines)
    return reader.actions()


class _ExportedLine(msgspec.Struct, frozen=True, gc=False):
    window_id: str
    event: msgspec.Raw


class _OfSession(msgspec.Struct, gc=False):
    session_id: str


def summarize_folder(directory: Path, session_id: str) -> Summary | None:
    """Summarize a session of a folder that `wince process` wrote; `None` if it is not in it.

    Raises OSError if a file is missing, msgspec.DecodeError if one is damaged.
    """
    known = read_session(directory, session_id)
    if known.record is None:
        return None
    with (directory / SIGNALS).open("rb") as lines:
        mine = (line for line in lines if msgspec.json.decode(line, type=_OfSession).session_id == session_id)
        signals = [msgspec.json.decode(line, type=Signal) for line in mine]
    index = BundleIndex(session_id, 0, [], list(known.holes), 0)
    return summarize(known.record, index, signals, _actions_of_file(bundle_path(directory, session_id)))


def _actions_of_file(path: Path) -> Actions | None:
    if path.stat().st_size > MAX_READ_BYTES:
        return None
    reader = ActionsReader()
    with path.open("rb") as lines:
        found = (msgspec.json.decode(line, type=_ExportedLine) for line in lines)
        reader.read(BundleLine(line.window_id, bytes(line.event)) for line in found)
    return reader.actions()
