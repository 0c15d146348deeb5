"""Messages that are poison, and identifiers that break names: each is one dead letter with its reason."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
import zstandard

from engine.reasons import Reason
from engine.settings import LimitSettings, Settings
from tests.engine.attack import MARK, SESSION, T0, Attack, beacon, envelope

MIB = 1 << 20


@pytest.fixture
def attack() -> Iterator[Attack]:
    """Give a core at level conservative; what no input may break is looked at afterwards."""
    made = Attack()
    yield made
    made.check()


def streamed(data: bytes) -> bytes:
    """Compress without declaring a size."""
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return compressor.compress(data) + compressor.flush()


GOOD = envelope(0, [beacon(0)])
POISON: dict[str, tuple[bytes, str | None, Reason]] = {
    "nothing": (b"", None, Reason.NOT_JSON),
    "words": (MARK.encode(), None, Reason.NOT_JSON),
    "half a message": (GOOD[:-20], None, Reason.NOT_JSON),
    "two messages": (GOOD + GOOD, None, Reason.NOT_JSON),
    "binary": (bytes(range(256)) * 4, None, Reason.NOT_JSON),
    "UTF-16": (GOOD.decode().encode("utf-16"), None, Reason.NOT_JSON),
    "a number": (b"1", None, Reason.NOT_AN_OBJECT),
    "a list": (b"[" + GOOD + b"]", None, Reason.NOT_AN_OBJECT),
    "17 MiB": (envelope(0, [beacon(0)], more="x" * 17 * MIB), None, Reason.TOO_LARGE),
    "11 MiB compressed": (b"\x28\xb5\x2f\xfd" + bytes(11 * MIB), "zstd", Reason.TOO_LARGE_COMPRESSED),
    "half of zstd": (zstandard.compress(GOOD)[:-9], "zstd", Reason.TRUNCATED_COMPRESSION),
    "half of gzip": (gzip.compress(GOOD)[:-9], "gzip", Reason.TRUNCATED_COMPRESSION),
    "a bomb that says so": (zstandard.compress(bytes(64 * MIB)), "zstd", Reason.TOO_LARGE),
    "a bomb that does not": (streamed(bytes(64 * MIB)), "zstd", Reason.TOO_LARGE),
    "a bomb of many frames": (zstandard.compress(bytes(MIB)) * 40, "zstd", Reason.TOO_LARGE),
    "a bomb in gzip": (gzip.compress(bytes(64 * MIB), 1), "gzip", Reason.TOO_LARGE),
    "not zstd": (GOOD, "zstd", Reason.CORRUPT_COMPRESSION),
    "brotli": (GOOD, "br", Reason.UNKNOWN_ENCODING),
    "lists 10,000 deep": (b"[" * 10_000 + b"]" * 10_000, None, Reason.NOT_JSON),
    "an unknown field 10,000 deep": (
        GOOD[:-1] + b',"x":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        None,
        Reason.TOO_DEEP,
    ),
    "version 2": (envelope(v=2), None, Reason.UNKNOWN_VERSION),
    "version true": (envelope(v=True), None, Reason.INVALID_ENVELOPE),
    "no session": (envelope(session_id=...), None, Reason.INVALID_IDENTIFIER),
    "a negative number": (envelope(-1), None, Reason.INVALID_ENVELOPE),
    "a number beyond 2**53": (envelope(2**53 + 1), None, Reason.INVALID_ENVELOPE),
    "events that are a text": (
        envelope().replace(b'"events":[]', b'"events":"[]"'),
        None,
        Reason.INVALID_ENVELOPE,
    ),
    "a time that is a text": (envelope(sent_at="today"), None, Reason.INVALID_ENVELOPE),
    "a time that is no number": (GOOD.replace(b'"sent_at":%d' % T0, b'"sent_at":NaN'), None, Reason.INVALID_ENVELOPE),
    "a time beyond all numbers": (
        GOOD.replace(b'"sent_at":%d' % T0, b'"sent_at":1e400'),
        None,
        Reason.INVALID_ENVELOPE,
    ),
    "a number that is none": (GOOD.replace(b'"seq":0', b'"seq":-Infinity'), None, Reason.INVALID_ENVELOPE),
}  # fmt: skip


@pytest.mark.parametrize("name", POISON)
def test_a_message_that_is_poison_is_one_dead_letter(name: str, attack: Attack) -> None:
    value, encoding, reason = POISON[name]
    attack.send(value, encoding=encoding)
    attack.send(GOOD)
    assert attack.dropped_batches == {reason: 1}
    assert [(letter.position, letter.reason, letter.size_bytes) for letter in attack.dead_letters] == [
        (0, reason, len(value))
    ]
    assert attack.beacons() == [0]


BAD_IDENTIFIERS = ["", "a\0b", "a\nb", "a\u2028b", "x" * 201, "x" * 4_096, 7, None, ["a"], "a\x7f"]
ODD_IDENTIFIERS = [
    "{",
    "a{b}c",
    "/",
    "..",
    "../../etc/passwd",
    "a b",
    ".",
    "-",
    "con",
    "%00",
    "*",
    "é" * 200,
    "🤔",
    "'\"<&",
]


@pytest.mark.parametrize("field", ["session_id", "window_id", "project_id"])
@pytest.mark.parametrize("identifier", BAD_IDENTIFIERS, ids=ascii)
def test_an_identifier_that_breaks_names_is_refused(field: str, identifier: Any, attack: Attack) -> None:
    attack.events(beacon(0), **{field: identifier})
    assert attack.dropped_batches == {Reason.INVALID_IDENTIFIER: 1}


def test_odd_identifiers_name_sessions_of_their_own(attack: Attack) -> None:
    for number, identifier in enumerate(ODD_IDENTIFIERS):
        attack.events(beacon(number), session_id=identifier, window_id=identifier, project_id=identifier)
    assert [effect.session_id for effect in attack.effects] == ODD_IDENTIFIERS
    assert attack.beacons() == list(range(len(ODD_IDENTIFIERS)))


def test_an_identifier_that_had_to_be_repaired_is_refused(attack: Attack) -> None:
    attack.send(GOOD.replace(SESSION.encode(), SESSION.encode() + rb"\ud83d"))
    assert attack.dropped_batches == {Reason.INVALID_IDENTIFIER: 1}


def test_one_session_belongs_to_one_project(attack: Attack) -> None:
    attack.events(beacon(0)).events(beacon(1), seq=1, project_id="other").events(beacon(2), seq=1)
    assert attack.dropped_batches == {Reason.PROJECT_CONFLICT: 1}
    assert attack.beacons() == [0, 2]


def test_empty_batches_are_taken_and_counted(attack: Attack) -> None:
    attack.events().events(seq=1).events(beacon(0), seq=2)
    assert attack.repaired == {Reason.EMPTY_BATCH: 2}
    assert attack.core.counts.batches_used == 3


def test_a_batch_of_too_many_events_keeps_the_first_ones() -> None:
    attack = Attack(Settings(limits=LimitSettings(max_batch_events=10)))
    attack.events(*(beacon(number) for number in range(25)))
    assert attack.dropped_events == {Reason.TOO_MANY_EVENTS: 15}
    assert attack.beacons() == list(range(10))
    attack.check()


def test_a_dropped_batch_of_millions_of_values_is_not_taken_apart(attack: Attack) -> None:
    dense = b"[" + b"0," * 3_000_000 + b"0]"
    message = envelope(0).replace(b'"events":[]', b'"events":' + dense)
    attack.events(beacon(0)).send(message)
    assert attack.dropped_batches == {Reason.SEQUENCE_CONFLICT: 1}
    assert attack.core.counts.events_read == 1
