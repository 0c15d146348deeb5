"""Whatever the bytes: an answer or `Poison`, never another error, and every event accounted for.

The corpus is every example event, whole batches of them, and mutations a broken proxy, a broken recorder or an
attacker would make: of bytes, of values, and of structure.
"""

import gzip
import json
from typing import Any

import msgspec
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import Poison
from engine.input import DecodedEvents, EventDecoder, decode_message
from engine.input.inspection import Inspector
from engine.input.tally import Tally
from engine.reasons import Kind, Reason
from engine.settings import LimitSettings
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent
from tests.engine.input.samples import EVENT_TEXTS, batch, decode_opened, envelope

LIMITS = LimitSettings(max_batch_bytes=1 << 20, max_batch_events=40, max_depth=30, max_text_bytes=2_000)
DECODER = EventDecoder(LIMITS)
fuzz = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

TEXTS = st.sampled_from(sorted(EVENT_TEXTS.values(), key=len))
SMALL_TEXTS = st.sampled_from(sorted(EVENT_TEXTS.values(), key=len)[:-2])
WRONG: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**53, 2**53 + 1, -(2**53), 2**64, 10**30, 10**400, -1, 1.5, 1e308, -1e308, 0.1]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec=None, exclude_categories=()), max_size=20),
    st.sampled_from(["", "\ud800", "x" * 3_000, "{}", "\0", "x\x9c\xab"]),
    st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3), max_leaves=8),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    st.sampled_from(["[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40]).map(json.loads),
)
FRAGMENTS = st.sampled_from(
    [b"NaN", b"1e400", b"-", b"\\ud800", b"\\u", b"\xff", b"\xed\xa0\x80", b'"', b"\\", b"\0", b"{", b"}", b"[", b"]",
     b",", b":", b"null", b"9" * 5000, b'"timestamp":-1,', b"[" * 2000, b'{"type":2,"id":1,"childNodes":[' * 50]
)  # fmt: skip


@st.composite
def misshapen_events(draw: st.DrawFn) -> bytes:
    """An example with a few values replaced, removed, repeated or moved."""
    document = json.loads(draw(SMALL_TEXTS))
    for _ in range(draw(st.integers(1, 3))):
        inner = document
        while isinstance(inner, dict | list) and inner:
            key = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
            if not isinstance(inner[key], dict | list) or not inner[key] or draw(st.integers(0, 3)) == 0:
                _change(draw, inner, key)
                break
            inner = inner[key]
    text = json.dumps(document).encode()
    return json.dumps(text.decode()).encode() if draw(st.integers(0, 9)) == 0 else text


def _change(draw: st.DrawFn, inner: Any, key: Any) -> None:
    match draw(st.sampled_from(["replace", "replace", "remove", "wrap"])):
        case "replace":
            inner[key] = draw(WRONG)
        case "remove":
            del inner[key]
        case _:
            inner[key] = [inner[key]] * draw(st.integers(1, 3))


@st.composite
def broken_bytes(draw: st.DrawFn, texts: st.SearchStrategy[bytes]) -> bytes:
    """A text with pieces cut out, flipped, doubled or put in."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 1, 1, 2, 8, 100])))
        middle = draw(
            st.one_of(st.just(b""), st.binary(min_size=1, max_size=3), FRAGMENTS, st.just(text[start:end] * 2))
        )
        text = text[:start] + middle + text[end:]
    return text


def check(decoded: DecodedEvents) -> None:
    """Assert all that is promised of any batch."""
    assert decoded.read == len(decoded.events) + sum(decoded.dropped.values())
    assert all(count > 0 for count in (*decoded.dropped.values(), *decoded.repaired.values()))
    assert all(reason.kind is Kind.DROPPED_EVENT for reason in decoded.dropped)
    assert all(reason.kind is Kind.REPAIRED for reason in decoded.repaired)
    encoded = msgspec.json.encode(decoded.events)
    encoded.decode()
    json.loads(encoded)
    for one in decoded.events:
        text = msgspec.json.encode(one)
        kind: Any = RrwebEvent if hasattr(one, "data") else InteractionEvent
        assert msgspec.json.encode(msgspec.json.decode(text, type=kind)) == text
        tally = Tally(LIMITS)
        assert Inspector(tally, len(text), is_sound_utf8=False).admits(one)
        assert not tally.repaired  # what came out once needs no second look


def decode(text: bytes) -> DecodedEvents | Reason:
    try:
        decoded = decode_opened(DECODER, text)
    except Poison as poison:
        return refused(poison)
    check(decoded)
    return decoded


def refused(poison: Poison) -> Reason:
    assert poison.reason.kind is Kind.DROPPED_BATCH
    return poison.reason


@fuzz
@given(st.lists(misshapen_events() | TEXTS | WRONG.map(lambda value: json.dumps(value).encode()), max_size=8))
def test_wrong_values_never_cost_more_than_their_event(texts: list[bytes]) -> None:
    decoded = decode(batch(*texts))
    assert isinstance(decoded, DecodedEvents)
    assert decoded.read == len(texts)


@fuzz
@given(misshapen_events(), SMALL_TEXTS, SMALL_TEXTS)
def test_neighbours_survive_in_order(bad: bytes, before: bytes, after: bytes) -> None:
    alone = [decode(batch(text)) for text in (before, after)]
    together = decode(batch(before, bad, after))
    assert isinstance(together, DecodedEvents)
    first, last = (msgspec.json.encode(one.events[0]) for one in alone if isinstance(one, DecodedEvents))
    assert msgspec.json.encode(together.events[0]) == first
    assert msgspec.json.encode(together.events[-1]) == last
    assert len(together.events) in {2, 3}


@fuzz
@given(broken_bytes(st.lists(TEXTS, min_size=1, max_size=4).map(lambda texts: batch(*texts))))
def test_broken_bytes_of_events(text: bytes) -> None:
    decode(text)


@fuzz
@given(st.binary(max_size=300))
def test_any_bytes_as_events(text: bytes) -> None:
    decode(text)
    decode(b"[" + text + b"]")


ENCODINGS = st.sampled_from([None, "identity", "gzip", "zstd", "br", ""])


def read(value: bytes, encoding: str | None) -> None:
    try:
        decoded = decode_message(value, encoding, LIMITS)
    except Poison as poison:
        refused(poison)
        return
    assert decoded.size_bytes <= LIMITS.max_batch_bytes
    assert all(reason.kind is Kind.REPAIRED for reason in decoded.repaired)
    decode(bytes(decoded.envelope.events))


@fuzz
@given(broken_bytes(st.lists(SMALL_TEXTS, max_size=3).map(lambda texts: envelope(batch(*texts)))), ENCODINGS)
def test_broken_bytes_of_messages(value: bytes, encoding: str | None) -> None:
    read(value, encoding)


PACKED = st.sampled_from(
    [("gzip", gzip.compress(envelope(), mtime=0)), ("zstd", zstandard.compress(envelope() * 3)),
     ("zstd", zstandard.compress(envelope()) * 2), ("zstd", zstandard.compress(bytes(2_000_000)))]
)  # fmt: skip


@fuzz
@given(PACKED, st.data())
def test_broken_bytes_of_compressed_messages(packed: tuple[str, bytes], data: st.DataObject) -> None:
    encoding, value = packed
    read(data.draw(broken_bytes(st.just(value))), encoding)


@fuzz
@given(st.binary(max_size=300), ENCODINGS)
def test_any_bytes_as_a_message(value: bytes, encoding: str | None) -> None:
    read(value, encoding)


@fuzz
@given(
    st.dictionaries(
        st.sampled_from(["v", "project_id", "session_id", "window_id", "seq", "sent_at", "user_id", "ended"]), WRONG
    )
)
def test_wrong_values_in_an_envelope(changes: dict[str, Any]) -> None:
    read(envelope(batch(), **changes), None)
