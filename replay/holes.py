"""Arithmetic of holes: what is missing, merged, filled when it comes late after all, and bounded. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from replay.writes import FilledRange
from schemas.bundle_index import Hole

MAX_HOLES: Final = 1_000
"""Holes a session's index may list; what goes over is counted in one hole without a range per window and reason."""


def change_holes(old: Sequence[Hole], new: Iterable[Hole] = (), filled: Iterable[FilledRange] = ()) -> list[Hole]:
    """Add `new` holes to the `old`, take `filled` ranges out, and give all in order of window, reason and range.

    Gaps that touch or overlap become one, keeping the earliest time and the sum of counted events; holes without a
    range become one for each window and reason. Doing the same change again changes nothing but event counts.
    """
    ranged: dict[tuple[str, str], list[Hole]] = {}
    whole: dict[tuple[str, str], Hole] = {}
    for hole in (*old, *new):
        key = (hole.window_id, hole.reason)
        if hole.first_seq is None or hole.last_seq is None:
            whole[key] = _absorb(whole.get(key), hole)
        else:
            ranged.setdefault(key, []).append(hole)
    kept = [hole for holes in ranged.values() for hole in _merge(holes)]
    for fill in filled:
        kept = [part for hole in kept for part in _cut(hole, fill)]
    for hole in kept[MAX_HOLES:]:
        key = (hole.window_id, hole.reason)
        whole[key] = _absorb(whole.get(key), hole)
    return sorted((*kept[:MAX_HOLES], *whole.values()), key=_order)


def _order(hole: Hole) -> tuple[str, str, int]:
    return (hole.window_id, hole.reason, -1 if hole.first_seq is None else hole.first_seq)


def _absorb(into: Hole | None, hole: Hole) -> Hole:
    """One hole without a range for both: all from the earlier time on may lack something."""
    if into is None:
        return msgspec.structs.replace(hole, first_seq=None, last_seq=None)
    return msgspec.structs.replace(into, t=min(into.t, hole.t), events=into.events + hole.events)


def _bounds(hole: Hole) -> tuple[int, int]:
    if hole.first_seq is None or hole.last_seq is None:
        raise ValueError("a hole without a range has no bounds")
    return hole.first_seq, hole.last_seq


def _merge(holes: list[Hole]) -> list[Hole]:
    merged: list[Hole] = []
    for hole in sorted(holes, key=_bounds):
        first, last = _bounds(hole)
        if merged and first <= _bounds(merged[-1])[1] + 1:
            before = merged[-1]
            end = max(last, _bounds(before)[1])
            # The very same hole again is a repetition, and its events were counted.
            events = before.events if before == hole else before.events + hole.events
            merged[-1] = msgspec.structs.replace(before, last_seq=end, t=min(before.t, hole.t), events=events)
        else:
            merged.append(hole)
    return merged


def _cut(hole: Hole, fill: FilledRange) -> list[Hole]:
    if hole.first_seq is None or hole.last_seq is None or hole.window_id != fill.window_id:
        return [hole]
    if fill.last_seq < hole.first_seq or fill.first_seq > hole.last_seq:
        return [hole]
    parts = [(hole.first_seq, fill.first_seq - 1), (fill.last_seq + 1, hole.last_seq)]
    return [
        msgspec.structs.replace(hole, first_seq=first, last_seq=last, events=0)
        for first, last in parts
        if first <= last
    ]
