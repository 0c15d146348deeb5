"""A project's state as it is stored: only parts that changed, and all of it is there again."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alerts.core import AlertCore, ErrorResolved, Item
from engine.alerts.parts import Parts, read_parts
from engine.alerts.rules import AlertLimits, Rule
from engine.alerts.state import ProjectState
from schemas.activity import Activity
from tests.engine.alerts.site import HOUR_MS, START_MS, Site
from tests.engine.alerts.stored import Stored
from tests.engine.alerts.test_core import HISTORIES, PAGE, RULES, Step, items_of

CART = Rule(name="cart", kind="abandoned", page=PAGE, goal_page="https://shop.example/thanks", window_ms=30 * 60_000)
SCORE = Rule(name="score", kind="score", threshold=5)
ABSENCE = Rule(name="absence", kind="absence", warm_up_ms=0)
# Small bounds, so that values are folded, sessions and keys forgotten.
LIMITS = AlertLimits(max_keys=10, max_sessions=100)
EVERYTHING = (*RULES, CART, SCORE, ABSENCE)


def everything_of(state: ProjectState) -> bytes:
    """Describe a state, the order of all entries included, but for rules that wait for nobody."""
    waiting = {rule: dict(sessions) for rule, sessions in sorted(state.abandoning.items()) if sessions}
    return msgspec.msgpack.encode(msgspec.structs.replace(state, abandoning=waiting))


def with_more(items: list[Item], seed: int) -> list[Item]:
    """Have some sessions withdrawn, and an error resolved."""
    rng, mixed = random.Random(seed), list[Item]()
    for item in items:
        mixed.append(item)
        if isinstance(item, Activity) and rng.random() < 0.1:
            mixed.append(Activity(f"gone-{item.id}", "session_withdrawn", "shop", item.session_id, item.t))
        if rng.random() < 0.05:
            mixed.append(ErrorResolved("shop", "e1", item.t))
    return mixed


@settings(max_examples=25)
@given(HISTORIES, st.integers(0, 100), st.integers(1, 9))
def test_what_changed_is_stored_and_nothing_is_missed(steps: list[Step], seed: int, every: int) -> None:
    core, stored = AlertCore(EVERYTHING, LIMITS), Stored()
    parts = Parts(core.state("shop"))
    for place, item in enumerate(with_more(items_of(steps), seed)):
        core.tick(item.t)
        core.feed(item, item.t)
        if place % every == 0:
            stored.save(parts)
            assert everything_of(read_parts(stored.parts)) == everything_of(core.state("shop"))
    core.tick(START_MS + 100 * HOUR_MS)
    stored.save(parts)
    assert everything_of(read_parts(stored.parts)) == everything_of(core.state("shop"))


@settings(max_examples=25)
@given(HISTORIES, st.data())
def test_one_who_takes_over_gives_the_same_alerts(steps: list[Step], data: st.DataObject) -> None:
    items = items_of(steps)
    cut = data.draw(st.integers(0, len(items)))
    whole, first, second = (AlertCore(EVERYTHING, LIMITS) for _ in range(3))
    stored = Stored()
    parts = Parts(first.state("shop"))
    alerts = []
    for item in items[:cut]:
        whole.feed(item, item.t)
        first.feed(item, item.t)
    stored.save(parts)
    alerts += first.take()
    second.adopt("shop", read_parts(stored.parts))
    again = Parts(second.state("shop"))
    for item in items[cut:]:
        whole.feed(item, item.t)
        second.feed(item, item.t)
    stored.save(again)
    assert alerts + second.take() == whole.take()
    assert everything_of(read_parts(stored.parts)) == everything_of(whole.state("shop"))


def test_little_is_stored_for_little_news() -> None:
    core, site, stored = AlertCore(EVERYTHING, AlertLimits()), Site(), Stored()
    parts = Parts(core.state("shop"))
    for item in site.traffic(START_MS, 10, PAGE, 0.5):
        core.feed(item, item.t)
    assert stored.save(parts) > 180
    session_id, activities = site.visit(START_MS + 10 * HOUR_MS, PAGE)
    for item in (*activities, site.complaint(session_id, START_MS + 10 * HOUR_MS, PAGE)):
        core.feed(item, item.t)
    assert stored.save(parts) < 40
    assert stored.save(parts) == 1, "only what is always stored"


def test_a_withdrawn_session_is_in_no_part_and_does_not_come_back() -> None:
    core, site, stored = AlertCore(EVERYTHING, AlertLimits()), Site(), Stored()
    parts = Parts(core.state("shop"))
    site.count = 998
    session_id, activities = site.visit(START_MS, PAGE)
    complaint = site.complaint(session_id, START_MS, PAGE, "js_error", "e1")
    for item in (*activities, complaint, *items_of([(1_000, 0, 2)] * 5)):
        core.feed(item, START_MS)
    stored.save(parts)
    withdrawn = Activity("gone", "session_withdrawn", "shop", session_id, START_MS)
    for item in (withdrawn, *activities, complaint):
        core.feed(item, START_MS + HOUR_MS)
    stored.save(parts)
    assert core.open_alerts()
    held = everything_of(read_parts(stored.parts)) + b"".join(stored.parts)
    assert session_id == "shop-999"
    assert session_id.encode() not in held


def test_rules_that_are_no_more_end_their_alerts_and_others_go_on() -> None:
    core, site = AlertCore(RULES, AlertLimits()), Site()
    for number in range(5):
        session_id, activities = site.visit(START_MS + number, PAGE)
        for item in (*activities, site.complaint(session_id, START_MS + number, PAGE)):
            core.feed(item, item.t)
    before = core.open_alerts()
    assert before
    core.take()
    core.change_rules((*RULES, SCORE), AlertLimits())
    assert (core.open_alerts(), core.take()) == (before, [])
    core.change_rules((SCORE,), AlertLimits())
    assert core.open_alerts() == []
    assert [(alert.id, alert.resolved_at) for alert in core.take()] == [(alert.id, START_MS + 4) for alert in before]
