"""Recordings made by hand, and sessions that hold them."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from replay.blocks import encode_block, join_lines
from replay.export.html import export_html
from replay.export.plan import plan_export
from replay.store import Store
from replay.summary.reading import summarize_session
from replay.writes import BlockDraft
from schemas.session_record import SessionRecord
from tests.replay.samples import T0, record, write

Node = dict[str, Any]


class Tree:
    """Makes nodes with ids of their own."""

    def __init__(self) -> None:
        self._id = 0

    def element(
        self, tag: str, attributes: Mapping[str, object] | None = None, *children: Node, **more: object
    ) -> Node:
        self._id += 1
        return {
            "type": 2,
            "tagName": tag,
            "attributes": dict(attributes or {}),
            "childNodes": list(children),
            "id": self._id,
            **more,
        }

    def text(self, text: str, **more: object) -> Node:
        self._id += 1
        return {"type": 3, "textContent": text, "id": self._id, **more}

    def document(self, head: Sequence[Node], body: Sequence[Node]) -> Node:
        root = self.element("html", {}, self.element("head", {}, *head), self.element("body", {}, *body))
        self._id += 1
        return {"type": 0, "childNodes": [root], "id": self._id}


def meta(t: int = 0, href: str = "https://shop.test/") -> dict[str, Any]:
    return {"type": 4, "data": {"href": href, "width": 800, "height": 600}, "timestamp": T0 + t}


def snapshot(node: Node, t: int = 0) -> dict[str, Any]:
    return {"type": 2, "data": {"node": node, "initialOffset": {"top": 0, "left": 0}}, "timestamp": T0 + t}


def change(t: int, source: int = 0, **data: object) -> dict[str, Any]:
    lists: dict[str, list[object]] = {"texts": [], "attributes": [], "removes": [], "adds": []} if source == 0 else {}
    return {"type": 3, "data": {"source": source, **lists, **data}, "timestamp": T0 + t}


def draft(
    events: Sequence[Mapping[str, Any]], *, window: str = "w1", keyframe: bool = True, sequence: int = 0
) -> BlockDraft:
    lines = join_lines([msgspec.json.encode(event) for event in events])
    times = [int(event["timestamp"]) for event in events]
    return BlockDraft(
        window_id=window,
        sequence=sequence,
        data=encode_block(lines),
        raw_length=len(lines),
        events=len(events),
        first_t=min(times),
        last_t=max(times),
        keyframe=keyframe,
    )


async def put(
    store: Store, *drafts: BlockDraft, session_id: str = "a", project_id: str = "shop", **changes: object
) -> SessionRecord:
    """Store a session with these blocks, ten seconds long."""
    made = record(session_id, project_id=project_id, **{"last_event_at": T0 + 10_000, **changes})
    await store.apply(write(session_id, project_id=project_id, record_of=made, blocks=list(drafts)))
    return made


async def export(
    store: Store,
    session_id: str,
    path: Path,
    from_t: int | None = None,
    to_t: int | None = None,
    window: str | None = None,
) -> bytes:
    """Export a session into a file; moments count from its start."""
    made = await store.record(session_id)
    assert made is not None
    bounds = [None if t is None else made.started_at + t for t in (from_t, to_t)]
    plan = plan_export(made, await store.index(session_id), bounds[0], bounds[1], window)
    summary = await summarize_session(store, made, plan.from_t, plan.to_t)
    written = b"".join([piece async for piece in export_html(store, plan, summary, T0 + 86_400_000)])
    await asyncio.to_thread(path.write_bytes, written)
    return written
