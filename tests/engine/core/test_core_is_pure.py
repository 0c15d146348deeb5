"""The first property of the project: cutting, repeating and resuming never change what comes out."""

import random
from collections import Counter, defaultdict
from itertools import chain
from typing import cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.activity import CUSTOM_EVENTS_MAX
from engine.core.core import Core
from engine.core.saving import SavingRules
from engine.settings import ActivitySettings, Settings
from schemas.activity import Activity
from schemas.envelope import Envelope
from tests.engine.core.harness import START_MS, Collected, feed, feed_marked, run_core, sample_batches


def _with_attributes(batch: bytes) -> bytes:
    """Have the windows of every other session say what they run on, each something else."""
    envelope = msgspec.json.decode(batch, type=Envelope)
    if int(envelope.session_id[0], 16) % 2:
        return batch
    told = msgspec.json.encode({"release": f"4.{int(envelope.window_id[0], 16)}", "country": "NO", "plan": "gold"})
    return msgspec.json.encode(msgspec.structs.replace(envelope, attributes=msgspec.Raw(told)))


def _with_custom_event(batch: bytes) -> bytes:
    """Have the site say that something happened, at the end of every other batch."""
    envelope = msgspec.json.decode(batch, type=Envelope)
    events = msgspec.json.decode(envelope.events, type=list[dict[str, object]])
    if envelope.seq % 2 or not events:
        return batch
    happened = {"type": 5, "timestamp": events[-1]["timestamp"], "data": {"tag": "add_to_cart", "payload": {"sku": 7}}}
    body = msgspec.Raw(msgspec.json.encode([*events, happened]))
    return msgspec.json.encode(msgspec.structs.replace(envelope, events=body))


SETTINGS = Settings(activity=ActivitySettings(custom_events=("add_to_cart",)))
SAMPLES = {
    session_id: [_with_custom_event(_with_attributes(batch)) for batch in batches]
    for session_id, batches in sample_batches().items()
}
ALL = list(chain.from_iterable(SAMPLES.values()))
EXPECTED = {session_id: run_core(batches, settings=SETTINGS).content() for session_id, batches in SAMPLES.items()}

sessions = st.sampled_from(sorted(SAMPLES))
seeds = st.integers(0, 2**32)


def _recut(batches: list[bytes], rng: random.Random) -> list[bytes]:
    """Cut the same events of each window into other batches, in an order of arrival that keeps each window's own."""
    events: dict[str, list[msgspec.Raw]] = defaultdict(list)
    envelopes: dict[str, Envelope] = {}
    seen: set[tuple[str, int]] = set()
    for batch in batches:
        envelope = msgspec.json.decode(batch, type=Envelope)
        if (envelope.window_id, envelope.seq) not in seen:
            seen.add((envelope.window_id, envelope.seq))
            envelopes[envelope.window_id] = envelope
            events[envelope.window_id] += msgspec.json.decode(envelope.events, type=list[msgspec.Raw])
    cut: dict[str, list[bytes]] = {}
    for window_id, window_events in events.items():
        cut[window_id] = []
        rest = window_events
        while rest:
            size = rng.choice([0, 1, 2, 7, 50, len(rest)])
            part, rest = rest[:size], rest[size:]
            body = msgspec.Raw(b"[" + b",".join(bytes(event) for event in part) + b"]")
            envelope = msgspec.structs.replace(envelopes[window_id], seq=len(cut[window_id]), events=body)
            cut[window_id].append(msgspec.json.encode(envelope))
    arrived = []
    while cut:
        window_id = rng.choice(sorted(cut))
        arrived.append(cut[window_id].pop(0))
        if not cut[window_id]:
            del cut[window_id]
    return arrived


@given(session_id=sessions, seed=seeds)
@settings(max_examples=40, deadline=None)
def test_cutting_the_events_into_other_batches_changes_nothing(session_id: str, seed: int) -> None:
    rng = random.Random(seed)
    recut = _recut(SAMPLES[session_id], rng)
    assert run_core(recut, settings=SETTINGS, poll=rng.choice([1, 3, 1000])).content() == EXPECTED[session_id]


@given(session_id=sessions, seed=seeds)
@settings(max_examples=40, deadline=None)
def test_repeats_and_disorder_change_nothing(session_id: str, seed: int) -> None:
    rng = random.Random(seed)
    batches = SAMPLES[session_id]
    arrivals = [(place + rng.uniform(0, 8), batch) for place, batch in enumerate(batches)]
    arrivals += [(place + rng.uniform(0, 30), batch) for place, batch in enumerate(batches) if rng.random() < 0.3]
    disordered = [batch for _, batch in sorted(arrivals)]
    collected = run_core(disordered, settings=SETTINGS, poll=rng.choice([1, 4, 1000]))
    assert collected.content() == EXPECTED[session_id]
    assert collected.signal_writes == len(collected.signals)
    assert collected.activity_writes == len(collected.activities)


def _activities(collected: Collected) -> list[Activity]:
    """Return what is expected of the sessions that something was collected of."""
    expected = [EXPECTED[session_id]["activities"] for session_id in collected.records]
    return sorted(chain.from_iterable(cast("list[list[Activity]]", expected)), key=lambda activity: activity.id)


def _rules(rng: random.Random) -> SavingRules:
    return SavingRules(rng.choice([0, 20_000, 1 << 40]), rng.choice([1, 7, 1 << 40]))


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_crashing_at_any_point_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    batches = rng.choice([ALL, SAMPLES[rng.choice(sorted(SAMPLES))]])
    batches = sorted(batches, key=lambda _: rng.random() < 0.2)
    collected = Collected()
    start, rules, crashes = 0, _rules(rng), rng.randrange(1, 4)
    core = Core(SETTINGS, saving=rules)
    for _ in range(crashes):
        stop, poll = rng.randrange(start, len(batches) + 1), rng.choice([1, 3, 10])
        core.limit_hot(rng.choice([0, 1, 512]))
        mark = feed_marked(core, collected, batches, range(start, stop), poll)
        start = start if mark is None else mark
        core = Core(SETTINGS, saving=rules)  # what it had not written is lost
    feed(core, collected, batches, range(start, len(batches)))
    for session_id in collected.shelf.sessions:
        collected.shelf.hand_over_session(core, session_id)
    core.finish()
    collected.add(core.take())
    expected = [EXPECTED[session_id] for session_id in collected.records]
    assert collected.signals == {signal.id: signal for content in expected for signal in content["signals"]}  # type: ignore[attr-defined]
    assert collected.signal_writes == len(collected.signals)
    assert collected.content()["activities"] == _activities(collected)
    assert collected.activity_writes == len(collected.activities)
    for content in expected:
        for session_id, bundle in content["bundles"].items():  # type: ignore[attr-defined]
            assert collected.bundle(session_id) == bundle
            assert collected.records[session_id].tags == content["tags"][session_id]  # type: ignore[index]


def test_packing_idle_sessions_changes_nothing() -> None:
    core, collected = Core(SETTINGS), Collected()
    for position, batch in enumerate(ALL):
        opened = core.open(batch, None, "test", position)
        assert opened is not None
        core.feed(opened, position, START_MS + position)
        collected.add(core.take())
        core.cool()
    core.finish()
    collected.add(core.take())
    signals = [signal for content in EXPECTED.values() for signal in content["signals"]]  # type: ignore[attr-defined]
    assert {signal.id: signal for signal in signals} == collected.signals
    assert collected.content()["activities"] == _activities(collected)


def test_the_samples_run_on_different_things() -> None:
    signals = [signal for content in EXPECTED.values() for signal in content["signals"]]  # type: ignore[attr-defined]
    assert {signal.attributes["device"] for signal in signals} >= {"desktop", "phone"}
    assert len({signal.attributes.get("release") for signal in signals}) > 2


def test_the_samples_hold_custom_events() -> None:
    told = Counter(
        (activity.session_id, activity.kind)
        for content in EXPECTED.values()
        for activity in cast("list[Activity]", content["activities"])
    )
    custom = {session_id: count for (session_id, kind), count in told.items() if kind == "custom_event"}
    assert sum(custom.values()) > 20
    assert max(custom.values()) < CUSTOM_EVENTS_MAX, "which one of several windows is told beyond that is chance"


def test_the_samples_hold_different_signals() -> None:
    found = {name for content in EXPECTED.values() for tags in content["tags"].values() for name in tags}  # type: ignore[attr-defined]
    assert found >= {"rage_click", "dead_click", "js_error", "error_click"}


@pytest.mark.parametrize("session_id", sorted(SAMPLES))
def test_every_event_of_a_sample_is_accounted_for(session_id: str) -> None:
    core = Core(SETTINGS)
    feed(core, Collected(), SAMPLES[session_id], range(len(SAMPLES[session_id])))
    core.finish()
    counts = core.counts
    assert counts.batches_read == counts.batches_used + sum(counts.batches_dropped.values())
    assert counts.events_read == counts.events_published + sum(counts.events_dropped.values())
