"""Custom, plugin and asset payloads: rebuilt from allow-lists."""

from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.masking.levels import Level
from engine.masking.masker import Masker
from engine.masking.payloads import MAX_PAYLOAD_BYTES, OWN_TAGS, PRODUCT_TAGS

C, M, L = Level.CONSERVATIVE, Level.MEDIUM, Level.LIGHT
MASKERS = {level: Masker(level) for level in Level}


def custom(level: Level, tag: str, payload: object) -> Any:
    answer = MASKERS[level].custom(tag, msgspec.json.encode(payload))
    return None if answer is None else msgspec.json.decode(answer)


def plugin(level: Level, name: str, payload: object) -> Any:
    answer = MASKERS[level].plugin(name, msgspec.json.encode(payload))
    return None if answer is None else msgspec.json.decode(answer)


@pytest.mark.parametrize("level", Level)
class TestOwnTags:
    def test_network(self, level: Level) -> None:
        call = {
            "method": "GET",
            "url": "https://u:p@a.test/o/1234567?q=Jane#x",
            "status": 200,
            "duration_ms": 31.5,
            "body": "Jane",
        }
        assert custom(level, "network", call) == {
            "method": "GET",
            "url": "https://a.test/o/***?q=***",
            "status": 200,
            "duration_ms": 31.5,
        }

    def test_network_failure(self, level: Level) -> None:
        answer = custom(level, "network", {"method": "JANE", "url": "x:", "error": "Failed to fetch jane@example.com"})
        assert answer["method"] == "other"
        assert "jane" not in answer["error"]
        assert answer["error"].lower().startswith("failed to fetch ***")

    def test_navigation(self, level: Level) -> None:
        answer = custom(
            level, "navigation", {"kind": "push", "from": "https://a.test/?a=b", "to": "/x#y", "state": "Jane"}
        )
        assert answer == {"kind": "push", "from": "https://a.test/?a=***", "to": "/x"}
        assert custom(level, "navigation", {"kind": "Jane"}) == {"kind": "other"}

    def test_visibility(self, level: Level) -> None:
        assert custom(level, "visibility", {"state": "hidden", "more": 1}) == {"state": "hidden"}
        assert custom(level, "visibility", {"state": "Jane"}) is None

    def test_js_error(self, level: Level) -> None:
        error = {
            "kind": "unhandledrejection",
            "message": "Order failed for jane@example.com: timeout",
            "line": 3,
            "col": 4,
            "stack": "Error: Order failed for jane@example.com\n    at pay (https://a.test/s.js?t=1:64:145)\n    at https://a.test/s.js:1:2",
            "source": "https://a.test/s.js?t=1",
            "extra": "Jane",
        }
        answer = custom(level, "js_error", error)
        assert "jane" not in str(answer)
        assert "extra" not in answer
        assert answer["stack"] == "pay@https://a.test/s.js?t=***:64:145\n@https://a.test/s.js:1:2"
        assert (answer["source"], answer["line"], answer["col"]) == ("https://a.test/s.js?t=***", 3, 4)

    def test_empty_payloads_are_fine_where_nothing_is_needed(self, level: Level) -> None:
        assert custom(level, "js_error", {}) == {}
        assert custom(level, "network", {}) == {}


SECRETS = {"email": "jane@example.com", "deep": [{"Jane": "Jane"}], "token": "Jane"}


@pytest.mark.parametrize("tag", PRODUCT_TAGS)
def test_other_recorders_tags_are_dropped_at_conservative(tag: str) -> None:
    assert custom(C, tag, {}) is None
    assert custom(M, tag, SECRETS) == {}
    assert custom(L, tag, SECRETS) == {}


PRODUCTS = [
    ("$pageview", {"href": "https://a.test/x?u=Jane", "title": "Jane"}, {"href": "https://a.test/x?u=***"}),
    ("$url_changed", {"href": "https://a.test/x#Jane"}, {"href": "https://a.test/x"}),
    (
        "sessionIdle",
        {"eventTimestamp": 5, "lastActivityTimestamp": 4, "threshold": 3, "x": "Jane"},
        {"eventTimestamp": 5, "lastActivityTimestamp": 4, "threshold": 3},
    ),
    ("$session_id_change", {"sessionId": "Jane"}, {}),
    (
        "fetch-request",
        {"method": "post", "url": "https://a.test/?q=Jane", "status": 500, "requestBody": "Jane"},
        {"method": "POST", "url": "https://a.test/?q=***", "status": 500},
    ),
    (
        "breadcrumb",
        {
            "type": "default",
            "category": "ui.click",
            "message": 'button[title="Jane"]',
            "timestamp": 1.5,
            "data": {
                "nodeId": 7,
                "node": {"id": 7, "tagName": "b", "textContent": "Jane", "attributes": {"title": "Jane"}},
                "to": "/a?b=Jane",
            },
        },
        {
            "type": "default",
            "category": "ui.click",
            "timestamp": 1.5,
            "data": {"nodeId": 7, "node": {"id": 7}, "to": "/a?b=***"},
        },
    ),
    ("breadcrumb", {"category": "jane@example.com", "data": None}, {"category": "masked"}),
    (
        "performanceSpan",
        {
            "op": "resource.fetch",
            "description": "https://a.test/?q=Jane",
            "startTimestamp": 1,
            "endTimestamp": 2.5,
            "data": {"method": "GET", "statusCode": 200, "request": {"body": "Jane"}},
        },
        {
            "op": "resource.fetch",
            "description": "https://a.test/?q=***",
            "startTimestamp": 1,
            "endTimestamp": 2.5,
            "data": {"method": "GET", "statusCode": 200},
        },
    ),
]


@pytest.mark.parametrize(("tag", "payload", "expected"), PRODUCTS, ids=[row[0] for row in PRODUCTS])
@pytest.mark.parametrize("level", [M, L])
def test_other_recorders_tags(level: Level, tag: str, payload: object, expected: object) -> None:
    assert custom(level, tag, payload) == expected


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    "tag", ["", "unknown", "options", "debug-info", "metadata", "get-sr-props", "$posthog_config", "JS_ERROR"]
)
def test_unknown_tags_are_dropped(level: Level, tag: str) -> None:
    assert custom(level, tag, {"kind": "error"}) is None


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b'{"url": 5}',
        b'{"status": "Jane"}',
        b"\xff",
        b'{"url": "\\ud800"}',
        b"[" * 100_000,
        b'{"method":' * 3_000,
        b'{"url": "' + b"x" * MAX_PAYLOAD_BYTES + b'"}',
    ],
)
def test_what_cannot_be_read_is_dropped(payload: bytes) -> None:
    assert MASKERS[L].custom("network", payload) is None
    assert MASKERS[L].plugin("rrweb/console@1", payload) is None
    assert MASKERS[L].plugin("rrweb/network@1", payload) is None
    assert MASKERS[L].asset(payload) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = [
    "kind",
    "message",
    "stack",
    "url",
    "status",
    "from",
    "state",
    "data",
    "level",
    "trace",
    "payload",
    "requests",
    "href",
    "name",
]


@given(st.sampled_from([*OWN_TAGS, *PRODUCT_TAGS]), JSON | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_payload_raises(tag: str, payload: object) -> None:
    encoded = msgspec.json.encode(payload)
    for masker in MASKERS.values():
        masker.custom(tag, encoded)
        masker.plugin("rrweb/console@1", encoded)
        masker.plugin("rrweb/network@1", encoded)
        masker.asset(encoded)


class TestNetworkPlugin:
    REQUEST: ClassVar = {
        "name": "https://a.test/x?q=Jane",
        "initiatorType": "fetch",
        "entryType": "resource",
        "method": "get",
        "status": 200,
        "startTime": 1.5,
        "endTime": 2,
        "duration": 0.5,
        "transferSize": 10,
        "isInitial": True,
        "requestHeaders": {
            "Authorization": "Jane",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "Jane Doe; 5",
        },
        "responseHeaders": {
            "set-cookie": "Jane",
            "content-length": "12",
            "cache-control": "no-store, max-age=0",
            "x-user": "Jane",
        },
        "requestBody": "Jane",
        "responseBody": {"a": "Jane"},
        "future": "Jane",
    }

    @pytest.mark.parametrize("level", Level)
    def test_rebuilt(self, level: Level) -> None:
        answer = plugin(level, "rrweb/network@1", {"requests": [self.REQUEST], "isInitial": False, "more": "Jane"})
        assert "Jane" not in str(answer)
        assert answer == {
            "isInitial": False,
            "requests": [
                {
                    "name": "https://a.test/x?q=***",
                    "initiatorType": "fetch",
                    "entryType": "resource",
                    "method": "GET",
                    "status": 200,
                    "startTime": 1.5,
                    "endTime": 2,
                    "duration": 0.5,
                    "transferSize": 10,
                    "isInitial": True,
                    "requestHeaders": {"content-type": "application/json; charset=utf-8", "accept": "***"},
                    "responseHeaders": {"content-length": "12", "cache-control": "no-store, max-age=0"},
                }
            ],
        }

    def test_the_number_of_requests_is_bounded(self) -> None:
        answer = plugin(M, "rrweb/network@1", {"requests": [{"name": "/x"}] * 5_000})
        assert len(answer["requests"]) == 1_000

    @pytest.mark.parametrize("name", ["", "rrweb/canvas-webrtc@1", "rrweb/console@2", "jane"])
    def test_unknown_plugins_are_dropped(self, name: str) -> None:
        assert plugin(L, name, {"level": "log"}) is None


class TestConsole:
    CALL: ClassVar = {
        "level": "error",
        "trace": ["HTMLButtonElement.<anonymous> (https://a.test/s.js?t=1:34:75)", "not a frame, Jane"],
        "payload": [
            "\"Uncaught TypeError: Cannot read properties of undefined (reading 'jane')\"",
            '"Jane"',
            '{"a":"Jane"}',
            "5",
        ],
        "more": "Jane",
    }

    @pytest.mark.parametrize("level", [C, M])
    def test_arguments_are_masked(self, level: Level) -> None:
        answer = plugin(level, "rrweb/console@1", self.CALL)
        assert answer["level"] == "error"
        assert answer["trace"] == ["HTMLButtonElement.anonymous@https://a.test/s.js?t=***:34:75"]
        assert answer["payload"][1:] == ['"***"', '"***"', '"***"']
        assert answer["payload"][0].startswith('"TypeError: Cannot read properties of undefined (reading ***)')
        assert "ane" not in str(answer).replace("HTMLButtonElement", "")

    def test_at_light_what_no_detector_finds_stays(self) -> None:
        arguments = [
            '"hello world"',
            '"mail jane@example.com"',
            '{"qty":2,"email":"x","list":["a","4111 1111 1111"],"user-1234567":1}',
            '"<div title=Jane>"',
            '"function f() { return 1 }"',
            "12345678",
            "null",
            "broken{",
            '"see https://a.test/?q=Jane"',
        ]
        answer = plugin(L, "rrweb/console@1", {"level": "log", "payload": arguments})
        assert [msgspec.json.decode(argument) for argument in answer["payload"]] == [
            "hello world",
            "mail ***",
            {"qty": 2, "email": "***", "list": ["a", "***"]},
            "***",
            "***",
            "***",
            None,
            "***",
            "see https://a.test/?q=***",
        ]

    def test_depth_and_counts_are_bounded(self) -> None:
        deep = "[" * 40 + "1" + "]" * 40
        answer = plugin(L, "rrweb/console@1", {"level": "log", "payload": [deep] * 500, "trace": ["f (/a:1:2)"] * 500})
        assert len(answer["payload"]) == 50
        assert len(answer["trace"]) == 50
        assert "***" in answer["payload"][0]

    @pytest.mark.parametrize("level", Level)
    def test_the_legacy_source_is_judged_alike(self, level: Level) -> None:
        kind, trace, payload = MASKERS[level].log("Jane", ["f (https://a.test/s.js:1:2)"], ['"jane@example.com"'])
        assert (kind, trace) == ("log", ["f@https://a.test/s.js:1:2"])
        assert payload == ['"***"']


class TestAssets:
    def test_style_sheets_are_scrubbed(self) -> None:
        asset = msgspec.json.encode(
            {"rr_type": "CssText", "cssTexts": ['a{content:"Jane"}', "b{color:red}"], "x": "Jane"}
        )
        assert MASKERS[M].asset(asset) == b'{"rr_type":"CssText","cssTexts":["a{content:\\"\\"}","b{color:red}"]}'

    def test_bytes_are_dropped(self) -> None:
        assert MASKERS[L].asset(b'{"rr_type":"Blob","data":[{"rr_type":"ArrayBuffer","base64":"AAAA"}]}') is None
