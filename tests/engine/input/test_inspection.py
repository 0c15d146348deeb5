"""Depth and length: at, under and over each limit, by either way of decoding."""

import json
from typing import Any

import msgspec
import pytest

from engine.input import DecodedEvents, EventDecoder
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.rrweb_events import Plugin
from tests.engine.input.samples import INTERACTIONS, RRWEB, batch, decode_opened, event, nested

SHALLOW = LimitSettings(max_depth=20)
SHORT = LimitSettings(max_text_bytes=100)
BAD = {"type": 99}
T = 1_795_296_510_000


def decode(*events: object, limits: LimitSettings, careful: bool = False) -> DecodedEvents:
    """Decode; `careful` adds an event that makes the decoder take the batch apart, and takes it away again."""
    if not careful:
        return decode_opened(EventDecoder(limits), batch(*events))
    decoded = decode_opened(EventDecoder(limits), batch(*events, BAD))
    dropped = dict(decoded.dropped)
    assert dropped.pop(Reason.UNKNOWN_EVENT_TYPE) == 1
    return DecodedEvents(decoded.events, decoded.read - 1, dropped, decoded.repaired)


def data_of(decoded: DecodedEvents) -> Any:
    (kept,) = decoded.events
    return json.loads(msgspec.json.encode(kept))["data"]


def chain(levels: int) -> dict[str, Any]:
    """Return a tree of this many elements, each the only child of the one before."""
    node: dict[str, Any] = {"type": 2, "id": levels, "tagName": "p", "attributes": {}, "childNodes": []}
    for node_id in range(levels - 1, 0, -1):
        node = {"type": 2, "id": node_id, "tagName": "p", "attributes": {}, "childNodes": [node]}
    return node


def levels_of(node: dict[str, Any]) -> int:
    return 1 + max((levels_of(child) for child in node.get("childNodes", ())), default=0)


def depth_of(value: object) -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)
    return 0


both_ways = pytest.mark.parametrize("careful", [False, True], ids=["whole", "careful"])


@both_ways
class TestDepth:
    @pytest.mark.parametrize("levels", [7, 8, 9, 50])
    def test_of_a_snapshot(self, levels: int, *, careful: bool) -> None:
        page = {"type": 0, "id": 1000, "childNodes": [chain(levels)]}
        snapshot = {"type": 2, "timestamp": T, "data": {"node": page}}
        decoded = decode(snapshot, limits=SHALLOW, careful=careful)
        kept = data_of(decoded)["node"]
        assert levels_of(kept) - 1 == min(levels, 8)
        assert depth_of({"data": {"node": kept}}) <= 20
        assert decoded.repaired == ({Reason.NODE_TOO_DEEP: 1} if levels > 8 else {})

    @pytest.mark.parametrize("levels", [7, 8, 9, 50])
    def test_of_an_added_node(self, levels: int, *, careful: bool) -> None:
        add = {"parentId": 1, "nextId": None, "node": chain(levels)}
        mutation = {"type": 3, "timestamp": T, "data": {"source": 0, "adds": [add, add]}}
        decoded = decode(mutation, limits=SHALLOW, careful=careful)
        assert [levels_of(added["node"]) for added in data_of(decoded)["adds"]] == [min(levels, 8)] * 2
        assert depth_of({"data": data_of(decoded)}) <= 20
        assert decoded.repaired == ({Reason.NODE_TOO_DEEP: 2} if levels > 8 else {})

    @pytest.mark.parametrize("name", ["5_custom", "6_plugin", "7_asset"])
    @pytest.mark.parametrize(("depth", "kept"), [(17, True), (18, True), (19, False), (300, False)])
    def test_of_a_payload(self, name: str, depth: int, *, kept: bool, careful: bool) -> None:
        sample = event(name)
        sample["data"]["payload"] = json.loads(nested(depth))
        decoded = decode(sample, limits=SHALLOW, careful=careful)
        assert decoded.dropped == ({} if kept else {Reason.EVENT_TOO_DEEP: 1})
        assert depth_of(sample) == depth + 2

    @pytest.mark.parametrize("field", ["commands", "args"])
    @pytest.mark.parametrize(("depth", "kept"), [(18, True), (19, False)])
    def test_of_canvas_calls(self, field: str, depth: int, *, kept: bool, careful: bool) -> None:
        sample = event("3_09_canvas")
        sample["data"][field] = json.loads(nested(depth))
        decoded = decode(sample, limits=SHALLOW, careful=careful)
        assert decoded.dropped == ({} if kept else {Reason.EVENT_TOO_DEEP: 1})

    def test_hidden_in_an_unknown_key_vanishes_with_it(self, *, careful: bool) -> None:
        sample = {**event("05_input"), "unknown": json.loads(nested(300))}
        decoded = decode(sample, limits=SHALLOW, careful=careful)
        assert (len(decoded.events), decoded.dropped) == (1, {})

    def test_of_ancestors_within_ancestors(self, *, careful: bool) -> None:
        click = json.loads(INTERACTIONS["interaction_event.click"])
        (ancestor,) = click["target"]["ancestors"]
        click["target"]["ancestors"] = [{**ancestor, "ancestors": [ancestor]}] * 15
        decoded = decode(click, limits=SHALLOW, careful=careful)
        kept = json.loads(msgspec.json.encode(decoded.events[0]))["target"]["ancestors"]
        assert kept == [ancestor] * 10
        assert decoded.repaired == {Reason.FIELD_DROPPED: 10, Reason.NODE_TOO_DEEP: 5}


@pytest.mark.parametrize(("depth", "reason"), [(19, Reason.INVALID_EVENT), (21, Reason.EVENT_TOO_DEEP)])
def test_depth_of_a_damaged_event(depth: int, reason: Reason) -> None:
    sample = {**event("05_input"), "data": None, "unknown": json.loads(nested(depth))}
    assert decode(sample, limits=SHALLOW).dropped == {reason: 1}


def with_text(name: str, key: str, text: str) -> dict[str, Any]:
    sample = event(name)
    sample["data"][key] = text
    return sample


TEXTS = [
    ("05_input", "text"), ("4_meta", "href"), ("5_custom", "tag"), ("6_plugin", "plugin"), ("7_asset", "url"),
    ("8_annotation", "text"), ("3_11_log", "level"), ("3_10_font", "family"), ("3_09_canvas", "property"),
]  # fmt: skip


@both_ways
class TestLength:
    @pytest.mark.parametrize(("name", "key"), TEXTS)
    @pytest.mark.parametrize("text", ["a" * 99, "a" * 100, "ü" * 50, "💥" * 25])
    def test_of_a_text_that_fits(self, name: str, key: str, text: str, *, careful: bool) -> None:
        decoded = decode(with_text(name, key, text), limits=SHORT, careful=careful)
        assert data_of(decoded)[key] == text
        assert decoded.repaired == {}

    @pytest.mark.parametrize(("name", "key"), TEXTS)
    @pytest.mark.parametrize(
        ("text", "cut"),
        [
            ("a" * 101, "a" * 100),
            ("a" + "ü" * 50, "a" + "ü" * 49),
            ("a" + "💥" * 25, "a" + "💥" * 24),
            ("b" * 9999, "b" * 100),
        ],
    )
    def test_of_a_text_that_is_cut(self, name: str, key: str, text: str, cut: str, *, careful: bool) -> None:
        decoded = decode(with_text(name, key, text), limits=SHORT, careful=careful)
        assert data_of(decoded)[key] == cut
        assert decoded.repaired == {Reason.TEXT_TOO_LONG: 1}

    def test_of_texts_and_attributes_that_change(self, *, careful: bool) -> None:
        long = "a" * 150
        attributes = {"title": long, "class": "x", "style": {"color": long, "top": [long, "important"]}, "rr_width": 7}
        data = {
            "source": 0,
            "texts": [{"id": 1, "value": long}, {"id": 2, "value": None}],
            "attributes": [{"id": 1, "attributes": attributes}],
        }
        decoded = decode({"type": 3, "timestamp": T, "data": data}, limits=SHORT, careful=careful)
        kept = data_of(decoded)
        assert kept["texts"] == [{"id": 1, "value": "a" * 100}, {"id": 2, "value": None}]
        assert kept["attributes"][0]["attributes"]["title"] == "a" * 100
        assert kept["attributes"][0]["attributes"]["style"]["color"] == "a" * 100
        assert decoded.repaired == {Reason.TEXT_TOO_LONG: 4}
        assert long not in json.dumps(kept)

    def test_of_style_sheets_and_images_is_that_of_the_batch(self, *, careful: bool) -> None:
        long = "a" * 5000
        resources = {"_cssText": long, "rr_dataURL": long, "src": "data:image/png;base64," + long}
        node = {"type": 2, "id": 9, "tagName": "style", "attributes": resources, "childNodes": []}
        style = {"type": 3, "id": 10, "textContent": long}
        samples: list[dict[str, Any]] = [
            {"source": 0, "attributes": [{"id": 1, "attributes": resources}]},
            {"source": 0, "adds": [{"parentId": 1, "nextId": None, "node": item} for item in (node, style)]},
            {"source": 8, "id": 1, "adds": [{"rule": long}], "replace": long},
            {"source": 15, "id": 1, "styleIds": [1], "styles": [{"styleId": 1, "rules": [{"rule": long}]}]},
            {**event("3_10_font")["data"], "fontSource": long},
        ]
        events = [{"type": 3, "timestamp": T, "data": data} for data in samples]
        snapshot = {"type": 2, "timestamp": T, "data": {"node": {"type": 0, "id": 1, "childNodes": [node, style]}}}
        decoded = decode(*events, snapshot, limits=SHORT, careful=careful)
        assert (len(decoded.events), decoded.repaired) == (6, {})
        assert msgspec.json.encode(decoded.events).count(long.encode()) == 15

    @pytest.mark.parametrize("name", ["5_custom", "6_plugin", "7_asset"])
    def test_within_a_payload(self, name: str, *, careful: bool) -> None:
        payload = {"a": ["b" * 100, {"c" * 101: "d" * 200}], "n": [1, 1.5, None, True]}
        sample = event(name)
        sample["data"]["payload"] = payload
        decoded = decode(sample, limits=SHORT, careful=careful)
        assert data_of(decoded)["payload"] == {"a": ["b" * 100, {"c" * 100: "d" * 100}], "n": [1, 1.5, None, True]}
        assert decoded.repaired == {Reason.TEXT_TOO_LONG: 2}

    def test_of_many_short_texts_matters_not(self, *, careful: bool) -> None:
        sample = event("6_plugin")
        sample["data"]["payload"] = ["a" * 100] * 50
        text = json.dumps(sample, indent=1).encode()
        decoded = decode(text, limits=SHORT, careful=careful)
        (kept,) = decoded.events
        assert isinstance(kept, Plugin)
        assert bytes(kept.data.payload) in text  # untouched, byte by byte
        assert decoded.repaired == {}

    def test_of_console_lines(self, *, careful: bool) -> None:
        sample = event("3_11_log")
        sample["data"].update(trace=["a" * 101, "b"], payload=["c" * 101])
        decoded = decode(sample, limits=SHORT, careful=careful)
        kept = data_of(decoded)
        assert (kept["trace"], kept["payload"]) == (["a" * 100, "b"], ["c" * 100])
        assert decoded.repaired == {Reason.TEXT_TOO_LONG: 2}

    def test_of_style_declarations_and_custom_elements(self, *, careful: bool) -> None:
        style = event("3_13_style")
        style["data"]["set"]["value"] = style["data"]["remove"]["property"] = "a" * 101
        custom = event("3_16_custom")
        custom["data"]["define"]["name"] = "a" * 101
        decoded = decode(style, custom, limits=SHORT, careful=careful)
        assert b"a" * 101 not in msgspec.json.encode(decoded.events)
        assert decoded.repaired == {Reason.TEXT_TOO_LONG: 3}

    def test_of_what_interactions_say(self, *, careful: bool) -> None:
        error = {**json.loads(INTERACTIONS["interaction_event.error"]), "stack": "s" * 101, "message": "m" * 101}
        click = json.loads(INTERACTIONS["interaction_event.click"])
        click["target"].update(text="t" * 101, attributes={"title": "a" * 101, "n": 1})
        click["target"]["ancestors"][0]["label"] = "l" * 101
        decoded = decode(error, click, limits=SHORT, careful=careful)
        encoded = msgspec.json.encode(decoded.events)
        for letter in "smtal":
            assert letter.encode() * 100 + b'"' in encoded
            assert letter.encode() * 101 not in encoded
        assert decoded.repaired == {Reason.TEXT_TOO_LONG: 5}


def test_a_payload_with_a_number_no_parser_takes_is_refused_when_it_must_be_parsed() -> None:
    sample = json.dumps({**event("6_plugin"), "data": {"plugin": "p", "payload": ["a" * 200, "@"]}}).encode()
    decoded = decode(sample.replace(b'"@"', b"1e400"), limits=SHORT)
    assert decoded.dropped == {Reason.INVALID_EVENT: 1}


def test_every_example_is_within_the_limits() -> None:
    decoded = decode(*RRWEB.values(), limits=LimitSettings(max_text_bytes=1024))
    assert (decoded.dropped, decoded.repaired) == ({}, {})
