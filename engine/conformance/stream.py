"""A case as a recorder would send it: interaction events in envelopes."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.conformance.cases import POINTED, ROOTS, Case, CaseNode, Value

START_MS: Final = 1_700_000_000_000
"""When a case begins (epoch ms): a whole second, since a vendor's code looks at multiples of 50 ms."""

LOAD_MS: Final = -900
"""When the page was loaded: a whole number of the 225 ms in which OpenReplay measures."""

PAGE: Final = "https://conformance.example/"
SESSION: Final = "conformance"
MODIFIERS: Final = {"control": "ctrl", "ctrl": "ctrl", "alt": "alt", "meta": "meta", "shift": "shift"}
TIMES: Final = ("t", "down_t", "up_t")
NAVIGATIONS: Final = {
    "pushstate": "push", "replacestate": "replace", "popstate": "pop", "back": "pop", "forward": "pop",
    "traverse": "pop", "hashchange": "hash", "reload": "load", "navigate": "load",
}  # fmt: skip
"""Other names for what `nav` says."""
CHANGES: Final = (
    ("style", "stylesheet"), ("css", "stylesheet"), ("canvas", "canvas"), ("media", "media"), ("attr", "attributes"),
    ("text", "characterData"), ("chardata", "characterData"), ("characterdata", "characterData"),
    ("child", "childList"), ("add", "childList"), ("remove", "childList"),
)  # fmt: skip
"""Words in what `mutation_type` says, and the types they are of."""

Event = Mapping[str, object]


class Nodes:
    """A case's elements, described as interaction events do, each by a number of its own.

    Numbers pass masking as they are, so that a signal's target can be told whatever keys a case uses.
    """

    def __init__(self, nodes: Mapping[str, CaseNode]) -> None:
        around = {"html": CaseNode("html"), "body": CaseNode("body")}
        self._nodes = {**around, **nodes}
        self._parents = {key: node.parent or "body" for key, node in self._nodes.items()} | {"html": "", "body": "html"}
        self._numbers = {key: number for number, key in enumerate(self._nodes, 1)}
        self._keys = {number: key for key, number in self._numbers.items()}

    def key_of(self, number: int | str) -> str | None:
        """Give the key of the element with this number."""
        return self._keys.get(number) if isinstance(number, int) else None

    def describe(self, key: str) -> dict[str, object]:
        """Describe an element with those above it, and the field that a label is for."""
        described = self._own(key)
        ancestors, above = [], self._parents[key]
        while above in self._nodes:
            ancestors.append(self._own(above))
            above = self._parents[above]
        control = self._control_of(key)
        if control is not None:
            described["control"] = self.describe(control)
        return {**described, "ancestors": ancestors}

    def _own(self, key: str) -> dict[str, object]:
        node = self._nodes[key]
        own_id = {} if key in ROOTS else {"id": key}
        described: dict[str, object] = {
            "id": self._numbers[key],
            "tag": node.tag,
            "attributes": {**own_id, **node.attrs},
            "text": node.text,
            "label": node.label,
            "cursor": node.cursor,
        }
        return {name: value for name, value in described.items() if value is not None}

    def _control_of(self, key: str) -> str | None:
        node = self._nodes[key]
        wanted = node.attrs.get("for") if node.tag == "label" else None
        return next((other for other in self._nodes if other == wanted and self._nodes[other].tag != "label"), None)


def events_of(case: Case, nodes: Nodes) -> list[Event]:
    """Give a case's events as they are on the wire, after the load of the page they happen on."""
    load: Event = {"kind": "navigation", "nav": "load", "url": PAGE, "t": START_MS + LOAD_MS}
    return [load, *(_wired(event, nodes) for event in case.events)]


def end_of(case: Case) -> Event:
    """Give an event that says nothing but that the time has come to the case's end (rrweb's `Load`)."""
    return {"type": 1, "data": {}, "timestamp": START_MS + case.end_t}


def _wired(event: Mapping[str, Value], nodes: Nodes) -> Event:
    wired: dict[str, object] = {name: value for name, value in event.items() if value is not None}
    for name in TIMES:
        moment = event.get(name)
        if isinstance(moment, int | float):
            wired[name] = START_MS + moment
    target = event.get("target")
    if isinstance(target, str):
        wired["target"] = nodes.describe(target)
    if event.get("kind") in POINTED:
        # Where a case says nothing of the page, it is not scrolled.
        wired = {"page_x": event.get("x", 0), "page_y": event.get("y", 0), **wired}
    wired.update(_named(event))
    modifiers = event.get("modifiers")
    if modifiers is not None:
        wired["modifiers"] = _modifiers(modifiers)
    error_type = event.get("error_type") or event.get("name") or event.get("type")
    if isinstance(error_type, str):
        wired["error_type"] = error_type
    frames = event.get("frames")
    if isinstance(frames, list):
        wired["stack"] = "\n".join(_frame(frame) for frame in frames if isinstance(frame, dict))
    return wired


def _named(event: Mapping[str, Value]) -> dict[str, object]:
    """Give kinds of navigations and changes the names that interaction events have for them."""
    nav, change = event.get("nav"), event.get("mutation_type")
    named: dict[str, object] = {}
    if isinstance(nav, str):
        plain = nav.lower().replace("_", "")
        named["nav"] = NAVIGATIONS.get(plain, plain)
    if isinstance(change, str):
        plain = change.lower().replace("_", "")
        named["mutation_type"] = next((kind for word, kind in CHANGES if word in plain), change)
    return named


def _modifiers(given: Value) -> list[str]:
    """Take modifier keys as a list of names or as flags, under the names that browsers and people use."""
    if isinstance(given, dict):
        names = [name for name, is_held in given.items() if is_held]
    else:
        names = [str(name) for name in given] if isinstance(given, list) else [str(given)]
    short = (name.lower().removesuffix("key") for name in names)
    return [MODIFIERS[name] for name in short if name in MODIFIERS]


def _frame(frame: Mapping[str, object]) -> str:
    file = frame.get("filename") or frame.get("file") or frame.get("url") or ""
    line = frame.get("lineno") or frame.get("line") or 1
    column = frame.get("colno") or frame.get("col") or frame.get("column") or 1
    return f"    at {frame.get('function') or 'anonymous'} ({file}:{line}:{column})"


def messages(batches: Sequence[Sequence[Event]]) -> list[bytes]:
    """Put batches of events into envelopes, the last of which ends the session."""
    return [_envelope(seq, events, is_last=seq == len(batches) - 1) for seq, events in enumerate(batches)]


def _envelope(seq: int, events: Sequence[Event], *, is_last: bool) -> bytes:
    envelope = {
        "v": 1,
        "project_id": "conformance",
        "session_id": SESSION,
        "window_id": "window",
        "seq": seq,
        "sent_at": START_MS,
        "events": events,
        "ended": is_last,
    }
    return msgspec.json.encode(envelope)
