"""Finding clicks in masked events: where on the page they were, and what page there was. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

_SNAPSHOT: Final = 2
_INCREMENTAL: Final = 3
_META: Final = 4
_INTERACTION: Final = 2
_SCROLL: Final = 3
_CLICK: Final = 2

_LARGEST_PX: Final = 100_000


class _Line(msgspec.Struct, gc=False):
    """What rrweb events and interaction events have in common for those who look for clicks."""

    type: int = -1
    timestamp: float = 0
    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    kind: str = ""
    t: float = 0
    x: float = 0
    y: float = 0
    page_x: float | None = None
    page_y: float | None = None


class _Act(msgspec.Struct, gc=False):
    source: int = -1
    type: int | str = -1
    id: int = -1
    x: float = 0
    y: float = 0


class _Offset(msgspec.Struct, gc=False):
    top: float = 0
    left: float = 0


class _Node(msgspec.Struct, gc=False):
    id: int = -1


class _Snapshot(msgspec.Struct, gc=False, rename="camel"):
    node: _Node
    initial_offset: _Offset = msgspec.field(default_factory=_Offset)


class _Meta(msgspec.Struct, gc=False):
    href: str = ""
    width: float = 0
    height: float = 0


_line: Final = msgspec.json.Decoder(_Line).decode
_act: Final = msgspec.json.Decoder(_Act).decode
_snapshot: Final = msgspec.json.Decoder(_Snapshot).decode
_meta: Final = msgspec.json.Decoder(_Meta).decode


class Span(NamedTuple):
    """A stretch of time (epoch ms, both ends included), and the node clicks are to be on, if one is asked for."""

    from_t: int
    to_t: int
    node_id: int | str | None = None

    def holds(self, t: float, node_id: int) -> bool:
        """Say whether a click is meant."""
        return self.from_t <= t <= self.to_t and self.node_id in (None, node_id)


class PageClicks(msgspec.Struct, gc=False):
    """Clicks of one visit of a page, in page coordinates (CSS pixels), and the viewport they were in.

    `bottom` is the lowest line of the page that was in view. `shown_t` is a moment (epoch ms) at which a player can
    show the page, -1 if there is no snapshot.
    """

    session_id: str
    window_id: str
    points: list[tuple[float, float]]
    width: int = 0
    height: int = 0
    bottom: float = 0
    shown_t: int = -1


def read_clicks(found: PageClicks, lines: Iterable[bytes], spans: Sequence[Span], until_t: int) -> None:
    """Add to `found` the clicks of masked events, in their order, that lie in one of the spans.

    Events after `until_t` (epoch ms) are not looked at: they are of another page. Lines that are no events of the kinds
    that matter are passed over.
    """
    reader = _Reader(found, spans, until_t)
    for text in lines:
        try:
            reader.take(text)
        except (msgspec.DecodeError, RecursionError):
            continue


class _Reader:
    """Follows what scrolls and where the page begins, through the events of a visit."""

    def __init__(self, found: PageClicks, spans: Sequence[Span], until_t: int) -> None:
        self._found = found
        self._spans = spans
        self._until_t = until_t
        self._document_id = -1
        self._href = ""
        self._left = self._top = 0.0

    def take(self, text: bytes) -> None:
        """Take the next event. Raises msgspec.DecodeError for what is not of its form."""
        line = _line(text)
        t = line.timestamp or line.t
        if t > self._until_t:
            return
        if line.type == _INCREMENTAL:
            self._act(_act(line.data), t)
        elif line.type == _META:
            meta = _meta(line.data)
            if 0 < meta.width <= _LARGEST_PX and 0 < meta.height <= _LARGEST_PX:
                self._found.width, self._found.height = int(meta.width), int(meta.height)
            if meta.href != self._href:
                # Another page: what was in view of the one before does not matter.
                self._href, self._found.bottom, self._found.shown_t = meta.href, 0, -1
        elif line.type == _SNAPSHOT:
            self._see(_snapshot(line.data), t)
        elif line.kind == "click":
            x = line.x if line.page_x is None else line.page_x
            self._click(x, line.y if line.page_y is None else line.page_y, t, -1)

    def _see(self, snapshot: _Snapshot, t: float) -> None:
        self._document_id = snapshot.node.id
        self._scroll(snapshot.initial_offset.left, snapshot.initial_offset.top)
        self._found.shown_t = int(t)

    def _act(self, act: _Act, t: float) -> None:
        if act.source == _SCROLL and act.id == self._document_id:
            self._scroll(act.x, act.y)
        elif act.source == _INTERACTION and act.type == _CLICK:
            self._click(act.x + self._left, act.y + self._top, t, act.id)

    def _scroll(self, left: float, top: float) -> None:
        if abs(left) <= _LARGEST_PX and abs(top) <= _LARGEST_PX:
            self._left, self._top = left, top
            self._found.bottom = max(self._found.bottom, top + self._found.height)

    def _click(self, x: float, y: float, t: float, node_id: int) -> None:
        if 0 <= x <= _LARGEST_PX and 0 <= y <= _LARGEST_PX and any(span.holds(t, node_id) for span in self._spans):
            self._found.points.append((x, y))
            if self._found.shown_t >= 0:
                self._found.shown_t = max(self._found.shown_t, int(t))
