"""Writes recordings down shortly, and replays them through a rebuilder."""

from collections import Counter
from typing import Any

import msgspec

from detectors.interactions import Interaction
from engine.input.events import EventDecoder
from engine.masking.policy import Policy
from engine.reasons import Reason
from engine.rebuild.context import Context, RebuildTools
from engine.rebuild.page_cache import PageCache
from engine.rebuild.rebuilder import Rebuilder
from engine.settings import LimitSettings

SECRET = "Aurelia Fontaine"
"""Must be nowhere in what comes out of a masked area."""


def element(node_id: int, tag: str, *children: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """An element; attribute names are written with `_` for `-`, and `class_` for `class`."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return {"type": 2, "id": node_id, "tagName": tag, "attributes": named, "childNodes": list(children)}


def text(node_id: int, content: str, **more: Any) -> dict[str, Any]:
    return {"type": 3, "id": node_id, "textContent": content, **more}


def snapshot(*body: dict[str, Any], t: int = 1_000) -> dict[str, Any]:
    """A full snapshot: document 1, html 2, body 3."""
    root = {"type": 0, "id": 1, "childNodes": [element(2, "html", element(3, "body", *body))]}
    return {"type": 2, "timestamp": t, "data": {"node": root, "initialOffset": {"top": 0, "left": 0}}}


def meta(href: str = "https://shop.example/cart", t: int = 1_000) -> dict[str, Any]:
    return {"type": 4, "timestamp": t, "data": {"href": href, "width": 800, "height": 600}}


def incremental(source: int, t: int = 2_000, **data: Any) -> dict[str, Any]:
    return {"type": 3, "timestamp": t, "data": {"source": source, **data}}


def mutation(t: int = 2_000, **lists: Any) -> dict[str, Any]:
    return incremental(0, t, **{"adds": [], "removes": [], "texts": [], "attributes": [], **lists})


def add(parent_id: int, node: dict[str, Any], next_id: int | None = None) -> dict[str, Any]:
    return {"parentId": parent_id, "nextId": next_id, "node": node}


class Replayed:
    """What came out: masked events as plain data, interactions, counts of notes.

    One that is made `like` another shares its policy and what it knows of pages.
    """

    def __init__(
        self,
        *events: dict[str, Any],
        max_depth: int = 90,
        max_nodes: int = 1_000,
        like: "Replayed | None" = None,
        **privacy: Any,
    ) -> None:
        policy = like.page.policy if like else Policy(**privacy)
        self.decoder = EventDecoder(LimitSettings())
        self.tools: RebuildTools = (
            like.tools if like else RebuildTools(max_depth, max_nodes, self.decoder, PageCache(1 << 20))
        )
        self.told: list[Interaction] = []
        self.notes: Counter[Reason] = Counter()
        context = Context(
            policy,
            self.tools,
            self.told.append,
            frozenset(),
            self._note,
        )
        self.rebuilder = Rebuilder(context)
        self.out: list[Any] = []
        self.feed(*events)

    def _note(self, reason: Reason) -> None:
        self.notes[reason] += 1

    def feed(self, *events: dict[str, Any]) -> "Replayed":
        for event in events:
            (typed,) = self.decoder.decode(msgspec.json.encode([event])).events
            masked = self.rebuilder.feed(typed, int(event.get("timestamp", event.get("t", 0))))
            self.out.append(None if masked is None else msgspec.json.decode(msgspec.json.encode(masked)))
        return self

    @property
    def page(self) -> Any:
        return self.rebuilder.context.page

    def told_of(self, kind: type) -> list[Any]:
        return [interaction for interaction in self.told if type(interaction) is kind]

    def last(self) -> Any:
        return self.out[-1]

    def all_text(self) -> str:
        return msgspec.json.encode(self.out).decode()
