"""What an export takes out of a session: which windows, from when to when. Pure."""

from typing import Final

import msgspec

from replay.errors import Mismatched
from replay.export.errors import NothingToShow, TooLarge
from replay.index import blocks_to_play
from replay.summary.visits import tabs
from schemas.bundle_index import BundleIndex
from schemas.session_record import SessionRecord

MAX_EVENT_BYTES: Final = 64 << 20
"""JSON of events that is read for an export; a file has a tenth to a third of it."""


class PlannedWindow(msgspec.Struct, frozen=True):
    """A window that is exported, and what it is called."""

    window_id: str
    name: str


class Plan(msgspec.Struct, frozen=True):
    """The windows of a session to be shown from `from_t` to `to_t` (epoch ms, both included)."""

    record: SessionRecord
    from_t: int
    to_t: int
    windows: list[PlannedWindow]


def plan_export(
    record: SessionRecord, index: BundleIndex | None, from_t: int | None, to_t: int | None, window_id: str | None
) -> Plan:
    """Choose what to export; without bounds all of the session, without a window all that can be shown.

    Windows come in the order in which they were opened. Raises Mismatched for a range that is none, NothingToShow if no
    window of it has a page to start from, TooLarge if there is more of it than `MAX_EVENT_BYTES`.
    """
    first = record.started_at if from_t is None else from_t
    last = record.last_event_at if to_t is None else to_t
    if first > last:
        raise Mismatched("an export ends after it begins")
    if index is None:
        raise NothingToShow("nothing of this session's events is stored")
    chosen = [each for each in _shown(index, first, last) if window_id in {None, each}]
    if not chosen:
        raise NothingToShow("there is no page to start from in this range: no full snapshot of it was recorded")
    size = sum(block.raw_length for each in chosen for block in blocks_to_play(index, each, first, last))
    if size > MAX_EVENT_BYTES:
        raise TooLarge(f"this range holds {size} bytes of events, allowed are {MAX_EVENT_BYTES}: choose a shorter one")
    numbers = tabs(record, index)
    windows = [PlannedWindow(each, f"Tab {numbers.get(each, 1)}") for each in chosen]
    return Plan(record, first, last, sorted(windows, key=lambda window: numbers.get(window.window_id, 1)))


def _shown(index: BundleIndex, from_t: int, to_t: int) -> list[str]:
    """List the windows that were open in a range and have a page to start from."""
    ends: dict[str, int] = {}
    for block in index.blocks:
        ends[block.window_id] = max(block.last_t, ends.get(block.window_id, block.last_t))
    starts = {block.window_id for block in index.blocks if block.keyframe and block.first_t <= to_t}
    return sorted(window for window in starts if ends[window] >= from_t)
