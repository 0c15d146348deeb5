"""Small recordings to store: pages made by hand, cut into blocks, as an engine (or nobody's) would have stored them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from replay.blocks import encode_block, join_lines
from replay.writes import BlockDraft
from schemas.session_record import PageVisit, SessionRecord
from tests.replay.samples import T0, record

WIDTH: Final = 800
HEIGHT: Final = 600

Node = dict[str, Any]
Event = dict[str, Any]


class Nodes:
    """Makes rrweb nodes with ids of their own."""

    def __init__(self, first: int = 1) -> None:
        self._ids = count(first)

    def text(self, text: str, **more: Any) -> Node:
        return {"type": 3, "textContent": text, "id": next(self._ids), **more}

    def element(self, tag: str, attributes: Mapping[str, Any] | None = None, *children: Node, **more: Any) -> Node:
        return {
            "type": 2, "tagName": tag, "attributes": dict(attributes or {}), "childNodes": list(children),
            "id": next(self._ids), **more,
        }  # fmt: skip

    def page(self, *body: Node, head: Sequence[Node] = ()) -> Node:
        doctype = {"type": 1, "name": "html", "publicId": "", "systemId": "", "id": next(self._ids)}
        html = self.element("html", {}, self.element("head", {}, *head), self.element("body", {}, *body))
        return {"type": 0, "childNodes": [doctype, html], "id": next(self._ids)}


def keyframe(t: int, page: Node, url: str = "https://shop.test/cart") -> list[Event]:
    """Size, then page, at `t` ms after the start."""
    return [
        {"type": 4, "data": {"href": url, "width": WIDTH, "height": HEIGHT}, "timestamp": T0 + t},
        {"type": 2, "data": {"node": page, "initialOffset": {"left": 0, "top": 0}}, "timestamp": T0 + t},
    ]


def mutation(t: int, **changes: Any) -> Event:
    data = {"source": 0, "adds": [], "removes": [], "texts": [], "attributes": [], **changes}
    return {"type": 3, "data": data, "timestamp": T0 + t}


def move(t: int, x: int, y: int) -> Event:
    positions = [{"x": x, "y": y, "id": 1, "timeOffset": 0}]
    return {"type": 3, "data": {"source": 1, "positions": positions}, "timestamp": T0 + t}


def draft(events: Sequence[Event], *, sequence: int = 0, window: str = "w1", is_keyframe: bool = False) -> BlockDraft:
    lines = join_lines([msgspec.json.encode(event) for event in events])
    times = [event["timestamp"] for event in events]
    return BlockDraft(
        window_id=window, sequence=sequence, data=encode_block(lines), raw_length=len(lines), events=len(events),
        first_t=min(times), last_t=max(times), keyframe=is_keyframe,
    )  # fmt: skip


def session_record(session_id: str, *, seconds: int, status: str = "ended", **more: Any) -> SessionRecord:
    changes: dict[str, Any] = {
        "last_event_at": T0 + 1000 * seconds, "status": status, "tags": {}, "score": 0.0,
        "end_reason": "idle" if status == "ended" else None,
    }  # fmt: skip
    return record(session_id, **(changes | more))


def visits(*urls_and_times: tuple[str, str, int]) -> list[PageVisit]:
    return [PageVisit(url=url, window_id=window, t=T0 + t) for url, window, t in urls_and_times]


def flat(parts: Iterable[Sequence[Event]]) -> list[Event]:
    return [event for part in parts for event in part]
