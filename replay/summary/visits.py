"""The pages of a session, in words: visits with their length and what was done on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from replay.summary.actions import Actions
from replay.summary.words import TOLD_MS, counted, duration, listed, path_of
from schemas.bundle_index import BundleIndex
from schemas.session_record import PageVisit, SessionRecord

MAX_LISTED: Final = 4
"""Pages one sentence names; more are counted."""


class Visit(msgspec.Struct, frozen=True, gc=False):
    """A stay on a page: from `t` to `end_t` (epoch ms; `None` where nothing tells), clicks and changed fields."""

    path: str
    window_id: str
    t: int
    end_t: int | None
    clicks: int
    fields: int
    count: int = 1


def visits_of(record: SessionRecord, index: BundleIndex | None, actions: Actions | None) -> list[Visit]:
    """List the visits of all windows in order of time; one follows another where the page's path is another."""
    ends = window_ends(record, index)
    found: list[Visit] = []
    for window_id, entered in sorted(_by_window(record.pages).items()):
        starts = [page.t for page in entered]
        nexts: list[int | None] = [*starts[1:], ends.get(window_id)]
        stays = [
            _visit(page, end, actions, last=place == len(starts) - 1)
            for place, (page, end) in enumerate(zip(entered, nexts, strict=True))
        ]
        found += _joined(stays)
    return sorted(found, key=lambda visit: (visit.t, visit.window_id))


def window_ends(record: SessionRecord, index: BundleIndex | None) -> dict[str, int]:
    """Tell when the last event of each window was (epoch ms), where that is known."""
    ends: dict[str, int] = {}
    for block in index.blocks if index else ():
        ends[block.window_id] = max(block.last_t, ends.get(block.window_id, block.last_t))
    if len(record.window_ids) == 1:
        ends.setdefault(record.window_ids[0], record.last_event_at)
    return ends


def _by_window(pages: Iterable[PageVisit]) -> dict[str, list[PageVisit]]:
    windows: dict[str, list[PageVisit]] = {}
    for page in sorted(pages, key=lambda page: (page.t, page.url)):
        windows.setdefault(page.window_id, []).append(page)
    return windows


def _visit(page: PageVisit, end_t: int | None, actions: Actions | None, *, last: bool) -> Visit:
    # The event that ends a window belongs to its last page, that which begins the next page does not.
    until = page.t if end_t is None else end_t + last
    clicks = actions.clicks_between(page.window_id, page.t, until) if actions else 0
    fields = actions.fields_between(page.window_id, page.t, until) if actions else 0
    return Visit(path_of(page.url), page.window_id, page.t, end_t, clicks, fields)


def _joined(visits: Sequence[Visit]) -> list[Visit]:
    """Make one visit of several to the same path in a row."""
    joined: list[Visit] = []
    for visit in visits:
        if joined and joined[-1].path == visit.path:
            before = joined[-1]
            joined[-1] = msgspec.structs.replace(
                before,
                end_t=visit.end_t,
                clicks=before.clicks + visit.clicks,
                fields=before.fields + visit.fields,
                count=before.count + 1,
            )
        else:
            joined.append(visit)
    return joined


def tabs(record: SessionRecord, index: BundleIndex | None) -> Mapping[str, int]:
    """Number the windows of a session from 1 on, by their first page or block; empty if there is only one."""
    first: dict[str, int] = {}
    for window_id, t in [
        *((page.window_id, page.t) for page in record.pages),
        *((block.window_id, block.first_t) for block in (index.blocks if index else ())),
    ]:
        first[window_id] = min(t, first.get(window_id, t))
    for window_id in record.window_ids:
        first.setdefault(window_id, record.last_event_at)
    if len(first) == 1:
        return {}
    return {window_id: number for number, window_id in enumerate(sorted(first, key=lambda w: (first[w], w)), 1)}


def tell(visits: Sequence[Visit], *, landed: bool) -> str:
    """Tell of a run of visits of one window, without subject, capital and full stop."""
    if len(visits) <= MAX_LISTED:
        named = [_name(visit) for visit in visits]
    else:
        hidden = counted(len(visits) - MAX_LISTED + 1, "more page")
        named = [*(_name(visit) for visit in visits[: MAX_LISTED - 2]), hidden, _name(visits[-1])]
    if not landed:
        return f"went on to {listed(named)}"
    return f"landed on {named[0]}" + (f", then went on to {listed(named[1:])}" if named[1:] else "")


def _name(visit: Visit) -> str:
    parts = [f"{visit.count} times"] if visit.count > 1 else []
    if visit.end_t is not None and visit.end_t - visit.t >= TOLD_MS:
        parts.append(duration(visit.end_t - visit.t))
    parts += [counted(visit.clicks, "click")] if visit.clicks else []
    parts += [f"{counted(visit.fields, 'field')} changed"] if visit.fields else []
    return f"{visit.path} ({', '.join(parts)})" if parts else visit.path
