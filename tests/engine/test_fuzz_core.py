"""Whatever comes, in whatever order, cut, packed and resumed anywhere: every rule of `attack` holds, and the same
input gives the same output.

A normal run takes some 20 seconds and is the same each time. `WINCE_FUZZ=50 pytest tests/engine/test_fuzz_core.py`
looks at fifty times as many examples, others each time.
"""

import copy
import json
import os
import random
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.settings import LimitSettings, OrderSettings, PrivacySettings, SessionSettings, Settings
from tests.engine.attack import CSS, MARK, MARKED_LINK, T0, Attack, beacon, element, envelope, incremental
from tests.engine.core.harness import sample_batches
from tests.engine.test_hostile_types import EXAMPLES, WRONG, places, replaced

FACTOR = int(os.environ.get("WINCE_FUZZ", "1"))
MINUTE_MS = 60_000
SAMPLES = sample_batches()

TIGHT = Settings(
    privacy=PrivacySettings(level="conservative"),
    limits=LimitSettings(max_nodes_per_page=60, max_windows_per_session=2, max_signals_per_session=3, max_depth=30),
    order=OrderSettings(gap_wait_ms=MINUTE_MS, max_held_batches=3, max_held_bytes=2_000, max_gap_batches=6),
    session=SessionSettings(idle_timeout_ms=2 * MINUTE_MS, grace_ms=3 * MINUTE_MS, max_bytes=200_000),
)
ROOMY = Settings(privacy=PrivacySettings(level="conservative"))
OPEN = Settings(privacy=PrivacySettings(level="light", mask=(".vault .deep",), unmask=(".shown",)))
"""Shows almost everything, so that only `VAULT` and what is unknown keeps a text secret."""


def fuzz(examples: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=examples * FACTOR,
        derandomize=FACTOR == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


# -- what is sent -------------------------------------------------------------------------------------------------

NODE_IDS = st.integers(4, 16)
ANY_IDS = NODE_IDS | st.sampled_from([3, 3, 3, -1, 0, -2, 99])
TAGS = st.sampled_from(["div", "p", "button", "a", "input", "textarea", "option", "x-field", "svg", "IFRAME"])
CLASSES = st.sampled_from(["", "a", "rr-mask", "rr-block", "vault", "deep", "shown", "vault deep", MARK])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["title", "value", "id", "placeholder", "data-x", "onclick", "alt", "role"]),
    st.just(MARK),
    max_size=2,
) | st.fixed_dictionaries(
    {"class": CLASSES},
    optional={
        "type": st.sampled_from(["password", "text", "submit"]),
        "contenteditable": st.sampled_from(["true", "false"]),
        "href": st.just(MARKED_LINK),
        "style": st.just(CSS),
        "_cssText": st.just(CSS),
        "checked": st.just(value=True),
    },
)
TEXTS = st.builds(lambda number: {"type": 3, "id": number, "textContent": MARK}, NODE_IDS)
OTHERS = st.builds(
    lambda kind, number: {"type": kind, "id": number, "textContent": MARK, "name": MARK}, st.integers(1, 6), NODE_IDS
)


def _element(number: int, tag: str, attributes: dict[str, Any], children: list[Any], root: str) -> dict[str, Any]:
    made = element(number, *children, tag=tag, **attributes)
    return {**made, "isShadow": root == "shadow"} if root else made


def _document(number: int, children: list[Any]) -> dict[str, Any]:
    return {"type": 0, "id": number, "childNodes": children}


def _inner(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    children = st.lists(nodes, max_size=3)
    roots = st.sampled_from(["", "", "shadow", "light"])
    return st.builds(_element, NODE_IDS, TAGS, ATTRIBUTES, children, roots) | st.builds(_document, NODE_IDS, children)


NODES: st.SearchStrategy[Any] = st.recursive(TEXTS | TEXTS | OTHERS, _inner, max_leaves=6)
TIMES = st.integers(0, 200) | st.sampled_from([0, 0, 5_000, 40 * MINUTE_MS, -MINUTE_MS, 2**52, -(2**41)])


def _page(nodes: list[Any]) -> dict[str, Any]:
    """Make a snapshot of which everything is to be masked: all stands in the vault."""
    vault = element(3, *nodes, tag="body", **{"class": "rr-mask"})
    return {"type": 2, "data": {"node": {"type": 0, "id": 1, "childNodes": [element(2, vault, tag="html")]}}}


def _mutation(removes: list[int], adds: list[Any], attributes: list[Any], texts: list[int]) -> dict[str, Any]:
    return incremental(
        0,
        removes=[{"parentId": 3, "id": number} for number in removes],
        adds=[{"parentId": parent, "nextId": None, "node": node} for parent, node in adds],
        attributes=[{"id": number, "attributes": changed} for number, changed in attributes],
        texts=[{"id": number, "value": MARK} for number in texts],
    )


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=4)


PAGES = st.builds(_page, some(NODES))
CHANGES = st.builds(
    _mutation,
    removes=some(NODE_IDS),
    adds=some(st.tuples(ANY_IDS, NODES)),
    attributes=some(st.tuples(ANY_IDS, ATTRIBUTES)),
    texts=some(ANY_IDS),
)
POINTERS = st.builds(lambda kind, number: incremental(2, type=kind, id=number, x=1, y=1), st.integers(-1, 11), ANY_IDS)
INPUTS = st.builds(lambda number: incremental(5, id=number, text=MARK, isChecked=True), ANY_IDS)
LOADS = st.sampled_from(
    [
        {"type": 0, "data": {}},
        {"type": 1, "data": {}},
        {"type": 4, "data": {"href": MARKED_LINK, "width": 1, "height": 1}},
    ]
)
PAGE_EVENTS = st.one_of(PAGES, CHANGES, CHANGES, CHANGES, CHANGES, POINTERS, POINTERS, INPUTS, LOADS)


@st.composite
def page_batches(draw: st.DrawFn) -> list[bytes]:
    """Draw the batches of a window whose pages change in every way."""
    t, batches = T0, []
    for seq in range(draw(st.integers(1, 5))):
        events = []
        for event in draw(st.lists(PAGE_EVENTS, max_size=8)):
            t = max(0, t + draw(TIMES))
            events.append({**event, "timestamp": t})
        batches.append(envelope(seq, events))
    return batches


def changed_values(draw: st.DrawFn, text: bytes) -> bytes:
    """Replace or take away some values of a batch, but for its identifiers, which are shown."""
    document = json.loads(text)
    rng = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(rng.randint(1, 6)):
        inner: Any = document["events"]
        while isinstance(inner, dict | list) and inner:
            key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
            if not isinstance(inner[key], dict | list) or rng.random() < 0.1:
                wrong = copy.deepcopy(rng.choice(WRONG))
                if rng.random() < 0.2:
                    del inner[key]
                elif not (isinstance(wrong, str) and key in {"rule", "_cssText", "style", "value", "fontSource"}):
                    inner[key] = wrong
                break
            inner = inner[key]
    return json.dumps(document).encode()


def changed_bytes(draw: st.DrawFn, text: bytes) -> bytes:
    """Cut out, flip, double or put in some bytes."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    damaged = bytearray(text)
    for _ in range(rng.randint(1, 8)):
        start, length = rng.randrange(len(damaged) + 1), rng.choice([1, 1, 2, 5, 60])
        part = bytes(damaged[start : start + length])
        damaged[start : start + length] = rng.choice(
            [b"", part * 2, rng.randbytes(length), b'"', b"}", b"[", b"\\", b"1"]
        )
    return bytes(damaged)


@st.composite
def recorded_batches(draw: st.DrawFn) -> list[bytes]:
    """Draw the beginning of a real session, its batches doubled, lost, disordered and damaged."""
    batches = SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))]
    count = draw(st.integers(1, 8))
    arrived = sorted(range(count), key=lambda place: place + draw(st.sampled_from([0, 0, 0, 1.5, 3])))
    arrived += draw(st.lists(st.integers(0, count), max_size=3))
    change = st.sampled_from([changed_values, changed_bytes, lambda _draw, text: text, lambda _draw, text: text])
    return [draw(change)(draw, batches[place]) for place in arrived if place < len(batches)]


@st.composite
def mixed_batches(draw: st.DrawFn) -> list[bytes]:
    """Draw batches of example events with wrong values, under few numbers, windows and sessions."""
    batches = []
    for _ in range(draw(st.integers(1, 8))):
        rng = random.Random(draw(st.integers(0, 2**32)))
        events = []
        for _ in range(rng.randint(0, 6)):
            example = EXAMPLES[rng.choice(list(EXAMPLES))]
            place = rng.choice(list(places(example)))
            is_css = {"rule", "replace", "replaceSync", "fontSource", "value"}.intersection(place)
            events.append(example if is_css else replaced(example, place, rng.choice(WRONG)))
        fields: dict[str, Any] = {
            "seq": rng.choice([0, 0, 1, 1, 2, 3, 9, 2**53]),
            "session_id": rng.choice("ab"),
            "window_id": rng.choice("vwx"),
            "ended": rng.random() < 0.1,
        }
        empty = envelope(**fields)
        batches.append(empty.replace(b'"events":[]', b'"events":' + json.dumps([*events, beacon(1)]).encode()))
    return batches


STEPS = st.lists(st.sampled_from(["nothing", "take", "resume", "cool", "tick", "minute", "hour"]), max_size=8)


# -- what has to hold ---------------------------------------------------------------------------------------------


def run(batches: list[bytes], steps: list[str], configured: Settings) -> Attack:
    """Feed batches with other things between them; then look whether a rule was broken."""
    attack = Attack(configured)
    for batch, step in zip(batches, [*steps, *["nothing"] * len(batches)], strict=False):
        attack.send(batch)
        match step:
            case "resume":
                attack.resume()
            case "cool":
                attack.core.cool()
            case "tick":
                attack.tick(1)
            case "minute":
                attack.tick(MINUTE_MS)
            case "hour":
                attack.tick(60 * MINUTE_MS)
            case _:
                attack.take()
    attack.check()
    return attack


def outcome(attack: Attack) -> dict[str, object]:
    """Return what has to be the same of each session, however often its state was packed."""
    return {
        name: (attack.lines(name), attack.signals_of(name), attack.record(name))
        for name in {effect.session_id for effect in attack.effects}
    }


def holds(batches: list[bytes], steps: list[str], configured: Settings) -> None:
    """See that the rules hold, and that packing, resuming and remembering pages change nothing."""
    attack = run(batches, steps, configured)
    plain = [step if step in {"tick", "minute", "hour"} else "nothing" for step in steps]
    forgetful = msgspec.structs.replace(configured.limits, max_known_pages_bytes=1)
    again = run(batches, plain, msgspec.structs.replace(configured, limits=forgetful))
    assert outcome(attack) == outcome(again)


@given(batches=page_batches(), steps=STEPS, configured=st.sampled_from([OPEN, OPEN, TIGHT, ROOMY]))
@fuzz(300)
def test_no_page_shows_what_lies_in_the_vault(batches: list[bytes], steps: list[str], configured: Settings) -> None:
    holds(batches, steps, configured)


@given(batches=recorded_batches(), steps=STEPS, configured=st.sampled_from([TIGHT, ROOMY]))
@fuzz(120)
def test_damaged_recordings_break_no_rule(batches: list[bytes], steps: list[str], configured: Settings) -> None:
    holds(batches, steps, configured)


@given(batches=mixed_batches(), steps=STEPS, configured=st.sampled_from([TIGHT, ROOMY]))
@fuzz(200)
def test_wrong_events_in_any_order_break_no_rule(batches: list[bytes], steps: list[str], configured: Settings) -> None:
    holds(batches, steps, configured)
