"""How forms are refused, accepted and left, where nothing but the focus tells."""

import pytest

from detectors.elements import Element
from detectors.forms import EMPTIED_MS, STIRRED_MS, THROWN_MS
from detectors.interactions import Change, ElementFocus, Input, Interaction, Navigation
from tests.detectors.tape import (
    BODY,
    EMAIL,
    FORM,
    HOME,
    LIST,
    NAME,
    PAGE,
    SEND,
    Player,
    change,
    click,
    element,
    found,
    in_order,
    mutation,
    request,
    typed,
)

T = 10_000
PHONE = element("input", 408, FORM, type="tel", id="phone")
MESSAGE = change("add", 900, 405, 400, 3, name="small", text=True)
ELSEWHERE = change("add", 901, 700, 3, name="li", text=True)


def sent(t: int, *after: Interaction, into: Element | None = EMAIL, back_ms: int = 1) -> list[Interaction]:
    """Send the form; the focus goes `into` a field `back_ms` later."""
    focus = [] if into is None else [ElementFocus(t + back_ms, PAGE, into)]
    return [*click(t, SEND), ElementFocus(t, PAGE, SEND, gained=False), *in_order(focus, after)]


def loops(*tapes: list[Interaction]) -> list[int | None]:
    """Count the refusals of each loop that is told, when text was typed into two fields before."""
    tape = [*typed(T - 2_000, NAME), *typed(T - 1_000, EMAIL)]
    return [each.count for each in found("form_error_loop", [*tape, *(one for part in tapes for one in part)])]


def test_browsers_show_what_is_wrong_where_no_recorder_sees_it() -> None:
    assert loops(*(sent(T + 3_000 * number) for number in range(3))) == [3]
    assert loops(*(sent(T + 3_000 * number) for number in range(2))) == []


def test_corrections_in_between_are_part_of_the_loop() -> None:
    once: list[Interaction] = [*sent(T), Input(T + 900, PAGE, EMAIL), Input(T + 2_000, PAGE, EMAIL)]
    twice: list[Interaction] = [*sent(T + 3_500), Input(T + 4_700, PAGE, EMAIL)]
    assert loops(once, twice, sent(T + 7_000), sent(T + 10_500)) == [4]


def test_the_first_refusal_shows_a_message_and_those_after_it_nothing() -> None:
    first = sent(T, mutation(T + 6, MESSAGE))
    assert loops(first, sent(T + 3_500), sent(T + 7_000)) == [3]


def test_messages_that_change_while_the_visitor_types_are_no_refusals_of_their_own() -> None:
    typing: list[Interaction] = [
        Input(T + 1_500, PAGE, EMAIL),
        mutation(T + 1_501, MESSAGE),
        Input(T + 1_600, PAGE, EMAIL),
    ]
    assert loops([*sent(T), *typing], sent(T + 3_000)) == []
    assert loops([*sent(T), *typing], sent(T + 3_000), sent(T + 6_000)) == [3]


@pytest.mark.parametrize("back_ms", [THROWN_MS + 1, 2_000])
def test_visitors_who_move_the_focus_take_longer(back_ms: int) -> None:
    assert loops(*(sent(T + 3_000 * number, back_ms=back_ms) for number in range(4))) == []
    assert loops(*(sent(T + 3_000 * number, back_ms=THROWN_MS) for number in range(4))) == [4]


def test_a_field_that_is_pressed_is_not_thrown_into() -> None:
    pressed = [
        one for number in range(4) for one in [*click(T + 3_000 * number, SEND), *typed(T + 3_000 * number + 90, EMAIL)]
    ]
    assert loops(pressed) == []


def test_the_first_field_of_the_next_step_is_a_new_one() -> None:
    steps = [element("input", 500 + number, FORM, type="text") for number in range(6)]
    assert loops(*(sent(T + 3_000 * number, into=step) for number, step in enumerate(steps))) == []
    came = [change("add", 500, 400, 3, name="label", text=True)]
    assert loops(*(sent(T + 3_000 * n, mutation(T + 3_000 * n + 1, *came), into=s) for n, s in enumerate(steps))) == []


def test_a_field_left_empty_is_a_refusal_from_the_second_time_on() -> None:
    assert loops(*(sent(T + 3_000 * number, into=PHONE) for number in range(3))) == []
    assert loops(*(sent(T + 3_000 * number, into=PHONE) for number in range(4))) == [3]


def test_the_field_of_another_form_is_not_thrown_into() -> None:
    elsewhere = element("input", 501, element("form", 500, BODY), type="text")
    assert loops(*(sent(T + 3_000 * number, into=elsewhere) for number in range(6))) == []


def chat(*after: list[Interaction], lines: int = 5) -> list[list[Interaction]]:
    """Type and send line by line; the focus returns to the field, and what comes `after` the first comes after each."""
    said = []
    for number in range(lines):
        shift = 4_000 * number
        again = [Input(T + shift + 2_000, PAGE, EMAIL), Input(T + shift + 2_100, PAGE, EMAIL)]
        answers = [_later(each, shift) for part in after for each in part]
        said.append([*in_order(sent(T + shift), answers), *again])
    return said


def _later(interaction: Interaction, shift: int) -> Interaction:
    if isinstance(interaction, Input):
        return Input(interaction.t + shift, PAGE, interaction.target, interaction.by_visitor)
    return mutation(interaction.t + shift, *interaction.changes)  # type: ignore[union-attr]  # the others are mutations


def test_a_chat_empties_its_field_and_keeps_the_focus() -> None:
    assert loops(*chat()) == [5]  # as far as it can be told, this one is refused
    assert loops(*chat([Input(T + 2, PAGE, EMAIL)])) == []
    assert loops(*chat([Input(T + 2, PAGE, EMAIL, by_visitor=False)])) == []


@pytest.mark.parametrize("text", [ELSEWHERE, change("text", 902, 700, 3, text=True)])
def test_a_chat_shows_what_was_said_above_its_field(text: Change) -> None:
    assert loops(*chat([mutation(T + STIRRED_MS, text)])) == []
    assert loops(*chat([mutation(T + STIRRED_MS + 1, text)])) == [5]  # the figures of a page that lives


def test_a_chat_that_was_refused_once_is_one_still() -> None:
    said = chat([mutation(T + 30, ELSEWHERE)])
    assert loops(sent(T - 500, mutation(T - 495, MESSAGE)), *said) == []


def test_figures_that_change_anyhow_accept_nothing() -> None:
    for figure in (change("text", 902, 700, 3, text=True), change("add", 902, 700, 3, name="#text", text=True)):
        ticks = chat([mutation(T + 100, figure)])
        assert loops(*ticks) == []  # a result, as of a calculator
        assert loops([mutation(T - 200, figure)], *ticks) == [5]
        assert loops([mutation(T - 200, change("text", 904, 710, 3, text=True))], *ticks) == []


def test_tags_are_added_one_by_one_within_the_form() -> None:
    assert loops(*chat([mutation(T + 8, change("add", 903, 400, 3, name="span", text=True))])) == []


@pytest.mark.parametrize("by_visitor", [True, None])
def test_who_corrects_at_once_did_not_see_the_form_emptied(*, by_visitor: bool | None) -> None:
    quick_ms = STIRRED_MS if by_visitor else STIRRED_MS + 1
    assert quick_ms < EMPTIED_MS
    tries = (T, T + 3_000, T + 6_000)
    assert loops(*([*sent(t), Input(t + quick_ms, PAGE, EMAIL, by_visitor)] for t in tries)) == [3]


def test_what_a_page_asks_for_by_itself_accepts_no_form_that_was_not_sent() -> None:
    polled = [[*sent(T + at), request(T + at + 2_500, T + at + 2_000)] for at in (0, 4_000, 8_000)]
    assert loops(*polled) == [3]
    caused = [[*sent(T + at), request(T + at + 2_500, T + at + 10)] for at in (0, 4_000, 8_000)]
    assert loops(*caused) == []


def test_who_leaves_a_form_by_a_link_after_the_focus_was_thrown_back_gave_it_up() -> None:
    away = [*click(T + 5_000, HOME), Navigation(T + 5_300, LIST, "load")]
    tape = [*typed(T - 2_000, NAME), *typed(T - 1_000, EMAIL)]
    assert [each.evidence["refusals"] for each in found("form_abandonment", [*tape, *sent(T), *away])] == [1]
    assert found("form_abandonment", [*tape, *sent(T, into=None), *away]) == []


def test_a_form_whose_focus_was_thrown_back_is_refused_however_often_it_is_put_away() -> None:
    tape = [*typed(T - 1_000, EMAIL), *sent(T), Input(T + 900, PAGE, EMAIL), *sent(T + 3_000), *sent(T + 6_000)]
    whole, cut = Player().play(tape).finish(), Player()
    for interaction in tape:
        cut.play([interaction]).resume()
    assert [each.count for each in cut.finish().of("form_error_loop")] == [3]
    assert cut.findings == whole.findings


class TestFieldsThatAPageFillsIn:
    """Frameworks set their fields when they make a form."""

    def test_that_is_no_typing(self) -> None:
        made = [Input(T, PAGE, field) for field in (EMAIL, NAME, PHONE)]
        away = [*click(T + 2_000, HOME), Navigation(T + 2_300, LIST, "load")]
        assert found("form_abandonment", [*made, *away]) == []

    @pytest.mark.parametrize("by_visitor", [True, None])
    def test_where_no_focus_is_known_keys_are_typed(self, *, by_visitor: bool | None) -> None:
        keys = [
            Input(T + at, PAGE, field, by_visitor) for field, at in ((EMAIL, 0), (NAME, 500)) for at in (at, at + 90)
        ]
        away = [*click(T + 2_000, HOME), Navigation(T + 2_300, LIST, "load")]
        assert [each.evidence["fields"] for each in found("form_abandonment", [*keys, *away])] == [2]

    def test_what_the_recorder_calls_a_scripts_doing_begins_no_form(self) -> None:
        focused = [each for each in [*typed(T, EMAIL), *typed(T + 600, NAME)] if not isinstance(each, Input)]
        changed = [Input(T + at, PAGE, field, by_visitor=False) for field, at in ((EMAIL, 90), (NAME, 700))]
        set_by_script = in_order(focused, changed)
        away = [*click(T + 2_000, HOME), Navigation(T + 2_300, LIST, "load")]
        assert found("form_abandonment", [*set_by_script, *away]) == []
