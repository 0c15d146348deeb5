"""What a session runs on: told by its sender within an allow-list, or seen by its windows."""

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.attributes import ATTRIBUTES_MAX_BYTES, AttributeReader, WindowAttributes, read_attributes
from engine.core.core import Core
from engine.reasons import Reason
from engine.settings import Settings
from schemas.envelope import Envelope
from tests.engine.attack import Attack, click, element, envelope, snapshot
from tests.engine.core.harness import Collected, feed, run_core, sample_batches

SAMPLES = sample_batches()
TOLD = {
    "release": "shop@4.2.0",
    "country": "no",
    "browser": "Chrome 126.0.6478.127",
    "os": "Windows 10",
    "plan": "gold",
}
KEPT = {"browser": "Chrome 126.0", "country": "NO", "os": "Windows 10", "release": "shop@4.2.0"}


def read(**told: object) -> dict[str, str]:
    return read_attributes(msgspec.json.encode(told))[0]


def left_out(**told: object) -> Counter[Reason]:
    return Counter(read_attributes(msgspec.json.encode(told))[1])


def with_attributes(batch: bytes, attributes: object) -> bytes:
    made = msgspec.json.decode(batch, type=Envelope)
    return msgspec.json.encode(msgspec.structs.replace(made, attributes=msgspec.Raw(msgspec.json.encode(attributes))))


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("release", "2.4.1", "2.4.1"),
        ("release", "web@2.4.1-rc.1+build.5", "web@2.4.1-rc.1+build.5"),
        ("release", "2026.11.22", "2026.11.22"),
        ("release", "20261122.3", "20261122.3"),
        ("release", "b03913d", "b03913d"),
        ("release", "b03913d5c0c370b03162985e3332f5b0e01d0f6a", "b03913d5c0c370b03162985e3332f5b0e01d0f6a"),
        ("device", "Phone", "phone"),
        ("country", "de", "DE"),
        ("browser", "Mobile Safari 17.4.1", "Mobile Safari 17.4"),
        ("browser", "Firefox", "Firefox"),
        ("os", "macOS 10.15.7", "macOS 10.15"),
    ],
)
def test_what_has_its_form_is_kept(name: str, value: str, kept: str) -> None:
    assert read(**{name: value}) == {name: kept}
    assert read(**{name: f"  {value} "}) == {name: kept}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("release", "ann@mail.test"),
        ("release", "5551234567"),
        ("release", "20261122-1234567"),
        ("release", "555.123.4567"),
        ("release", "4111 1111 1111 1111"),
        ("release", "sk_live_1234567890abcdef"),
        ("release", "x" * 101),
        ("release", "<script>"),
        ("release", 2),
        ("device", "toaster"),
        ("country", "Norway"),
        ("country", "DE\0"),
        ("browser", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"),
        ("browser", "ann@mail.test"),
        ("browser", "Chrome 1262126212621262"),
        ("os", ["Windows"]),
        ("os", None),
        ("os", ""),
    ],
)
def test_what_has_another_form_or_may_be_a_secret_is_left_out(name: str, value: object) -> None:
    assert read(**{name: value}) == {}
    assert left_out(**{name: value}) == {Reason.INVALID_SESSION_ATTRIBUTE: 1}


def test_names_that_are_not_known_are_left_out() -> None:
    assert read(plan="gold", email="ann@mail.test", country="SE") == {"country": "SE"}
    assert left_out(plan="gold", email="ann@mail.test", country="SE") == {Reason.UNKNOWN_SESSION_ATTRIBUTE: 2}


scalars = st.none() | st.booleans() | st.floats() | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.binary(max_size=60) | values.map(msgspec.json.encode) | st.dictionaries(
    st.sampled_from(["release", "device", "country", "browser", "os"]), values).map(msgspec.json.encode))  # fmt: skip
def test_nothing_makes_reading_fail(raw: bytes) -> None:
    kept, _ = read_attributes(raw)
    assert set(kept) <= {"release", "device", "country", "browser", "os"}
    assert all(0 < len(value) <= 100 and value.isprintable() and value.isascii() for value in kept.values())


def test_what_is_too_large_is_left_out_as_a_whole() -> None:
    fits = msgspec.json.encode({"country": "DE", "x": ""})
    fits = fits.replace(b'""', b'"' + b"x" * (ATTRIBUTES_MAX_BYTES - len(fits)) + b'"')
    assert read_attributes(fits) == ({"country": "DE"}, {Reason.UNKNOWN_SESSION_ATTRIBUTE: 1})
    assert read_attributes(fits + b" ") == ({}, {Reason.INVALID_SESSION_ATTRIBUTE: 1})


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    reader = AttributeReader()
    for number in range(1_200):
        assert reader.read(msgspec.Raw(b'{"release":"%d"}' % number))[0] == {"release": str(number)}
    assert len(reader._known) == 1_000


@pytest.mark.parametrize(
    ("sides", "touch", "device"),
    [
        ((390, 844), False, "phone"),
        ((390, 844), True, "phone"),
        ((844, 390), True, "phone"),
        ((600, 960), True, "phone"),
        ((601, 962), True, "tablet"),
        ((1366, 1024), True, "tablet"),
        ((1366, 1024), False, "desktop"),
        ((1920, 1080), True, "desktop"),
        ((1920, 400), False, "desktop"),
    ],
)
def test_a_device_is_told_by_its_signs(sides: tuple[int, int], touch: bool, device: str) -> None:  # noqa: FBT001
    window = WindowAttributes(touch=touch)
    window.see_viewport(*sides)
    assert window.current() == {"device": device}


def test_a_viewport_that_cannot_be_one_says_nothing() -> None:
    window = WindowAttributes(touch=True)
    for sides in [(0, 5), (-5, 5), (float("inf"), 5.0), (float("nan"), 5.0), (5.0, 1e300)]:
        window.see_viewport(*sides)
    assert window.current() == {}


def test_what_the_sender_says_of_the_device_holds() -> None:
    window = WindowAttributes({"device": "tablet"})
    window.see_viewport(390, 844)
    assert window.current() == {"device": "tablet"}


def test_records_signals_and_activities_say_it() -> None:
    batches = [with_attributes(batch, TOLD) for batch in SAMPLES[min(SAMPLES)]]
    collected = run_core(batches)
    (record,) = collected.records.values()
    assert record.attributes == KEPT | {"device": "desktop"}
    assert record.repaired[Reason.UNKNOWN_SESSION_ATTRIBUTE] == record.totals.batches
    assert collected.signals
    told = [each.attributes for each in collected.signals.values()]
    told += [each.attributes for each in collected.activities.values() if each.kind != "session_start"]
    assert all(attributes == KEPT | {"device": "desktop"} for attributes in told)
    # The first events come before the page and its viewport.
    (started,) = [each.attributes for each in collected.activities.values() if each.kind == "session_start"]
    assert started == KEPT


def test_ids_of_signals_do_not_depend_on_it() -> None:
    batches = SAMPLES[min(SAMPLES)]
    without, told = run_core(batches), run_core([with_attributes(batch, TOLD) for batch in batches])
    assert set(without.signals) == set(told.signals)
    assert set(without.activities) == set(told.activities)


def test_wrong_attributes_cost_no_batch() -> None:
    attack = Attack()
    attack.send(envelope(0, snapshot(element(5)), attributes=["no", "object"]))
    attack.send(envelope(1, click(5), attributes={"country": "DE"}))
    attack.send(envelope(2, click(5)))
    attack.finish()
    record = attack.record()
    assert record.totals.batches == 3
    assert record.attributes["country"] == "DE"
    assert record.repaired[Reason.INVALID_SESSION_ATTRIBUTE] == 1


def test_errors_are_counted_by_fingerprint() -> None:
    for batches in SAMPLES.values():
        collected = run_core(batches)
        (record,) = collected.records.values()
        found = Counter(
            str(signal.evidence["fingerprint"])
            for signal in collected.signals.values()
            if signal.detector == "js_error"
        )
        assert record.errors == found
        assert sum(record.errors.values()) == record.tags.get("js_error", 0)


@given(session_id=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_starting_anew_changes_nothing(session_id: str, seed: int) -> None:
    rng = random.Random(seed)
    batches = [with_attributes(batch, TOLD) for batch in SAMPLES[session_id]]
    expected = run_core(batches)
    collected, stop = Collected(), rng.randrange(len(batches) + 1)
    before, after = Core(Settings()), Core(Settings())
    feed(before, collected, batches, range(stop), rng.choice([1, 3]))
    collected.add(before.take())
    feed(after, collected, batches, range(stop, len(batches)))
    for stored in collected.shelf.sessions:
        collected.shelf.hand_over_session(after, stored)
    after.finish()
    collected.add(after.take())
    assert collected.signals == expected.signals
    assert collected.activities == expected.activities
    assert {id_: record.attributes for id_, record in collected.records.items()} == {
        id_: record.attributes for id_, record in expected.records.items()
    }
    assert {id_: record.errors for id_, record in collected.records.items()} == {
        id_: record.errors for id_, record in expected.records.items()
    }
