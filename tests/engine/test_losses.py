"""What was dropped may have changed the page: from there on it is trusted no more, and from nowhere else."""

import json
from typing import Any

import pytest

from engine.reasons import Reason
from engine.settings import LimitSettings, PrivacyRule, PrivacySettings, Settings
from tests.engine.attack import T0, Attack, addition, beacon, element, envelope, incremental, mutation, snapshot, text

LIGHT = PrivacySettings(level="light")
OPEN = Settings(privacy=LIGHT)
BEFORE, AFTER, AGAIN = "Text before", "Text after", "Text again"
PAGE = snapshot(element(4, text(5, BEFORE)))
DEEP = json.loads('{"a":' * 250 + "1" + "}" * 250)


def say(content: str) -> dict[str, Any]:
    return mutation(texts=[{"id": 5, "value": content}])


HIDING: dict[str, tuple[Any, Reason]] = {
    "nothing": (None, Reason.INVALID_EVENT),
    "a list": ([], Reason.INVALID_EVENT),
    "an empty event": ({}, Reason.INVALID_EVENT),
    "a snapshot without a page": ({"type": 2, "timestamp": T0, "data": {}}, Reason.INVALID_EVENT),
    "a page without an address": ({"type": 4, "timestamp": T0, "data": {"href": 7}}, Reason.INVALID_EVENT),
    "a type that is text": ({**say(AFTER), "type": "3"}, Reason.UNKNOWN_EVENT_TYPE),
    "a source that is text": (incremental("0"), Reason.UNKNOWN_SOURCE),  # type: ignore[arg-type]
    "no source": ({"type": 3, "timestamp": T0, "data": {}}, Reason.UNKNOWN_SOURCE),
    "packed lists": (incremental(0, texts="H4sI", attributes=[], removes=[], adds=[]), Reason.PACKED_EVENT),
    "packed data": ({"type": 2, "timestamp": T0, "data": "H4sI"}, Reason.PACKED_EVENT),
    "a packed event": ("H4sI", Reason.PACKED_EVENT),
    "a damaged event of great depth": ({"type": 3, "timestamp": -1, "data": DEEP}, Reason.EVENT_TOO_DEEP),
}
DAMAGED: dict[str, tuple[Any, Reason]] = {
    "an attribute": (mutation(attributes=[{"id": 4, "attributes": {"class": ["rr-mask"]}}]), Reason.ATTRIBUTE_DROPPED),
    "a change": (mutation(attributes=[{"id": "4", "attributes": {"class": "rr-mask"}}]), Reason.FIELD_DROPPED),
    "a removal": (mutation(removes=[{"parentId": 3, "id": "4"}]), Reason.FIELD_DROPPED),
    "an addition": (mutation(adds=[addition(3, element(0, text(5)))]), Reason.NODE_DROPPED),
    "its own text": (
        {**say(AFTER), "data": {**say(AFTER)["data"], "attributes": [{"id": 4, "attributes": 7}]}},
        Reason.FIELD_DROPPED,
    ),
}
HARMLESS: dict[str, tuple[Any, Reason]] = {
    "an event of a newer recorder": ({"type": 9, "timestamp": T0, "data": {}}, Reason.UNKNOWN_EVENT_TYPE),
    "a change of a newer recorder": (incremental(17), Reason.UNKNOWN_SOURCE),
    "a click nowhere": (incremental(2, type=2, id="4", x=1, y=1), Reason.INVALID_EVENT),
    "a scroll": (incremental(3, id=4, x=1), Reason.INVALID_EVENT),
    "a custom event": ({"type": 5, "timestamp": T0, "data": {}}, Reason.INVALID_EVENT),
    "a deep payload": ({"type": 5, "timestamp": T0, "data": {"tag": "a", "payload": DEEP}}, Reason.EVENT_TOO_DEEP),
    "an interaction": ({"kind": "rant", "t": T0}, Reason.UNKNOWN_EVENT_TYPE),
}


def shown(attack: Attack) -> str:
    attack.finish()
    return b"\n".join(attack.lines()).decode()


@pytest.mark.parametrize("name", HIDING)
def test_a_dropped_event_that_may_have_changed_the_page_ends_the_trust(name: str) -> None:
    event, reason = HIDING[name]
    attack = Attack(OPEN).events(*PAGE, say(BEFORE + " too"), event, say(AFTER), beacon(0))
    attack.events(say(AFTER), beacon(1), *PAGE, say(AGAIN), seq=1)
    assert attack.dropped_events == {reason: 1}
    assert attack.beacons() == [0, 1]
    published = shown(attack)
    assert BEFORE + " too" in published
    assert AFTER not in published
    assert AGAIN in published


@pytest.mark.parametrize("name", DAMAGED)
def test_a_change_of_the_page_that_is_not_whole_ends_the_trust(name: str) -> None:
    event, reason = DAMAGED[name]
    attack = Attack(OPEN).events(*PAGE, event, say(AFTER)).events(say(AFTER), *PAGE, say(AGAIN), seq=1)
    assert attack.repaired[reason] == 1
    published = shown(attack)
    assert AFTER not in published
    assert AGAIN in published


@pytest.mark.parametrize("wrong", [{"id": "5", "value": "x"}, {"id": 5.5, "value": "x"}, {"id": 5, "value": 7}, 8])
def test_a_text_that_is_left_out_masks_no_other(wrong: Any) -> None:
    attack = Attack(OPEN).events(*PAGE, mutation(texts=[wrong, {"id": 5, "value": BEFORE + " too"}]), say(AFTER))
    assert attack.repaired[Reason.FIELD_DROPPED] == 1
    published = shown(attack)
    assert BEFORE + " too" in published
    assert AFTER in published


@pytest.mark.parametrize("name", HARMLESS)
def test_a_dropped_event_that_cannot_have_changed_the_page_masks_nothing(name: str) -> None:
    event, reason = HARMLESS[name]
    attack = Attack(OPEN).events(*PAGE, event, say(AFTER))
    assert attack.dropped_events == {reason: 1}
    assert AFTER in shown(attack)


def test_a_page_whose_address_was_lost_is_masked_at_the_strictest_level() -> None:
    rules = (PrivacyRule(url="https://shop.example/pay/*", level="conservative"),)
    attack = Attack(Settings(privacy=PrivacySettings(level="light", rules=rules)))
    no_address = {"type": 4, "timestamp": T0, "data": {}}
    attack.events(*PAGE, no_address, snapshot(element(4, text(5, AFTER)))[1], *PAGE, say(AGAIN))
    published = shown(attack)
    assert AFTER not in published
    assert AGAIN in published


@pytest.mark.parametrize("first", [beacon(0), None])
def test_events_beyond_the_most_may_have_changed_the_page(first: Any) -> None:
    settings = Settings(privacy=LIGHT, limits=LimitSettings(max_batch_events=len(PAGE) + 1))
    attack = Attack(settings).events(first, *PAGE, beacon(1), say(BEFORE))
    attack.events(say(AFTER), seq=1)
    assert attack.dropped_events[Reason.TOO_MANY_EVENTS] == 2
    assert AFTER not in shown(attack)


def test_losses_end_the_trust_in_the_same_place_however_the_events_are_cut() -> None:
    events = [*PAGE, say(BEFORE), None, say(AFTER), *PAGE, say(AGAIN), DAMAGED["an attribute"][0], say(AFTER)]
    together, apart = Attack(OPEN).events(*events), Attack(OPEN)
    for seq, event in enumerate(events):
        apart.send(envelope(seq, [event]))
    assert shown(apart) == shown(together)


def test_events_none_of_which_has_a_time_may_have_changed_the_page() -> None:
    attack = Attack(OPEN).events(*PAGE).events({**say(BEFORE), "timestamp": "now"}, seq=1).events(say(AFTER), seq=2)
    assert attack.dropped_events == {Reason.INVALID_EVENT: 1}
    assert AFTER not in shown(attack)


def test_many_losses_cost_no_more_than_one_each() -> None:
    page = snapshot(*(element(10 + number) for number in range(3_000)))
    named = [incremental(2, type=2, id=10 + number, x=1, y=1) for number in range(3_000)]
    attack = Attack(OPEN).events(*page, *named)
    attack.events(*[None, beacon(0)] * 4_000, seq=1)
    assert attack.dropped_events == {Reason.INVALID_EVENT: 4_000}
    assert len(attack.beacons()) == 4_000
