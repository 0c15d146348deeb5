"""Batches of one session, and a core they are fed to."""

from typing import Any

import msgspec

from engine.core.core import Core
from engine.core.effects import SessionEffects
from engine.core.shared import Shared
from engine.settings import Settings

MINUTE_MS = 60_000
T0 = 1_795_000_000_000
SESSION = "11111111-2222-3333-4444-555555555555"


def event(t: int = T0, **data: Any) -> dict[str, Any]:
    return {"type": 3, "timestamp": t, "data": {"source": 3, "id": 1, "x": 0, "y": 0, **data}}


def batch(seq: int = 0, *events: dict[str, Any], **envelope: Any) -> bytes:
    fields = {
        "v": 1,
        "project_id": "shop",
        "session_id": SESSION,
        "window_id": "w1",
        "seq": seq,
        "sent_at": T0,
        "events": list(events or (event(T0 + seq),)),
        **envelope,
    }
    return msgspec.json.encode(fields)


LABEL = {"type": 3, "id": 5, "textContent": "Place order"}
PAGE: dict[str, Any] = {
    "type": 2,
    "timestamp": T0,
    "data": {
        "node": {
            "type": 0,
            "id": 1,
            "childNodes": [{"type": 2, "id": 4, "tagName": "button", "attributes": {}, "childNodes": [LABEL]}],
        }
    },
}


class Driver:
    """A core with an arrival clock one can set."""

    def __init__(self, settings: Settings | None = None, shared: Shared | None = None) -> None:
        self.core = Core(settings or Settings(), shared)
        self.position = -1
        self.effects: list[SessionEffects] = []

    def feed(self, value: bytes, at_ms: int = T0) -> "Driver":
        self.position += 1
        self.core.tick(at_ms)
        opened = self.core.open(value, None, "test", self.position)
        if opened is not None:
            self.core.feed(opened, self.position, at_ms)
        self.effects += self.core.take()
        return self

    def tick(self, at_ms: int) -> "Driver":
        self.core.tick(at_ms)
        self.effects += self.core.take()
        return self

    @property
    def last(self) -> SessionEffects:
        return self.effects[-1]

    @property
    def published(self) -> int:
        return sum(block.events for effect in self.effects for block in effect.blocks)


def click(t: int) -> list[dict[str, Any]]:
    return [event(t, source=2, type=kind, id=4) for kind in (1, 0, 2)]


def clicks(*times: int) -> list[dict[str, Any]]:
    return [part for t in times for part in click(T0 + t)]
