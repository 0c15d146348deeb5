"""What a message must be, and the reason why it is none."""

import gzip
import json
import traceback
from typing import Any

import pytest
import zstandard

from engine.errors import Poison
from engine.input import decode_message
from engine.reasons import Reason
from engine.settings import LimitSettings
from tests.engine.input.samples import ENVELOPE, LIMITS, batch, envelope, event, nested


def refusal(value: bytes, encoding: str | None = None, limits: LimitSettings = LIMITS) -> Reason:
    with pytest.raises(Poison) as caught:
        decode_message(value, encoding, limits)
    return caught.value.reason


def test_a_recorded_batch_is_decoded_but_for_its_events() -> None:
    value = json.dumps(ENVELOPE).encode()
    decoded = decode_message(value, None, LIMITS)
    assert decoded.envelope.session_id == ENVELOPE["session_id"]
    assert decoded.envelope.user_id == ENVELOPE["user_id"]
    assert decoded.envelope.seq == ENVELOPE["seq"]
    assert json.loads(bytes(decoded.envelope.events)) == ENVELOPE["events"]
    assert (decoded.size_bytes, decoded.repaired) == (len(value), {})


@pytest.mark.parametrize(
    ("encoding", "value"),
    [
        ("gzip", gzip.compress(envelope())),
        ("zstd", zstandard.ZstdCompressor().compress(envelope())),
        (
            "zstd",
            zstandard.ZstdCompressor().compress(envelope()[:9]) + zstandard.ZstdCompressor().compress(envelope()[9:]),
        ),
    ],
)
def test_compressed_messages_say_their_real_size(encoding: str, value: bytes) -> None:
    decoded = decode_message(value, encoding, LIMITS)
    assert decoded.size_bytes == len(envelope())
    assert decoded.envelope.project_id == ENVELOPE["project_id"]


def test_a_batch_may_be_empty() -> None:
    assert bytes(decode_message(envelope(b" [ ] "), None, LIMITS).envelope.events) == b"[ ]"


@pytest.mark.parametrize(
    "value",
    [b"", b" ", b"\0", b"nonsense", b"{", envelope()[:-1], envelope() + b"}", envelope(b"[nan]"), envelope(b"[1,]"),
     envelope(b"[+Infinity]"),
     b"[1,", b'{"v": 1.}', b'{"v": nul}', b"\xef\xbb\xbf" + envelope(), bytes(1000), b'{"v":2', envelope(b'["\\q"]')],
)  # fmt: skip
def test_what_is_not_json(value: bytes) -> None:
    assert refusal(value) is Reason.NOT_JSON


@pytest.mark.parametrize("value", [b"[]", b"null", b"12", b'"text"', b"true", b" [" + envelope() + b"]", b"1e400"])
def test_what_is_json_but_no_object(value: bytes) -> None:
    assert refusal(value) in {Reason.NOT_AN_OBJECT, Reason.NOT_JSON}


@pytest.mark.parametrize("version", [0, 2, 99, -1])
def test_only_version_1_is_known(version: int) -> None:
    assert refusal(envelope(v=version)) is Reason.UNKNOWN_VERSION
    assert refusal(json.dumps({"v": version}).encode()) is Reason.UNKNOWN_VERSION


@pytest.mark.parametrize(
    "changes",
    [
        {"v": "1"}, {"v": None}, {"v": True}, {"v": 1.5}, {"seq": -1}, {"seq": 2**53 + 1}, {"seq": 1.0}, {"seq": "0"},
        {"seq": None}, {"seq": True}, {"sent_at": "now"}, {"sent_at": None}, {"ended": 1}, {"consent": "yes"},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_fields_make_an_invalid_envelope(changes: dict[str, Any]) -> None:
    assert refusal(envelope(**changes)) is Reason.INVALID_ENVELOPE


@pytest.mark.parametrize("field", ["seq", "sent_at", "events"])
def test_missing_fields_make_an_invalid_envelope(field: str) -> None:
    fields = {key: value for key, value in ENVELOPE.items() if key != field}
    assert refusal(json.dumps(fields).encode()) is Reason.INVALID_ENVELOPE


@pytest.mark.parametrize("events", [b"{}", b"null", b'"[]"', b"1"])
def test_events_are_a_list(events: bytes) -> None:
    assert refusal(envelope(events)) is Reason.INVALID_ENVELOPE


@pytest.mark.parametrize("field", ["project_id", "session_id", "window_id"])
@pytest.mark.parametrize("value", ["", "x" * 201, 7, None, ["s"], "a\nb", "a\0", "\x7f", "\x85", "\u2028"])
def test_identifiers_are_texts_of_bounded_length_without_control_characters(field: str, value: object) -> None:
    assert refusal(envelope(**{field: value})) is Reason.INVALID_IDENTIFIER


@pytest.mark.parametrize("field", ["user_id", "anonymous_id"])
@pytest.mark.parametrize("value", ["x" * 1001, 7, "a\r\nb"])
def test_users_have_identifiers_too(field: str, value: object) -> None:
    assert refusal(envelope(**{field: value})) is Reason.INVALID_IDENTIFIER


@pytest.mark.parametrize("value", ["x" * 200, "{a}", "../../etc/passwd", "a b", "💥", "\u202eabc", "\ufffd"])
def test_other_alphabets_are_free(value: str) -> None:
    assert decode_message(envelope(session_id=value), None, LIMITS).envelope.session_id == value


@pytest.mark.parametrize("field", ["project_id", "session_id", "window_id", "user_id", "anonymous_id"])
def test_identifiers_are_never_repaired(field: str) -> None:
    assert refusal(envelope(**{field: "a\ud800"})) is Reason.INVALID_IDENTIFIER
    assert refusal(envelope(**{field: "a@@"}).replace(b"@@", b"\xff")) is Reason.INVALID_IDENTIFIER


@pytest.mark.parametrize("sent_at", [0, -5, 1e300, 10**18, 2**80, 1795295291712.25])
def test_a_wild_clock_of_the_sender_costs_no_batch(sent_at: float) -> None:
    assert decode_message(envelope(sent_at=sent_at), None, LIMITS).envelope.sent_at == sent_at


def test_unknown_keys_are_ignored() -> None:
    assert decode_message(envelope(received_at=1, v2={"a": [1]}), None, LIMITS).envelope.v == 1


def test_half_surrogates_are_repaired_and_counted() -> None:
    events = batch(event("05_input"), rb'{"a":"\ud800 \udc00"}')
    decoded = decode_message(envelope(events), None, LIMITS)
    assert decoded.repaired == {Reason.SURROGATE_REPAIRED: 2}
    assert bytes(decoded.envelope.events) == events.replace(rb"\ud800", rb"\ufffd").replace(rb"\udc00", rb"\ufffd")
    assert decoded.size_bytes == len(envelope(events))


def test_invalid_utf8_outside_of_events_is_repaired_and_counted() -> None:
    decoded = decode_message(envelope(note="@").replace(b'"@"', rb'"\ud800' + b'\xff"'), None, LIMITS)
    assert decoded.repaired == {Reason.SURROGATE_REPAIRED: 1, Reason.INVALID_UTF8: 1}


def test_words_for_numbers_are_repaired_and_counted() -> None:
    value = envelope(b'[{"a":NaN},"NaN",[Infinity,-Infinity]]', note="NaN", session_id="Infinity\ufffd")
    decoded = decode_message(value, None, LIMITS)
    assert decoded.repaired == {Reason.NUMBER_REPAIRED: 3}
    assert bytes(decoded.envelope.events) == b'[{"a":null},"NaN",[null,null]]'
    assert decoded.envelope.session_id == "Infinity\ufffd"


@pytest.mark.parametrize("depth", [10_000, 1_000_000])
def test_a_depth_that_would_overflow_a_parser_is_too_deep(depth: int) -> None:
    assert refusal(envelope(nested(depth))) is Reason.TOO_DEEP
    assert refusal(envelope(b'[{"a":' * depth + b"1" + b"}]" * depth)) is Reason.TOO_DEEP
    assert refusal(envelope(b"[" * depth)) in {Reason.TOO_DEEP, Reason.NOT_JSON}


def test_depth_hidden_in_unknown_keys_is_seen() -> None:
    assert refusal(envelope(b"[]").replace(b'"events"', b'"x":' + nested(10_000) + b',"events"')) is Reason.TOO_DEEP


@pytest.mark.parametrize(("spare", "fits"), [(1, True), (0, True), (-1, False)])
def test_size_at_under_and_over_the_limit(spare: int, *, fits: bool) -> None:
    value = envelope(batch(event("05_input")))
    limits = LimitSettings(max_batch_bytes=len(value) + spare)
    for encoding, packed in ((None, value), ("zstd", zstandard.compress(value)), ("gzip", gzip.compress(value))):
        if fits:
            assert decode_message(packed, encoding, limits).size_bytes == len(value)
        else:
            assert refusal(packed, encoding, limits) is Reason.TOO_LARGE


def test_a_batch_of_17_mib_is_too_large() -> None:
    value = envelope(batch(b" " * (17 << 20)))
    assert refusal(value) is Reason.TOO_LARGE
    assert refusal(zstandard.compress(value), "zstd") is Reason.TOO_LARGE


def test_a_truncated_message_is_poison() -> None:
    packed = zstandard.compress(envelope())
    assert refusal(packed[: len(packed) // 2], "zstd") is Reason.TRUNCATED_COMPRESSION


def test_nothing_of_the_message_is_in_the_error() -> None:
    private = "s" + "ecret"
    value = envelope(session_id=private + "\n", user_id=[private], seq=private)
    with pytest.raises(Poison) as caught:
        decode_message(value, None, LIMITS)
    assert private not in "".join(traceback.format_exception(caught.value))
