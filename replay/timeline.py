"""The course of a session: everything worth a mark, in order of time. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from replay.api.types_timeline import EntryKind, Timeline, TimelineEntry, TimelineWindow
from schemas.bundle_index import BlockEntry, BundleIndex
from schemas.session_record import SessionRecord
from schemas.signals import Signal

_ORDER: Final[tuple[EntryKind, ...]] = (
    "window", "page", "request", "console", "error", "signal", "hole", "end",
)  # fmt: skip
"""What comes first of things that happened at the same moment: causes before what follows from them."""


def make_timeline(
    record: SessionRecord,
    index: BundleIndex,
    signals: Sequence[Signal],
    log: Iterable[TimelineEntry] = (),
    *,
    is_partial: bool = False,
) -> Timeline:
    """Put together what is known of a session; `log` is what `replay.event_log` found, `is_partial` if not in all."""
    windows = make_windows(index.blocks)
    entries = [*_marks(record, index, windows), *map(_of_signal, signals), *log]
    return Timeline(
        session_id=record.session_id,
        started_at=record.started_at,
        ended_at=record.last_event_at if record.status == "ended" else None,
        windows=windows,
        entries=sorted(entries, key=lambda entry: (entry.t, _ORDER.index(entry.kind), entry.window_id)),
        is_partial=is_partial,
    )


def make_windows(blocks: Iterable[BlockEntry]) -> list[TimelineWindow]:
    """List the windows of blocks, in the order in which they were seen first."""
    found: dict[str, list[BlockEntry]] = {}
    for block in blocks:
        found.setdefault(block.window_id, []).append(block)
    windows = [
        TimelineWindow(
            window_id,
            min(block.first_t for block in own),
            max(block.last_t for block in own),
            sum(block.events for block in own),
        )
        for window_id, own in found.items()
    ]
    return sorted(windows, key=lambda window: (window.first_t, window.window_id))


def _marks(record: SessionRecord, index: BundleIndex, windows: Iterable[TimelineWindow]) -> Iterator[TimelineEntry]:
    for window in windows:
        yield TimelineEntry(t=window.first_t, kind="window", window_id=window.window_id)
    for visit in record.pages:
        yield TimelineEntry(t=visit.t, kind="page", window_id=visit.window_id, url=visit.url)
    for hole in index.holes:
        yield TimelineEntry(t=hole.t, kind="hole", window_id=hole.window_id, reason=hole.reason, events=hole.events)
    if record.status == "ended":
        yield TimelineEntry(t=record.last_event_at, kind="end", reason=record.end_reason or "")


def _of_signal(signal: Signal) -> TimelineEntry:
    return TimelineEntry(
        t=signal.t,
        kind="signal",
        window_id=signal.window_id,
        end_t=signal.end_t,
        signal_id=signal.id,
        detector=signal.detector,
        count=signal.count,
        text=(signal.target.text if signal.target else None) or "",
    )
