"""Heatmaps: clicks of many sessions on one page, over what one of them shows."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from replay.api.types_overview import Heatmap, Kind
from replay.blocks import decode_block
from replay.errors import Poison, Unavailable
from replay.index import blocks_to_play
from replay.ranges import Read, plan_reads
from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.redis_reads import data_reader, decode_index, decode_signals, index_call
from replay.search.clicks import PageClicks, Span, read_clicks
from replay.search.filters import SessionFilter
from replay.search.finding import SessionSearch
from schemas.bundle_index import BlockEntry
from schemas.page_paths import fold_page, page_of
from schemas.session_record import SessionRecord
from schemas.signals import Signal

SESSIONS_MAX: Final = 60
"""Sessions whose events are read for one heatmap, the latest ones."""

VISITS_MAX: Final = 4
"""Visits of the page that are looked at of one session."""

BYTES_MAX: Final = 64 << 20
"""Masked JSON that is looked at for one heatmap."""

VISIT_BYTES_MAX: Final = 8 << 20
_READ_BYTES: Final = 4 << 20

HELD_BYTES: Final = 2 * VISIT_BYTES_MAX
"""Bytes that are held at a time to make a heatmap: the blocks of a visit, and the text of one."""

CELLS_MAX: Final = 10_000
SMALLEST_CELL_PX: Final = 8
LONGEST_PAGE_PX: Final = 20_000
PHONE_MAX_PX: Final = 500
TABLET_MAX_PX: Final = 1_024
"""Widths at which sites change their layout: clicks are counted together within one of three kinds."""

TAGS: Final = {"click": "", "rage": "rage_click", "dead": "dead_click"}


class Visit(NamedTuple):
    """A visit of the page: where, from when to when (epoch ms), and which clicks of it are meant."""

    session_id: str
    window_id: str
    from_t: int
    to_t: int
    spans: Sequence[Span]


class HeatmapReader:
    """Reads what a heatmap is made of."""

    def __init__(self, client: RedisClient, names: KeyNames) -> None:
        self._client = client
        self._names = names
        self._search = SessionSearch(client, names)

    async def heatmap(self, project_id: str, wanted: SessionFilter, kind: Kind) -> Heatmap:
        """Say where clicks of a kind were on `wanted.page`, in the latest of the sessions that were on it."""
        tagged = SessionFilter(
            page=wanted.page, from_ms=wanted.from_ms, to_ms=wanted.to_ms, tags=(TAGS[kind],) if TAGS[kind] else ()
        )
        found = await self._search.find(project_id, tagged, limit=SESSIONS_MAX)
        page, is_partial, left_bytes = page_of(wanted.page), bool(found.cursor), BYTES_MAX
        clicks: list[PageClicks] = []
        for record in found.sessions:
            signals = await self._signals(record.session_id, TAGS[kind]) if TAGS[kind] else None
            visits = list(visits_of(record, page, signals))
            is_partial = is_partial or len(visits) > VISITS_MAX
            read, used_bytes, is_whole = await self._read(record.session_id, visits[:VISITS_MAX], left_bytes)
            clicks += read
            left_bytes -= used_bytes
            is_partial = is_partial or not is_whole
            if left_bytes <= 0:
                break
        return draw(clicks, is_partial=is_partial)

    async def _signals(self, session_id: str, detector: str) -> list[Signal]:
        reply = await self._client.run(Call("HVALS", (self._names.session(session_id).signals,)))
        return [signal for signal in decode_signals(reply) if signal.detector == detector]

    async def _read(
        self, session_id: str, visits: Sequence[Visit], left_bytes: int
    ) -> tuple[list[PageClicks], int, bool]:
        """Read clicks of visits; give them, how many bytes were looked at, and whether nothing was left out."""
        read = decode_index(await self._client.run(index_call(self._names.session(session_id)))) if visits else None
        if read is None:
            return [], 0, True
        head, index = read
        fetch, found, used_bytes, is_whole = data_reader(self._client, head.data), [], 0, True
        for visit in visits:
            blocks = blocks_to_play(index, visit.window_id, visit.from_t, visit.to_t)
            size_bytes = sum(block.raw_length for block in blocks)
            if size_bytes > min(VISIT_BYTES_MAX, left_bytes - used_bytes):
                is_whole = False
                continue
            used_bytes += size_bytes
            try:
                reads = [(part, await fetch(part.offset, part.length)) for part in plan_reads(blocks, _READ_BYTES)]
                found.append(await asyncio.to_thread(_clicks_of, visit, reads))
            except (Unavailable, Poison):
                # Compacted or deleted under our hands, or damaged: others show the page as well.
                is_whole = False
        return found, used_bytes, is_whole


def _clicks_of(visit: Visit, reads: Sequence[tuple[Read[BlockEntry], bytes]]) -> PageClicks:
    clicks = PageClicks(visit.session_id, visit.window_id, [])
    blocks = ((block, part.cut(data, block)) for part, data in reads for block in part.parts)
    lines = (line for block, data in blocks for line in decode_block(data, block.raw_length).splitlines())
    read_clicks(clicks, lines, visit.spans, visit.to_t)
    return clicks


def visits_of(record: SessionRecord, page: str, signals: Sequence[Signal] | None) -> Iterator[Visit]:
    """Give the visits of a page, by address or folded, with all their clicks or, if given, those of signals."""
    for place, visit in enumerate(record.pages):
        if page not in (page_of(visit.url), fold_page(visit.url)):
            continue
        later = (each.t for each in record.pages[place + 1 :] if each.window_id == visit.window_id)
        to_t = next(later, record.last_event_at + 1) - 1
        if signals is None:
            yield Visit(record.session_id, visit.window_id, visit.t, to_t, [Span(visit.t, to_t)])
            continue
        spans = [
            _span(signal) for signal in signals if signal.window_id == visit.window_id and visit.t <= signal.t <= to_t
        ]
        if spans:
            first, last = min(span.from_t for span in spans), max(span.to_t for span in spans)
            yield Visit(record.session_id, visit.window_id, first, last, spans)


def _span(signal: Signal) -> Span:
    """Say which clicks make a signal: all of a burst, or the one on the element that did not answer."""
    node_id = signal.target.node_id if signal.target is not None and signal.detector == "dead_click" else None
    return Span(signal.t, max(signal.t, signal.end_t), node_id)


def draw(visits: Sequence[PageClicks], *, is_partial: bool) -> Heatmap:
    """Count clicks in cells, over the page as most visits had it."""
    shown = _background(visits)
    if shown is None:
        return Heatmap("", "", 0, (0, 0), (0, 0), SMALLEST_CELL_PX, 0, 0, [], 0, 0, is_partial)
    alike = [visit for visit in visits if visit.width and _kind_of(visit.width) == _kind_of(shown.width)]
    points = np.array(
        [(x * shown.width / visit.width, y) for visit in alike for x, y in visit.points], dtype=np.float64
    ).reshape(-1, 2)
    lowest = max([shown.height, *(visit.bottom for visit in alike), *(points[:, 1] + 1)])
    height = int(min(lowest, LONGEST_PAGE_PX))
    inside = points[(points[:, 0] < shown.width) & (points[:, 1] < height)]
    cell_px = max(SMALLEST_CELL_PX, math.ceil(math.sqrt(shown.width * height / CELLS_MAX)))
    columns, rows = math.ceil(shown.width / cell_px), math.ceil(height / cell_px)
    cells = (inside // cell_px).astype(np.int64)
    counts = np.bincount(cells[:, 1] * columns + cells[:, 0], minlength=columns * rows)
    return Heatmap(
        shown.session_id, shown.window_id, shown.shown_t, (shown.width, shown.height), (shown.width, height),
        cell_px, columns, rows, counts.tolist(), len(inside),
        len({visit.session_id for visit in alike if visit.points}), is_partial,
    )  # fmt: skip


def _background(visits: Sequence[PageClicks]) -> PageClicks | None:
    """Choose what to draw over: of the kind and width most clicks were in, the visit with most of them."""
    showing = [visit for visit in visits if visit.shown_t >= 0 and visit.width]
    if not showing:
        return None
    of_kind: Counter[int] = Counter()
    of_width: Counter[int] = Counter()
    for visit in showing:
        of_kind[_kind_of(visit.width)] += len(visit.points)
        of_width[visit.width] += len(visit.points)
    return max(
        showing,
        key=lambda visit: (
            of_kind[_kind_of(visit.width)], of_width[visit.width], visit.width, len(visit.points), visit.shown_t,
        ),
    )  # fmt: skip


def _kind_of(width: int) -> int:
    return int(width > PHONE_MAX_PX) + int(width > TABLET_MAX_PX)
