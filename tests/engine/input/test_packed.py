"""Packed events are opened under limits and then treated like any other, or dropped with a reason."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.input.events import DecodedEvents, EventDecoder
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.rrweb_events import FullSnapshot

NODE = {"type": 0, "id": 1, "childNodes": [{"type": 3, "id": 2, "textContent": "Grüße"}]}
SNAPSHOT: dict[str, Any] = {"type": 2, "timestamp": 5, "data": {"node": NODE}}
ADDITION = {"parentId": 1, "nextId": None, "node": {"type": 3, "id": 9, "textContent": "new"}}
CHANGE: dict[str, Any] = {
    "type": 3,
    "timestamp": 6,
    "data": {"source": 0, "texts": [], "attributes": [], "removes": [], "adds": [ADDITION]},
}
RULES: dict[str, Any] = {
    "type": 3,
    "timestamp": 7,
    "data": {"source": 8, "id": 1, "adds": [{"rule": "p{}", "index": 0}], "removes": []},
}


def latin(value: bytes) -> str:
    return value.decode("latin-1")


def rrweb_packed(event: dict[str, Any]) -> str:
    return latin(zlib.compress(json.dumps({**event, "v": "v1"}, ensure_ascii=False).encode()))


def squeezed(value: object) -> str:
    return latin(gzip.compress(json.dumps(value).encode()))


def posthog(event: dict[str, Any]) -> dict[str, Any]:
    data = event["data"]
    names = ("texts", "attributes", "removes", "adds")
    parts = {name: squeezed(value) if name in names else value for name, value in data.items()}
    return {**event, "data": squeezed(data) if event["type"] == 2 else parts, "cv": "2024-10"}


FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "rrweb's packer": rrweb_packed,
    "Amplitude's texts": json.dumps,
    "packed, as text": lambda event: json.dumps(rrweb_packed(event)),
    "PostHog": posthog,
    "PostHog, as text": lambda event: json.dumps(posthog(event)),
    "gzip": squeezed,
    "base64": lambda event: base64.b64encode(zlib.compress(json.dumps(event).encode())).decode(),
    "gzip in base64": lambda event: base64.b64encode(gzip.compress(json.dumps(event).encode())).decode(),
}


def decode(*events: Any, limits: LimitSettings | None = None) -> DecodedEvents:
    return EventDecoder(limits or LimitSettings()).decode(msgspec.json.encode(list(events)))


@pytest.mark.parametrize("event", [SNAPSHOT, CHANGE, RULES], ids=["snapshot", "change", "rules"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_opened(form: str, event: dict[str, Any]) -> None:
    plain, packed = decode(event, 7), decode(FORMS[form](event), 7)
    assert packed.events == plain.events
    assert len(packed.events) == 1
    assert packed.dropped == plain.dropped


@pytest.mark.parametrize(
    "sent",
    [
        "H4sI",
        "x",
        "xylophone",
        "\x1f\x8bnothing",
        rrweb_packed(SNAPSHOT)[:-9],
        latin(zlib.compress(b"no JSON")),
        latin(zlib.compress(b'{"a":1},{"b":2}')),
        latin(zlib.compress(b"7")),
        {**SNAPSHOT, "data": squeezed(NODE)[:-12]},
        {**SNAPSHOT, "data": "Grüße 木"},
        {**CHANGE, "data": {**CHANGE["data"], "adds": "H4sIAAAA"}},
        {**CHANGE, "data": {**CHANGE["data"], "texts": latin(gzip.compress(b'[],"adds":[]'))}},
    ],
)
def test_what_cannot_be_opened_is_dropped_and_may_have_changed_the_page(sent: object) -> None:
    decoded = decode(sent)
    assert decoded.events == []
    assert decoded.dropped == {Reason.PACKED_EVENT: 1}
    assert decoded.losses == [0]


def test_layers_without_end_are_not_followed() -> None:
    text: object = SNAPSHOT
    for _ in range(9):
        text = json.dumps(text)
    assert decode(text).dropped == {Reason.PACKED_EVENT: 1}


def test_bombs_are_never_unpacked_as_a_whole() -> None:
    limits = LimitSettings(max_batch_bytes=100_000)
    bomb = latin(zlib.compress(b'{"type":4,' + b" " * 50_000_000, 9))
    assert decode(bomb, limits=limits).dropped == {Reason.EVENT_TOO_LARGE: 1}


def test_all_events_of_a_batch_share_what_may_be_unpacked() -> None:
    event = {**SNAPSHOT, "data": {"node": {**NODE, "childNodes": [{"type": 3, "id": 2, "textContent": "a" * 40_000}]}}}
    decoded = decode(*[rrweb_packed(event)] * 4, limits=LimitSettings(max_batch_bytes=100_000))
    assert len(decoded.events) == 2
    assert decoded.dropped == {Reason.EVENT_TOO_LARGE: 2}


def test_depth_and_text_limits_hold_for_what_was_packed() -> None:
    deep = latin(
        zlib.compress(b'{"type":5,"timestamp":1,"data":{"tag":"a","payload":' + b"[" * 500 + b"]" * 500 + b"}}")
    )
    assert decode(deep).dropped == {Reason.EVENT_TOO_DEEP: 1}
    typed = {"type": 3, "timestamp": 1, "data": {"source": 5, "id": 1, "isChecked": False, "text": "a" * 3_000}}
    (event,) = decode(rrweb_packed(typed), limits=LimitSettings(max_text_bytes=2_000)).events
    assert b"a" * 2_000 + b'"' in msgspec.json.encode(event)
    assert b"a" * 2_001 not in msgspec.json.encode(event)


def test_damaged_text_inside_is_repaired_and_counted() -> None:
    packed = latin(zlib.compress(b'{"type":4,"timestamp":1,"data":{"href":"\xff\\ud800","width":NaN,"height":1}}'))
    assert decode(packed).repaired[Reason.INVALID_UTF8] == 1


@given(st.binary(max_size=60), st.sampled_from([latin, lambda value: base64.b64encode(value).decode()]))
def test_no_bytes_raise(content: bytes, spell: Callable[[bytes], str]) -> None:
    for packed in (zlib.compress(content), gzip.compress(content), b"\x1f\x8b" + content, b"x\x9c" + content):
        decoded = decode(spell(packed), {**SNAPSHOT, "data": spell(packed)})
        assert len(decoded.events) + sum(decoded.dropped.values()) == 2
        assert not any(isinstance(event, FullSnapshot) for event in decoded.events)
