"""Whose doing a change of a field was, and what depends on it."""

import pytest

from detectors.elements import Element
from detectors.hands import Hands
from detectors.interactions import ElementFocus, Input, Interaction, Navigation, Press
from tests.detectors.tape import EMAIL, FORM, ITEM, LIST, NAME, PAGE, click, element, found, loads, typed

T = 10_000
AGREED = element("input", 407, FORM, type="checkbox", id="agreed")
MOUNTED = [Input(T, PAGE, field) for field in (EMAIL, NAME, AGREED, None)]


def press(field: Element) -> Press:
    return next(each for each in click(T, field) if isinstance(each, Press))


def touches(*interactions: Interaction) -> int:
    hands = Hands()
    handlers = hands.handlers()
    for interaction in interactions:
        handlers[type(interaction)](interaction)
    return hands.touches


def test_what_a_page_sets_while_it_is_made_nobody_typed() -> None:
    assert touches(*MOUNTED) == 0
    assert touches(ElementFocus(T, PAGE, EMAIL), Input(T, PAGE, NAME), Input(T, PAGE, AGREED)) == 0


def test_what_has_the_focus_is_typed_into() -> None:
    assert touches(ElementFocus(T, PAGE, EMAIL), Input(T, PAGE, EMAIL)) == 1


def test_a_slider_or_checkbox_that_was_pressed_need_not_have_the_focus() -> None:
    assert touches(ElementFocus(T, PAGE, EMAIL), press(AGREED), Input(T, PAGE, AGREED)) == 1 + 1


def test_a_button_that_keeps_the_focus_elsewhere_does_not_end_the_typing() -> None:
    assert touches(ElementFocus(T, PAGE, EMAIL), press(FORM), Input(T, PAGE, EMAIL)) == 1 + 1


def test_without_any_focus_known_a_field_that_changes_twice_is_typed_into() -> None:
    assert touches(*[Input(T + 200 * key, PAGE, EMAIL) for key in range(4)]) == 3
    assert touches(*[Input(T, PAGE, field) for field in (EMAIL, NAME, EMAIL, NAME)]) == 0
    assert touches(ElementFocus(T, PAGE, NAME), *[Input(T + 200 * key, PAGE, EMAIL) for key in range(4)]) == 0


@pytest.mark.parametrize("focus", [[], [ElementFocus(T, PAGE, EMAIL)], [ElementFocus(T, PAGE, NAME)]])
def test_a_recorder_that_knows_is_believed(focus: list[Interaction]) -> None:
    assert touches(*focus, Input(T, PAGE, EMAIL, by_visitor=True)) == 1
    assert touches(*focus, Input(T, PAGE, EMAIL, by_visitor=False)) == 0


def test_the_next_page_has_the_same_ids_for_other_fields() -> None:
    there: list[Interaction] = [
        ElementFocus(T, PAGE, EMAIL),
        press(EMAIL),
        Navigation(T + 500, PAGE, "load"),
        Input(T + 900, PAGE, EMAIL),
    ]
    assert touches(*there) == 1
    assert touches(*[Navigation(each.t, PAGE, "push") if isinstance(each, Navigation) else each for each in there]) == 2


def lists_and_items(*on_each: Interaction) -> list[Interaction]:
    """A list, and two of its items, each left after a second; on each item something happens 100 ms after it came."""
    tape = loads((T, LIST), nav="push")
    for at in (T + 2_000, T + 8_000):
        tape += loads((at, ITEM), nav="push")
        tape += [Input(at + 100, PAGE, each.target) for each in on_each if isinstance(each, Input)]
        tape += [ElementFocus(at + 100, PAGE, each.target) for each in on_each if isinstance(each, ElementFocus)]
        tape += [Input(at + 400, PAGE, each.target) for each in on_each if isinstance(each, ElementFocus)]
        tape += loads((at + 1_000, LIST), nav="pop")
    return tape


def test_a_page_that_sets_its_own_fields_was_not_touched() -> None:
    assert len(found("quick_back", lists_and_items(*MOUNTED))) == 1
    assert found("quick_back", lists_and_items(ElementFocus(T, PAGE, EMAIL))) == []


def test_nobody_came_back_when_a_script_sets_a_field() -> None:
    for by_script in (Input(T + 40_000, PAGE, NAME), Input(T + 40_000, PAGE, EMAIL, by_visitor=False)):
        idle = found("idle", [*typed(T, EMAIL), by_script, *click(T + 60_000)])
        assert [(each.t, each.end_t) for each in idle] == [(T + 400, T + 60_000 - 60)]
