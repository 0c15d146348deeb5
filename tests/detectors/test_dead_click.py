"""Dead clicks: what answers, for how long, and what is never reported."""

from collections.abc import Callable

import pytest

from detectors.dead_click import MAX_PENDING
from detectors.interactions import (
    CanvasChange,
    Change,
    Click,
    ElementFocus,
    Input,
    Interaction,
    Media,
    Navigation,
    PageExit,
    RequestEnd,
    RequestStart,
    Scroll,
    Selection,
    StyleChange,
    Visibility,
    WindowFocus,
    WindowOpen,
)
from detectors.settings import DeadClickSettings, DetectorSettings
from tests.detectors.tape import (
    BODY,
    BUTTON,
    DOCUMENT,
    FIELD,
    OTHER,
    PAGE,
    SEND,
    STATIC,
    Player,
    change,
    click,
    clicks,
    dead,
    element,
    failure,
    found,
    in_order,
    mutation,
)

T = 10_000
REACTIONS: dict[str, Callable[[int], Interaction]] = {
    "node": mutation,
    "attribute": lambda t: mutation(t, change("attribute", 700, 3, name="open")),
    "text": lambda t: mutation(t, change("text", 700, 3)),
    "style": lambda t: StyleChange(t, PAGE),
    "canvas": lambda t: CanvasChange(t, PAGE, None),
    "media": lambda t: Media(t, PAGE, None),
    "scroll": lambda t: Scroll(t, PAGE, DOCUMENT, 0, 40),
    "scroll of a part": lambda t: Scroll(t, PAGE, STATIC, 0, 40),
    "selection": lambda t: Selection(t, PAGE, STATIC, collapsed=False),
    "input": lambda t: Input(t, PAGE, FIELD),
    "input of a detached field": lambda t: Input(t, PAGE, None),
    "request": lambda t: RequestEnd(t, PAGE, T + 1, "/api", "", 204),
    "push": lambda t: Navigation(t, PAGE, "push"),
    "hash": lambda t: Navigation(t, PAGE, "hash"),
    "load": lambda t: Navigation(t, PAGE, "load"),
    "window": lambda t: WindowOpen(t, PAGE),
    "tab": lambda t: Visibility(t, PAGE, hidden=True),
    "blur": lambda t: WindowFocus(t, PAGE, gained=False),
    "focus of a field": lambda t: ElementFocus(t, PAGE, FIELD),
    "exit": lambda t: PageExit(t, PAGE),
}
SILENCE: dict[str, Callable[[int], Interaction]] = {
    "console": lambda t: failure(t, "console_error"),
    "failed request": lambda t: RequestEnd(t, PAGE, T + 1, "/api", "", 503, failed=True),
    "request that began before": lambda t: RequestEnd(t, PAGE, T - 2_000, "/api", "", 200),
    "request without an end": lambda t: RequestStart(t, PAGE, "/api", "1"),
    "caret": lambda t: Selection(t, PAGE, STATIC, collapsed=True),
    "focus of the button": lambda t: ElementFocus(t, PAGE, BUTTON),
    "name of a field": lambda t: mutation(t, change("attribute", 700, 3, name="name")),
    "link to where one is": lambda t: Navigation(t, PAGE, "push", leads_nowhere=True),
    "focus lost": lambda t: ElementFocus(t, PAGE, FIELD, gained=False),
    "mark of a library": lambda t: mutation(
        t, change("attribute", 330, 329, 3, name="ant-click-animating-without-extra-node")
    ),
}


class TestWait:
    def test_a_click_that_nothing_answers_is_dead(self) -> None:
        (finding,) = dead(click(T))
        assert (finding.t, finding.end_t, finding.count, finding.page) == (T - 60, T, None, PAGE)
        assert finding.target is not None
        assert (finding.target.node_id, finding.target.text) == (330, "Notify me")
        assert finding.evidence == {"wait_ms": 3_000, "sign": "control"}

    def test_it_is_told_when_the_wait_is_over(self) -> None:
        player = Player().play(click(T))
        player.advance(T + 2_999)
        assert player.of("dead_click") == []
        player.advance(T + 3_000)
        assert len(player.of("dead_click")) == 1

    def test_a_recording_that_breaks_off_proves_nothing(self) -> None:
        assert Player().play(click(T)).finish().of("dead_click") == []

    def test_any_later_interaction_proves_that_it_lived_on(self) -> None:
        assert len(Player().play([*click(T), Input(T + 3_000, PAGE, FIELD)]).of("dead_click")) == 1

    @pytest.mark.parametrize("reaction", REACTIONS)
    @pytest.mark.parametrize("delay", [0, 1, 2_999])
    def test_reactions_within_the_wait_answer(self, reaction: str, delay: int) -> None:
        assert dead([*click(T), REACTIONS[reaction](T + delay)]) == []

    @pytest.mark.parametrize("reaction", sorted(set(REACTIONS) - {"request"}))
    def test_reactions_from_the_press_on_answer(self, reaction: str) -> None:
        press, release, made = click(T)
        assert dead([press, REACTIONS[reaction](T - 60), release, made]) == []

    @pytest.mark.parametrize("reaction", REACTIONS)
    def test_reactions_before_the_press_and_after_the_wait_do_not(self, reaction: str) -> None:
        early, late = REACTIONS[reaction](T - 60), REACTIONS[reaction](T + 3_000)
        assert len(dead([early, *click(T)])) == 1
        assert len(dead([*click(T), late])) == 1

    @pytest.mark.parametrize("what", SILENCE)
    def test_other_things_answer_nothing(self, what: str) -> None:
        assert len(dead([*click(T), SILENCE[what](T + 200)])) == 1

    def test_the_wait_is_a_setting(self) -> None:
        settings = DetectorSettings(dead_click=DeadClickSettings(wait_ms=10_000))
        assert found("dead_click", [*click(T), mutation(T + 9_999)], settings) == []
        assert len(found("dead_click", [*click(T), mutation(T + 10_000)], settings)) == 1


class TestErrors:
    """An uncaught error is blamed on the latest click, and what waits on that click's target is no riddle."""

    UNSEEN = (
        click(T + 200, STATIC),
        click(T + 200, FIELD),
        click(T + 200, None),
        click(T + 200, element("button", 500, BODY, data_wince_ignore="")),
        [Click(T + 200, PAGE, BUTTON, press_t=T + 200, modifiers=("ctrl",))],
    )

    @pytest.mark.parametrize("source", ["error", "unhandled_rejection"])
    @pytest.mark.parametrize(("delay", "expected"), [(0, 0), (1, 0), (2_999, 0), (3_000, 1)])
    def test_an_uncaught_error_within_the_wait_explains_it(self, source: str, delay: int, expected: int) -> None:
        assert len(dead([*click(T), failure(T + delay, source)])) == expected

    def test_an_error_before_the_click_explains_nothing(self) -> None:
        press, release, made = click(T)
        assert len(dead([press, failure(T - 30), release, made])) == 1

    def test_the_press_of_the_next_click_takes_no_blame(self) -> None:
        other = click(T + 500, OTHER, hold=100)
        tape = in_order(click(T), other, [failure(T + 450)])
        assert [finding.target and finding.target.node_id for finding in dead(tape)] == [340]

    def test_the_error_belongs_to_the_latest_click(self) -> None:
        tape = [*click(T), *click(T + 500, OTHER), failure(T + 501)]
        assert [finding.target and finding.target.node_id for finding in dead(tape)] == [330]

    @pytest.mark.parametrize("latest", UNSEEN)
    def test_whatever_that_click_was(self, latest: list[Interaction]) -> None:
        tape = [*click(T), *latest, failure(T + 201)]
        assert [finding.t for finding in dead(tape)] == [T - 60]

    def test_other_mouse_buttons_take_no_blame(self) -> None:
        middle = Click(T + 100, PAGE, OTHER, button=1, press_t=T + 100)
        pen = Click(T + 100, PAGE, OTHER, is_primary=False, press_t=T + 100)
        assert dead([*click(T), middle, pen, failure(T + 110)]) == []

    def test_one_error_explains_a_burst_on_its_target(self) -> None:
        assert dead([*clicks((T, T + 300, T + 600)), failure(T + 900)]) == []

    def test_what_nobody_waits_for_explains_nothing_later(self) -> None:
        tape = [*click(T), failure(T + 5), *click(T + 4_000)]
        assert [finding.t for finding in dead(tape)] == [T + 3_940]

    def test_the_deadline_goes_with_the_click(self) -> None:
        player = Player().play([*click(T), *click(T + 500, OTHER), failure(T + 501)])
        (detector,) = [detector for detector in player.detectors if detector.name == "dead_click"]
        assert detector.deadline == T + 3_000
        player.play([*click(T + 600), failure(T + 601)])
        assert detector.deadline is None

    def test_a_flood_of_clicks_is_held_and_cleared_like_few(self) -> None:
        player = Player().play(click(T, OTHER)).play(clicks(range(T + 1, T + 2 * MAX_PENDING), hold=0))
        player.play([failure(T + 2 * MAX_PENDING)]).advance(T + 9_000)
        assert {finding.target and finding.target.node_id for finding in player.of("dead_click")} == {330, 340}


class TestRipplesAndBackground:
    def test_a_ripple_is_no_answer(self) -> None:
        ripple = [
            mutation(T - 50, change("add", 765, 330, 329, 3, name="span"), change("add", 766, 765, 330, name="i")),
            mutation(T + 600, change("remove", 765, 330, 329, 3, name="span")),
        ]
        assert len(dead(in_order(click(T), ripple))) == 1

    def test_a_spinner_that_stays_is_one(self) -> None:
        assert dead([*click(T), mutation(T + 5, change("add", 765, 330, 329, 3, name="span"))]) == []

    def test_the_same_element_outside_the_button_is_one(self) -> None:
        menu = [
            mutation(T + 5, change("add", 765, 700, 3, name="div")),
            mutation(T + 800, change("remove", 765, 700, 3, name="div")),
        ]
        assert dead([*click(T), *menu]) == []

    def test_text_in_the_button_is_one_even_if_it_goes_again(self) -> None:
        copied = [
            mutation(T + 5, change("add", 765, 330, 329, 3, name="span", text=True)),
            mutation(T + 800, change("remove", 765, 330, 329, 3, name="span")),
        ]
        assert dead([*click(T), *copied]) == []

    def test_a_ticking_clock_is_no_answer(self) -> None:
        def tick(t: int) -> Interaction:
            return mutation(t, change("remove", t, 24, 3), change("add", t + 1, 24, 3, name="#text", text=True))

        tape = in_order(click(T), [tick(t) for t in range(4_300, 20_000, 1_000)])
        assert len(dead(tape)) == 1

    def test_a_carousel_that_turned_before_is_no_answer_when_it_turns_late(self) -> None:
        def turn(t: int, dot: int) -> Interaction:
            dots = [change("attribute", node, 415, 190, name="class") for node in (dot, dot + 1)]
            return mutation(t, change("attribute", 194, 190, 3, name="style"), *dots)

        tape = in_order(click(T), [turn(T - 1_300, 416), turn(T + 2_300, 417)])
        assert len(dead(tape)) == 1
        prompt = in_order(click(T), [turn(T - 1_300, 416), turn(T + 30, 417)])
        assert dead(prompt) == []


class TestBurst:
    def test_a_burst_on_one_target_is_told_once(self) -> None:
        (finding,) = dead(clicks((T, T + 300, T + 600, T + 900)))
        assert finding.t == T - 60

    def test_slow_clicks_on_and_on_are_one_burst(self) -> None:
        assert len(dead(clicks(range(T, T + 30_000, 2_900)))) == 1

    def test_coming_back_later_is_another(self) -> None:
        assert [finding.t for finding in dead(clicks((T, T + 3_000)))] == [T - 60, T + 2_940]

    def test_two_dead_targets_are_two_signals(self) -> None:
        found_dead = dead([*click(T), *click(T + 500, OTHER)])
        assert [finding.target and finding.target.node_id for finding in found_dead] == [330, 340]

    def test_a_click_that_was_answered_does_not_hide_the_next(self) -> None:
        tape = [*click(T), mutation(T + 1), *click(T + 2_000)]
        assert [finding.t for finding in dead(tape)] == [T + 1_940]

    def test_what_a_later_click_brings_answers_the_earlier_ones_as_well(self) -> None:
        assert dead([*click(T), *click(T + 2_000, OTHER), mutation(T + 2_001)]) == []


def test_a_click_with_a_modifier_key_is_meant_for_the_browser() -> None:
    assert dead([Click(T, PAGE, BUTTON, press_t=T, modifiers=("ctrl",))]) == []


def test_a_link_to_this_very_page_without_a_hash_reloads_it() -> None:
    assert dead(click(T, element("a", 500, BODY, href=PAGE))) == []


def test_more_clicks_than_are_held_are_not_judged() -> None:
    buttons = [element("button", 1_000 + number, BODY, f"Button {number}") for number in range(40)]
    tape = [part for number, button in enumerate(buttons) for part in click(T + number, button, hold=0)]
    assert len(dead(tape)) == 32


class TestNothingToSay:
    @pytest.mark.parametrize(
        "attributes",
        [
            {"aria_selected": "true"},
            {"aria_current": "page"},
            {"_class": "tab is-active"},
            {"_class": "nav__item--active"},
        ],
    )
    def test_what_is_chosen_already_changes_nothing(self, attributes: dict[str, str]) -> None:
        chosen = element("button", 500, BODY, "Details", role="tab", **attributes)
        assert dead(click(T, chosen)) == []
        assert len(dead(click(T, element("button", 500, BODY, "Details", role="tab")))) == 1

    def test_a_form_may_show_the_same_message_again(self) -> None:
        refused = [*click(T, SEND), mutation(T + 5)]
        again = [*click(T + 8_000, SEND), *click(T + 16_000, SEND)]
        assert dead([*refused, *again]) == []
        assert [finding.t for finding in dead(again)] == [T + 7_940, T + 15_940]
        assert len(dead([*refused, Navigation(T + 4_000, PAGE, "load"), *again])) == 2

    def test_other_buttons_owe_an_answer_each_time(self) -> None:
        assert len(dead([*click(T), mutation(T + 5), *click(T + 8_000)])) == 1


class TestReplaced:
    def test_a_control_that_is_rendered_anew_is_the_same_control(self) -> None:
        again = element("button", 9_330, BUTTON.parent, "Notify me", id="notify", _class="btn")
        assert len(dead([*click(T), *click(T + 400, again)])) == 1


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("Card_cta__x1Y2z", 1), ("productCta", 1), ("card__link--large", 1), ("MuiButton", 1), ("sc-bdVaJa kXyzA", 0),
        ("Button_row__9aB1c", 0), ("btn-group", 0), ("linked-list", 0),
    ],
)  # fmt: skip
def test_names_that_style_modules_make_are_read(names: str, expected: int) -> None:
    assert len(dead(click(T, element("div", 500, BODY, _class=names)))) == expected


class TestPreviews:
    """Stars that light up under the pointer: the click only keeps what is shown."""

    STAR = change("text", 335, 330, 329, 3)
    BESIDE = change("text", 345, 344, 329, 3)

    @pytest.mark.parametrize("shown", [STAR, BESIDE])
    @pytest.mark.parametrize(("before", "expected"), [(300, 0), (1_200, 1)])
    def test_a_text_that_changed_for_the_pointer_is_an_answer_before(
        self, shown: Change, before: int, expected: int
    ) -> None:
        assert len(dead(in_order([mutation(T - 60 - before, shown)], click(T)))) == expected

    def test_looks_are_not(self) -> None:
        assert len(dead([mutation(T - 300, change("attribute", 330, 329, 3, name="class")), *click(T)])) == 1

    def test_nor_is_a_clock(self) -> None:
        ticks = [mutation(t, self.BESIDE) for t in range(T - 5_300, T + 4_000, 1_000)]
        assert len(dead(in_order(ticks, click(T)))) == 1
