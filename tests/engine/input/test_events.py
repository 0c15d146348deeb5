"""Whatever an event is like, its neighbours survive, in order, and every one is accounted for."""

import json
from typing import Any

import msgspec
import pytest

from engine.errors import Poison
from engine.input import DecodedEvents, EventDecoder
from engine.input.events import MAX_VALUES, time_of
from engine.input.repair import MAX_CONTAINERS, repair_event
from engine.input.tally import Event, Tally
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent
from schemas.rrweb_sources import MutationData
from tests.engine.input.samples import EVENT_TEXTS, INTERACTIONS, LIMITS, RRWEB, batch, decode_opened, event, nested

DECODER = EventDecoder(LIMITS)
GOOD = event("05_input")
T = GOOD["timestamp"]


def decode(*events: object, limits: LimitSettings = LIMITS) -> DecodedEvents:
    decoded = decode_opened(EventDecoder(limits), batch(*events))
    assert decoded.read == len(decoded.events) + sum(decoded.dropped.values()) == len(events)
    return decoded


def as_json(event: Event) -> Any:
    return json.loads(msgspec.json.encode(event))


def between_good(bad: object, limits: LimitSettings = LIMITS) -> tuple[list[Any], DecodedEvents]:
    """Decode an event between two good ones, which must survive; return what is left of it."""
    before, after = {**GOOD, "timestamp": T - 1}, {**GOOD, "timestamp": T + 1}
    decoded = decode(before, bad, after, limits=limits)
    kept = [as_json(event) for event in decoded.events]
    assert kept[0] == before
    assert kept[-1] == after
    return kept[1:-1], decoded


def dropped(bad: object, limits: LimitSettings = LIMITS) -> Reason:
    kept, decoded = between_good(bad, limits)
    assert (kept, decoded.repaired) == ([], {})
    (reason,) = decoded.dropped
    return reason


def repaired(bad: object, limits: LimitSettings = LIMITS) -> tuple[Any, dict[Reason, int]]:
    (kept,), decoded = between_good(bad, limits)
    assert decoded.dropped == {}
    return kept, dict(decoded.repaired)


class TestGoodEvents:
    def test_all_at_once(self) -> None:
        decoded = decode(*RRWEB.values())
        assert (decoded.dropped, decoded.repaired) == ({}, {})
        expected = [msgspec.json.decode(text, type=RrwebEvent) for text in RRWEB.values()]
        assert [msgspec.json.encode(event) for event in decoded.events] == [*map(msgspec.json.encode, expected)]

    def test_of_the_other_kind(self) -> None:
        decoded = decode(*INTERACTIONS.values())
        assert decoded.events == [msgspec.json.decode(text, type=InteractionEvent) for text in INTERACTIONS.values()]

    def test_of_both_kinds_mixed(self) -> None:
        decoded = decode(*EVENT_TEXTS.values())
        assert (len(decoded.events), decoded.dropped, decoded.repaired) == (len(EVENT_TEXTS), {}, {})

    @pytest.mark.parametrize("text", [b"[]", b" [ ] ", msgspec.Raw(b"[]")])
    def test_none_at_all(self, text: bytes | msgspec.Raw) -> None:
        assert DECODER.decode(text) == DecodedEvents([], 0, {}, {})

    @pytest.mark.parametrize("name", EVENT_TEXTS)
    def test_are_the_same_the_careful_way(self, name: str) -> None:
        tally = Tally(LIMITS)
        careful = repair_event(EVENT_TEXTS[name], tally)
        (event,) = decode(EVENT_TEXTS[name]).events
        assert as_json(careful.event) == as_json(event)
        assert (careful.timed, careful.whole) == (True, True)
        assert not tally.repaired

    @pytest.mark.parametrize("name", EVENT_TEXTS)
    def test_as_json_text_are_decoded_once_more(self, name: str) -> None:
        whole, again = decode(EVENT_TEXTS[name], "\n" + EVENT_TEXTS[name].decode()).events
        assert as_json(again) == as_json(whole)

    def test_unknown_keys_vanish(self) -> None:
        (kept,) = decode({**GOOD, "_sid": 7, "data": {**GOOD["data"], "secret": [1]}}).events
        assert as_json(kept) == GOOD


class TestHopelessEvents:
    @pytest.mark.parametrize("bad", [7, None, True, [], [GOOD], 1.5, {}, {"timestamp": T}, {"data": {}}, b"1e400"])
    def test_that_are_none(self, bad: object) -> None:
        assert dropped(bad) is Reason.INVALID_EVENT

    @pytest.mark.parametrize("tag", [9, -1, 99, "3", None, True, 3.0, 2**70, [], {}])
    def test_of_an_unknown_type(self, tag: object) -> None:
        assert dropped({**GOOD, "type": tag}) is Reason.UNKNOWN_EVENT_TYPE

    @pytest.mark.parametrize("kind", ["teleport", "", 1, None])
    def test_of_an_unknown_kind(self, kind: object) -> None:
        assert dropped({"kind": kind, "t": T}) is Reason.UNKNOWN_EVENT_TYPE

    @pytest.mark.parametrize("source", [17, -1, "5", None, True, 5.0])
    def test_of_an_unknown_source(self, source: object) -> None:
        assert dropped({**GOOD, "data": {**GOOD["data"], "source": source}}) is Reason.UNKNOWN_SOURCE

    def test_without_a_source(self) -> None:
        assert dropped({**GOOD, "data": {"id": 1}}) is Reason.UNKNOWN_SOURCE

    @pytest.mark.parametrize("field", ["id", "text", "isChecked"])
    @pytest.mark.parametrize("value", [None, [], {}, "id", 1.5])
    def test_that_lack_what_they_are_about(self, field: str, value: object) -> None:
        if field == "text" and value == "id":
            value = 7
        assert dropped({**GOOD, "data": {**GOOD["data"], field: value}}) is Reason.INVALID_EVENT

    @pytest.mark.parametrize("node_id", [-3, 2**53 + 1, 10**400, True, "1", 1.0, None])
    def test_about_an_id_that_cannot_be_one(self, node_id: object) -> None:
        assert dropped({**GOOD, "data": {**GOOD["data"], "id": node_id}}) is Reason.INVALID_EVENT

    def test_with_a_number_no_parser_takes(self) -> None:
        digits = b"9" * 5000
        text = json.dumps({**GOOD, "data": {**GOOD["data"], "id": "@"}}).encode().replace(b'"@"', digits)
        assert dropped(text) is Reason.INVALID_EVENT

    @pytest.mark.parametrize("text", ["x\x9c\xabV*", "", "text", "[1]", "null", '"7"'])
    def test_that_are_packed_text(self, text: str) -> None:
        assert dropped(text) is Reason.PACKED_EVENT

    @pytest.mark.parametrize("text", ["{", "{}}", "{]", '{"type":3'])
    def test_that_are_text_of_broken_json(self, text: str) -> None:
        assert dropped(text) is Reason.INVALID_EVENT

    def test_that_are_text_of_text_without_end(self) -> None:
        assert between_good(json.dumps(json.dumps(GOOD)), LIMITS)[0] != []
        assert dropped(json.dumps(json.dumps(json.dumps(json.dumps(json.dumps(GOOD)))))) is Reason.PACKED_EVENT

    @pytest.mark.parametrize(
        "bad",
        [
            {"type": 2, "data": "\x1f\x8b", "cv": "2024-10", "timestamp": T},
            {"type": 3, "data": {"source": 0, "texts": "\x1f\x8b", "attributes": [], "removes": [], "adds": []},
             "timestamp": T},
        ],
    )  # fmt: skip
    def test_that_are_packed_in_part(self, bad: object) -> None:
        assert dropped(bad) is Reason.PACKED_EVENT

    def test_beyond_the_most(self) -> None:
        limits = LimitSettings(max_batch_events=3)
        for count in (2, 3, 4, 7):
            decoded = decode(*[GOOD] * count, limits=limits)
            assert len(decoded.events) == min(count, 3)
            assert decoded.dropped == ({Reason.TOO_MANY_EVENTS: count - 3} if count > 3 else {})

    def test_beyond_the_most_among_bad_ones(self) -> None:
        decoded = decode(7, GOOD, GOOD, GOOD, 7, limits=LimitSettings(max_batch_events=3))
        assert decoded.dropped == {Reason.TOO_MANY_EVENTS: 2, Reason.INVALID_EVENT: 1}

    @pytest.mark.parametrize("text", [b"{}", b"null", b"", b"[", b"[1", b"[}", b"\xff", b"7", b'["\\q"]'])
    def test_a_list_that_is_none_is_poison(self, text: bytes) -> None:
        with pytest.raises(Poison) as caught:
            DECODER.decode(text)
        assert caught.value.reason is Reason.INVALID_ENVELOPE

    def test_a_batch_too_deep_for_any_parser_is_poison(self) -> None:
        with pytest.raises(Poison) as caught:
            DECODER.decode(batch(nested(10_000)))
        assert caught.value.reason is Reason.TOO_DEEP

    def test_a_batch_too_dense_to_be_taken_apart_is_poison(self) -> None:
        most = b"[" + b"0," * MAX_VALUES + b"0]"
        assert EventDecoder(LIMITS).decode(most).dropped[Reason.INVALID_EVENT] == LIMITS.max_batch_events
        with pytest.raises(Poison) as caught:
            DECODER.decode(b"[" + b"0," * (MAX_VALUES + 1) + b"0]")
        assert caught.value.reason is Reason.TOO_DENSE

    def test_an_event_too_dense_to_be_repaired(self) -> None:
        text = b'{"type":99,"data":[' + b"[]," * MAX_CONTAINERS + b"[]]}"
        assert dropped(text) is Reason.EVENT_TOO_DENSE


class TestTimestamps:
    @pytest.mark.parametrize("bad", [-1, -1e300, 2**53 + 1, 1e17, b"1e400", "now", None, True, [], {}, 10**400])
    def test_that_cannot_be_are_those_of_the_event_before(self, bad: object) -> None:
        value = bad if isinstance(bad, bytes) else json.dumps(bad).encode()
        text = json.dumps({**GOOD, "timestamp": "@"}).encode().replace(b'"@"', value)
        kept, counts = repaired(text)
        assert kept == {**GOOD, "timestamp": T - 1}
        assert counts == {Reason.TIMESTAMP_REPAIRED: 1}

    @pytest.mark.parametrize("good", [0, 1, 2**53, 1.5, float(2**53), T])
    def test_at_the_bounds_are_kept(self, good: float) -> None:
        (kept,) = decode({**GOOD, "timestamp": good}).events
        assert time_of(kept) == good

    def test_that_are_missing_are_repaired_too(self) -> None:
        _, counts = repaired({key: value for key, value in GOOD.items() if key != "timestamp"})
        assert counts == {Reason.TIMESTAMP_REPAIRED: 1}

    def test_at_the_start_are_those_of_the_first_that_has_one(self) -> None:
        bad = {**GOOD, "timestamp": -1}
        decoded = decode(bad, {"kind": "page_exit"}, GOOD, bad)
        assert [time_of(event) for event in decoded.events] == [T] * 4
        assert decoded.repaired == {Reason.TIMESTAMP_REPAIRED: 3}

    def test_of_no_event_leave_none(self) -> None:
        bad = {**GOOD, "timestamp": None}
        decoded = decode(bad, bad, 7)
        assert decoded.events == []
        assert decoded.dropped == {Reason.INVALID_EVENT: 3}
        assert decoded.repaired == {}

    def test_of_interactions_are_repaired_alike(self) -> None:
        kept, counts = repaired({"kind": "page_exit", "t": -5})
        assert (kept, counts) == ({"kind": "page_exit", "t": T - 1}, {Reason.TIMESTAMP_REPAIRED: 1})

    def test_that_go_backwards_are_left_alone(self) -> None:
        decoded = decode({**GOOD, "timestamp": 5}, {**GOOD, "timestamp": 4})
        assert [time_of(event) for event in decoded.events] == [5, 4]

    def test_of_a_gesture_are_dropped_alone(self) -> None:
        click = json.loads(INTERACTIONS["interaction_event.click"])
        kept, counts = repaired({**click, "down_t": -1})
        assert "down_t" not in kept
        assert counts == {Reason.FIELD_DROPPED: 1}


def snapshot(*children: object, **document: Any) -> dict[str, Any]:
    node = {"type": 0, "id": 1, "childNodes": list(children), **document}
    return {"type": 2, "timestamp": T, "data": {"node": node, "initialOffset": {"top": 0, "left": 0}}}


def element(node_id: object = 2, *children: object, **fields: Any) -> dict[str, Any]:
    return {"type": 2, "id": node_id, "tagName": "p", "attributes": {}, "childNodes": list(children), **fields}


class TestDamagedPages:
    @pytest.mark.parametrize(
        "bad",
        [
            element(0), element(-1), element("2"), element(True), element(2.0), element(None), element(2**60),
            element(type=6), element(type="2"), element(type=None), element(tagName=7), 7, None, "text", [],
            {"type": 3, "id": 9}, {"type": 3, "id": 9, "textContent": None}, {"id": 9}, {"type": 1, "id": 9},
        ],
        ids=str,
    )  # fmt: skip
    def test_a_bad_node_goes_and_not_the_page(self, bad: object) -> None:
        good = element(3, {"type": 3, "id": 4, "textContent": "kept"})
        kept, counts = repaired(snapshot(good, bad, good))
        assert kept == snapshot(good, good)
        assert counts == {Reason.NODE_DROPPED: 1}

    def test_a_bad_node_deep_down_takes_only_what_is_below(self) -> None:
        kept, counts = repaired(snapshot(element(2, element(3, element(-4, element(5))), element(6))))
        assert kept == snapshot(element(2, element(3), element(6)))
        assert counts == {Reason.NODE_DROPPED: 1}

    @pytest.mark.parametrize("value", [[], {}, {"color": "red"}, [1]])
    def test_a_bad_attribute_goes_and_not_the_element(self, value: object) -> None:
        kept, counts = repaired(snapshot(element(2, attributes={"a": "1", "b": value, "c": True, "d": 1.5})))
        assert kept == snapshot(element(2, attributes={"a": "1", "c": True, "d": 1.5}))
        assert counts == {Reason.ATTRIBUTE_DROPPED: 1}

    def test_bad_fields_go(self) -> None:
        bad = element(2, isShadow="yes", rootId="1", attributes=[], childNodes={})
        kept, counts = repaired(snapshot(bad, compatMode=1))
        assert kept == snapshot(element(2))
        assert counts == {Reason.FIELD_DROPPED: 5}

    def test_without_a_document_there_is_no_page(self) -> None:
        assert dropped({"type": 2, "timestamp": T, "data": {"node": element(2)}}) is Reason.INVALID_EVENT
        assert dropped(snapshot(id=0)) is Reason.INVALID_EVENT

    def test_changes_are_kept_one_by_one(self) -> None:
        changes = {
            "source": 0,
            "texts": [{"id": 5, "value": "kept"}, {"id": "5", "value": "x"}, {"id": 6}, {"id": 7, "value": None}],
            "attributes": [{"id": 5, "attributes": {"class": "x", "style": {"color": "red", "top": 1}, "y": [1]}}, 7],
            "removes": [{"parentId": 1, "id": 2}, {"id": 2}],
            "adds": [
                {"parentId": 1, "nextId": None, "node": element(8)},
                {"parentId": 1, "nextId": None, "node": element(-8)},
                {"parentId": "1", "nextId": None, "node": element(9)},
            ],
        }
        kept, counts = repaired({"type": 3, "timestamp": T, "data": changes})
        assert kept["data"] == {
            "source": 0,
            "texts": [{"id": 5, "value": "kept"}, {"id": 7, "value": None}],
            "attributes": [{"id": 5, "attributes": {"class": "x", "style": {"color": "red"}}}],
            "removes": [{"parentId": 1, "id": 2}],
            "adds": [{"parentId": 1, "nextId": None, "node": element(8)}],
        }
        # Two texts, one attribute change and one removal; two attribute values; two added nodes.
        assert counts == {Reason.FIELD_DROPPED: 4, Reason.ATTRIBUTE_DROPPED: 2, Reason.NODE_DROPPED: 2}

    def test_lists_that_are_missing_or_none_are_empty(self) -> None:
        kept, counts = repaired({"type": 3, "timestamp": T, "data": {"source": 0, "texts": None, "adds": 7}})
        assert kept["data"] == {"source": 0, "texts": [], "attributes": [], "removes": [], "adds": []}
        assert counts == {Reason.FIELD_DROPPED: 2}
        kept, counts = repaired({"type": 3, "timestamp": T, "data": {"source": 1}})
        assert (kept["data"], counts) == ({"source": 1, "positions": []}, {})

    @pytest.mark.parametrize("tag", [0, 1])
    @pytest.mark.parametrize("data", [None, 7, [], {"x": 1}])
    def test_data_that_is_never_read_may_be_anything(self, tag: int, data: object) -> None:
        decoded = decode({"type": tag, "data": data, "timestamp": T}, {"type": tag, "timestamp": T})
        assert len(decoded.events) == 2

    def test_an_input_of_a_detached_field_is_kept(self) -> None:
        value = {**GOOD, "data": {**GOOD["data"], "id": -1}}
        (kept,) = decode(value).events
        assert as_json(kept) == value

    @pytest.mark.parametrize("name", ["04_viewport", "07_media", "03_scroll"])
    def test_numbers_that_are_none_are_not_taken(self, name: str) -> None:
        for field, value in event(name)["data"].items():
            if field not in {"source", "type", "id"}:
                for bad in ("1", b"1e400", [1], {"a": 1}):
                    text = json.dumps({**event(name), "data": {**event(name)["data"], field: "@"}}).encode()
                    raw = bad if isinstance(bad, bytes) else json.dumps(bad).encode()
                    kept, decoded = between_good(text.replace(b'"@"', raw))
                    assert decoded.dropped or (field not in kept[0]["data"] and decoded.repaired)
                    assert value is not None

    def test_a_refused_event_counts_no_repairs(self) -> None:
        bad = snapshot(element(-1), id=0)
        assert dropped(bad) is Reason.INVALID_EVENT


class TestBrokenText:
    def test_half_a_surrogate_pair_in_any_place(self) -> None:
        for stem, text in EVENT_TEXTS.items():
            if b'":"' in text:
                broken = text.replace(b'":"', rb'":"\ud800', 1)
                decoded = decode(GOOD, broken, GOOD)
                assert decoded.repaired[Reason.SURROGATE_REPAIRED] == 1, stem
                assert {as_json(decoded.events[0])["timestamp"], as_json(decoded.events[-1])["timestamp"]} == {T}

    def test_invalid_utf8_in_a_part_that_is_decoded(self) -> None:
        text = json.dumps({**GOOD, "data": {**GOOD["data"], "text": "a@b"}}).encode().replace(b"@", b"\xff\xfe")
        kept, counts = repaired(text)
        assert kept["data"]["text"] == "a\ufffd\ufffdb"
        assert counts == {Reason.INVALID_UTF8: 2}

    @pytest.mark.parametrize("name", ["5_custom", "6_plugin", "3_09_canvas"])
    def test_invalid_utf8_in_a_part_that_is_not(self, name: str) -> None:
        (text,) = [text for stem, text in RRWEB.items() if name in stem]
        key = b'"property":"' if "canvas" in name else b'"payload":{"'
        assert key in text
        kept, counts = repaired(text.replace(key, key + b"\xff", 1))
        assert "\ufffd" in json.dumps(kept, ensure_ascii=False)
        assert counts == {Reason.INVALID_UTF8: 1}

    def test_half_a_surrogate_pair_in_text_of_an_event(self) -> None:
        text = json.dumps({**GOOD, "data": {**GOOD["data"], "text": "\ud800"}})
        kept, counts = repaired(text)
        assert kept["data"]["text"] == "\ufffd"
        assert counts == {Reason.SURROGATE_REPAIRED: 1}

    def test_nan_in_text_of_an_event(self) -> None:
        kept, counts = repaired(json.dumps({**GOOD, "timestamp": float("nan")}))
        assert (kept["timestamp"], counts) == (T - 1, {Reason.NUMBER_REPAIRED: 1, Reason.TIMESTAMP_REPAIRED: 1})


def test_an_event_is_judged_by_itself() -> None:
    mixed = [7, snapshot(element(-1)), GOOD, {**GOOD, "type": 9}, "x", json.dumps(GOOD), *RRWEB.values()]
    together = decode(*mixed)
    alone = [decode(item) for item in mixed]
    assert [as_json(event) for event in together.events] == [as_json(event) for one in alone for event in one.events]
    assert sum(one.read for one in alone) == together.read
    for reason in Reason:
        assert together.dropped.get(reason, 0) == sum(one.dropped.get(reason, 0) for one in alone)
        assert together.repaired.get(reason, 0) == sum(one.repaired.get(reason, 0) for one in alone)


def test_the_decoder_hands_out_typed_events() -> None:
    (kept,) = decode(event("00_mutation")).events
    assert isinstance(kept.data, MutationData)  # type: ignore[union-attr]
