"""The mirror: labels that follow the page, known pages, and states that restore to the same page."""

from itertools import chain
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import interactions as told
from engine.rebuild.page_state import PageState, page_state, restore_page
from tests.engine.core.harness import sample_batches
from tests.engine.rebuild.recorder import Replayed, add, element, incremental, meta, mutation, snapshot, text

CLICK = incremental(2, type=2, id=10, x=1, y=1)
BATCHES = list(chain.from_iterable(sample_batches().values()))


def _label_after(replayed: Replayed, *events: Any) -> str:
    """A detector reads a target when it is told: elements change in place."""
    text_now: str = replayed.feed(*events, CLICK).told_of(told.Click)[-1].target.text
    return text_now


def test_the_label_of_a_control_follows_its_text_wherever_it_changes() -> None:
    button = element(10, "button", element(11, "span", element(12, "b", text(13, "Buy"))))
    replayed = Replayed(meta(), snapshot(button))
    assert _label_after(replayed) == "Buy"
    assert _label_after(replayed, mutation(texts=[{"id": 13, "value": "Sold"}])) == "Sold"
    assert _label_after(replayed, mutation(adds=[add(11, text(14, "out"))])) == "Sold out"
    assert _label_after(replayed, mutation(removes=[{"parentId": 12, "id": 13}])) == "out"


def test_a_detector_sees_attributes_as_they_are_now() -> None:
    replayed = Replayed(meta(), snapshot(element(10, "button", class_="calm")), CLICK)
    replayed.feed(mutation(attributes=[{"id": 10, "attributes": {"class": "busy", "disabled": ""}}]))
    replayed.feed(CLICK)
    target = replayed.told_of(told.Click)[-1].target
    assert target.attributes == {"class": "busy", "disabled": ""}


def test_a_page_seen_before_is_the_same_page() -> None:
    page = snapshot(*(element(100 + place, "p", text(200 + place, f"Paragraph {place}")) for place in range(40)))
    first = Replayed(meta(), page)
    change = mutation(adds=[add(100, text(300, "new"))], removes=[{"parentId": 3, "id": 101}])
    first.feed(change)
    again = Replayed(like=first).feed(meta(), page)
    assert first.tools.known_pages.hits == 1
    assert again.out == first.out[:2]
    again.feed(change)
    assert again.out == first.out
    assert page_state(again.page) == page_state(first.page)


def test_a_known_page_does_not_make_a_checkout_forget_what_sticks() -> None:
    shown = snapshot(element(10, "p", text(11, "Aurelia " * 200)))
    hidden = snapshot(element(10, "p", text(11, "Aurelia " * 200), class_="private"))
    before = Replayed(meta(), shown, mask=(".private",))
    replayed = Replayed(like=before).feed(meta(), hidden, meta(), shown)
    assert "Aurelia" not in replayed.all_text()


@given(st.integers(0, len(BATCHES) - 1))
@settings(max_examples=30, deadline=None)
def test_a_page_state_restores_to_a_page_with_the_same_state(count: int) -> None:
    replayed = Replayed()
    for batch in BATCHES[count : count + 6]:
        replayed.feed(*msgspec.json.decode(batch)["events"])
    state = page_state(replayed.page)
    packed = msgspec.msgpack.encode(state)
    restored = restore_page(msgspec.msgpack.decode(packed, type=PageState), replayed.page.policy)
    assert page_state(restored) == state
