"""Repairs change what is broken and nothing else; depth is what a parser would find."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.input.json_text import is_deeper, is_utf8, repair_text
from engine.reasons import Reason
from tests.engine.input.samples import nested

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters() | st.sampled_from('[]{}"\\')),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


def depth_of(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 0


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (rb'"\ud800"', rb'"\ufffd"', 1),
        (rb'"\uDFFF"', rb'"\ufffd"', 1),
        (rb'"\udc00\ud800"', rb'"\ufffd\ufffd"', 2),
        (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"', 0),
        (rb'"\ud83d\ud83d\ude00"', rb'"\ufffd\ud83d\ude00"', 1),
        (rb'"\\ud800"', rb'"\\ud800"', 0),
        (rb'"\\\ud800"', rb'"\\\ufffd"', 1),
        (rb'"\ud800\n"', rb'"\ufffd\n"', 1),
        (rb'"\ud800A"', rb'"\ufffdA"', 1),
        (rb'"\ud8"', rb'"\ud8"', 0),
        (rb'"\"', rb'"\"', 0),
    ],
)
def test_half_surrogate_pairs_are_replaced(before: bytes, after: bytes, count: int) -> None:
    assert repair_text(before) == (after, {Reason.SURROGATE_REPAIRED: count} if count else {})


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (b'"\xff"', '"\ufffd"', 1),
        (b'"\xed\xa0\x80"', '"\ufffd\ufffd\ufffd"', 3),
        (b'"\xe2\x82"', '"\ufffd"', 1),
        ('"\ufffd"'.encode() + b"\xc0", '"\ufffd"\ufffd', 1),
        ('"ü"'.encode(), '"ü"', 0),
    ],
)
def test_invalid_utf8_is_replaced(before: bytes, after: str, count: int) -> None:
    assert repair_text(before) == (after.encode(), {Reason.INVALID_UTF8: count} if count else {})
    assert is_utf8(before) is (count == 0)


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (b"NaN", b"null", 1),
        (b'{"a":-Infinity,"b":[NaN,Infinity,1]}', b'{"a":null,"b":[null,null,1]}', 3),
        (rb'["NaN","\"",NaN,"\\",NaN,"\"NaN"]', rb'["NaN","\"",null,"\\",null,"\"NaN"]', 2),
        (b'[NaN,"NaN', b'[null,"NaN', 1),
        (rb"\NaN", rb"\null", 1),
        (b'"Infinity", "I", -1, N, -In, "N', b'"Infinity", "I", -1, N, -In, "N', 0),
    ],
)
def test_words_for_numbers_outside_of_texts_become_null(before: bytes, after: bytes, count: int) -> None:
    assert repair_text(before) == (after, {Reason.NUMBER_REPAIRED: count} if count else {})


TEXTS = st.text(st.sampled_from('aN"\\-,')) | st.sampled_from(["NaN", "Infinity", '"-Infinity'])


@given(st.lists(st.floats() | TEXTS | st.dictionaries(TEXTS, st.floats(), max_size=3)))
def test_what_pythons_encoder_writes_can_be_decoded_after_repair(value: object) -> None:
    text = json.dumps(value)
    repaired, _ = repair_text(text.encode())
    assert json.loads(repaired) == json.loads(text, parse_constant=lambda _word: None)


UNENDING = [
    b"\\",
    rb"\"",
    b'"',
    b"N",
    b"-",
    b"-I",
    b"Infinit",
    rb"\u",
    rb"\ud83",
    b'"a",',
    b"NaN,",
    rb"\ud800",
    b'"NaN"',
]


@pytest.mark.parametrize("again", UNENDING)
@pytest.mark.parametrize("first", [b"", b'"', b"x"])
def test_a_repair_does_not_take_longer_and_longer(first: bytes, again: bytes) -> None:
    text = rb"NaN\ud800" + first + again * (4_000_000 // len(again))
    # Were it quadratic, this would take hours; were it recursive, it would overflow.
    repaired, counts = repair_text(text)
    assert repaired.startswith(rb"null\ufffd")
    assert counts[Reason.NUMBER_REPAIRED] > 0


@given(st.binary())
def test_repaired_bytes_are_utf8_and_stay_so(data: bytes) -> None:
    text, _ = repair_text(data)
    assert is_utf8(text)
    assert repair_text(text) == (text, {})


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_any_javascript_string_can_be_decoded_after_repair(text: str) -> None:
    repaired, counts = repair_text(json.dumps(text).encode())
    decoded = msgspec.json.decode(repaired)
    assert decoded == json.loads(repaired)
    if not counts:
        assert decoded == text


@given(JSON, st.integers(0, 8))
def test_depth_is_that_of_the_parsed_value(value: object, most: int) -> None:
    text = json.dumps(value).encode()
    assert is_deeper(text, most) is (depth_of(value) > most)


@pytest.mark.parametrize(("depth", "deeper"), [(199, False), (200, False), (201, True), (100_000, True)])
def test_depth_at_under_and_over_the_limit(depth: int, *, deeper: bool) -> None:
    assert is_deeper(nested(depth), 200) is deeper
    assert is_deeper(b'{"a":' * depth + b"1" + b"}" * depth, 200) is deeper
    assert is_deeper(b"[" + nested(depth - 1) + b"," + nested(5) + b"]", 200) is deeper


def test_brackets_in_strings_do_not_count() -> None:
    assert not is_deeper(json.dumps(["[" * 1000, '"' * 50 + "{" * 1000, "\\"]).encode(), 1)


@given(st.binary(max_size=2000))
def test_no_bytes_are_too_strange_to_answer(data: bytes) -> None:
    assert is_deeper(data, 3) in {True, False}
