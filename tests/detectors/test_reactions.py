"""What answers a press, asked directly."""

import pytest

from detectors.aim import Aims
from detectors.answers import MAX_RIPPLES
from detectors.background import KEPT_PLACES
from detectors.interactions import Click, ElementFocus, MouseMove, Navigation, Press, RequestEnd, StyleChange
from detectors.presses import MAX_TOGGLES
from detectors.reactions import MAX_PRESSES, Reactions
from tests.detectors.tape import BODY, BUTTON, EMAIL, PAGE, change, click, element, mutation

T = 10_000


class Watch:
    """A watcher that is fed directly."""

    def __init__(self) -> None:
        self.reactions = Reactions(3_000, Aims())
        self._handlers = self.reactions.handlers()

    def feed(self, *interactions: object) -> "Watch":
        for interaction in interactions:
            if type(interaction) in self._handlers:
                self._handlers[type(interaction)](interaction)
        return self


def test_presses_are_numbered_from_zero() -> None:
    watch = Watch()
    assert watch.reactions.current == -1
    watch.feed(*click(T), *click(T + 100))
    assert watch.reactions.current == 1
    assert [watch.reactions.press_t(number) for number in (0, 1)] == [T - 60, T + 40]


def test_a_click_without_a_press_is_a_press_of_its_own() -> None:
    watch = Watch().feed(Press(T - 5_000, PAGE, BUTTON, button=2), Click(T, PAGE, BUTTON, press_t=T))
    assert watch.reactions.current == 1
    assert watch.reactions.press_t(1) == T


def test_a_second_click_of_one_press_stands_for_itself() -> None:
    watch = Watch().feed(*click(T), Click(T + 400, PAGE, BUTTON, press_t=T - 60))
    assert watch.reactions.press_t(1) == T + 400


def test_an_answer_belongs_to_the_latest_press_only() -> None:
    watch = Watch().feed(*click(T), *click(T + 200), mutation(T + 201), *click(T + 400))
    assert [watch.reactions.answered(number) for number in (0, 1, 2)] == [False, True, False]
    assert [watch.reactions.alive_since(number) for number in (0, 1, 2)] == [True, True, False]


def test_a_request_belongs_to_the_press_before_its_start() -> None:
    watch = Watch().feed(*click(T), *click(T + 200), *click(T + 400))
    watch.feed(RequestEnd(T + 500, PAGE, T + 250, "/api?page=2", "", 200))
    assert [watch.reactions.answered(number) for number in (0, 1, 2)] == [False, True, False]


def test_a_request_that_is_repeated_by_itself_answers_nothing() -> None:
    watch = Watch()
    for start in range(T, T + 20_000, 2_000):
        watch.feed(RequestEnd(start + 90, PAGE, start, f"/poll?since={start}", "", 200))
    watch.feed(*click(T + 21_500), RequestEnd(T + 22_090, PAGE, T + 22_000, "/poll?since=x", "", 200))
    assert not watch.reactions.answered(0)
    watch.feed(RequestEnd(T + 22_800, PAGE, T + 22_700, "/save", "", 200))
    assert watch.reactions.answered(0)


def test_a_press_that_was_forgotten_counts_as_answered() -> None:
    watch = Watch()
    for number in range(MAX_PRESSES + 5):
        watch.feed(Press(T + number, PAGE, BUTTON))
    assert watch.reactions.answered(4)
    assert not watch.reactions.answered(5)
    assert watch.reactions.alive_since(4)


def test_old_presses_are_forgotten() -> None:
    watch = Watch().feed(*click(T), *click(T + 40_000))
    assert watch.reactions.answered(0)
    assert not watch.reactions.answered(1)


def test_what_comes_after_the_longest_wait_answers_nothing() -> None:
    assert Watch().feed(*click(T), mutation(T + 2_999)).reactions.answered(0)
    assert not Watch().feed(*click(T), mutation(T + 3_000)).reactions.answered(0)


def test_a_new_page_starts_with_fresh_knowledge() -> None:
    watch = Watch()
    for t in range(T, T + 10_000, 1_000):
        watch.feed(mutation(t, change("text", 25, 24, 3)))
    watch.feed(Navigation(T + 10_100, PAGE, "load"), *click(T + 10_900))
    watch.feed(mutation(T + 11_000, change("text", 25, 24, 3)))
    assert watch.reactions.answered(0)


def test_the_press_that_left_a_page_explains_nothing_on_the_next() -> None:
    watch = Watch().feed(*click(T), Navigation(T + 300, PAGE, "load"))
    for t in (T + 600, T + 1_600, T + 2_600):
        watch.feed(mutation(t, change("text", 25, 24, 3)))
    watch.feed(*click(T + 3_500), mutation(T + 3_600, change("text", 25, 24, 3)))
    assert not watch.reactions.answered(1)


class TestRipplesInAShell:
    """Components bring an empty shell into the pressed control at the first press, and play all ripples in it."""

    def press(self, watch: Watch, t: int, ripple: int) -> None:
        watch.feed(Press(t - 60, PAGE, BUTTON))
        if ripple == 701:
            watch.feed(mutation(t - 59, change("add", 700, 330, 329, name="span")))
        added = (
            change("add", ripple, 700, 330, 329, name="span"),
            change("add", ripple + 50, ripple, 700, 330, name="i"),
        )
        watch.feed(mutation(t - 58, *added), Click(t, PAGE, BUTTON, press_t=t - 60))
        watch.feed(mutation(t + 1, change("attribute", ripple + 50, ripple, 700, 330, name="class")))

    def test_what_is_left_is_no_answer(self) -> None:
        watch = Watch()
        self.press(watch, T, 701)
        assert watch.reactions.answered(0)
        watch.feed(mutation(T + 550, change("remove", 701, 700, 330, 329, name="span")))
        assert not watch.reactions.answered(0)

    def test_quick_presses_share_it(self) -> None:
        watch = Watch()
        for ripple, t in ((701, T), (702, T + 200)):
            self.press(watch, t, ripple)
        for ripple, t in ((701, T + 550), (702, T + 750)):
            assert watch.reactions.answered(0)
            watch.feed(mutation(t, change("remove", ripple, 700, 330, 329, name="span")))
        assert [watch.reactions.answered(number) for number in (0, 1)] == [False, False]

    def test_what_stays_in_it_is_an_answer(self) -> None:
        watch = Watch()
        self.press(watch, T, 701)
        watch.feed(mutation(T + 2, change("add", 720, 700, 330, 329, name="svg")))
        watch.feed(mutation(T + 550, change("remove", 701, 700, 330, 329, name="span")))
        assert watch.reactions.answered(0)


def test_rules_that_components_bring_are_no_answer() -> None:
    assert not Watch().feed(*click(T), StyleChange(T + 2, PAGE, only_prepares=True)).reactions.answered(0)
    assert Watch().feed(*click(T), StyleChange(T + 2, PAGE)).reactions.answered(0)


def test_the_next_stop_of_the_tab_key_is_no_answer() -> None:
    watch = Watch().feed(*click(T), mutation(T + 1, change("attribute", 340, 329, name="tabindex")))
    assert not watch.reactions.answered(0)


def test_ripples_of_a_checkbox_play_around_it() -> None:
    box = element("input", 350, element("span", 349, BODY), type="checkbox")
    around = change("add", 700, 349, 3, name="span"), change("remove", 700, 349, 3, name="span")
    watch = Watch().feed(*click(T, box), mutation(T + 1, around[0]))
    assert watch.reactions.answered(0)
    assert not watch.feed(mutation(T + 500, around[1])).reactions.answered(0)


class TestRefusals:
    """What a page shows right after a failed request tells of the failure."""

    TOAST = change("add", 800, 3, name="li", text=True)

    @pytest.mark.parametrize(
        ("status", "start_t", "shown", "answered"),
        [
            (500, T + 5, 205, False),
            (0, T + 5, 300, False),
            (500, T + 5, 301, True),
            (401, T + 5, 205, True),
            (500, T - 900, 205, True),
        ],
    )
    def test_are_no_answers_but_life(self, status: int, start_t: int, shown: int, answered: bool) -> None:  # noqa: FBT001
        watch = Watch().feed(*click(T), RequestEnd(T + 200, PAGE, start_t, "/api", "", status, failed=True))
        watch.feed(mutation(T + shown, self.TOAST))
        assert watch.reactions.answered(0) is answered
        assert watch.reactions.alive_since(0)


class TestLimits:
    @pytest.mark.parametrize(("extra", "answered"), [(0, False), (1, True)])
    def test_too_many_added_elements_are_no_ripple(self, extra: int, answered: bool) -> None:  # noqa: FBT001
        watch = Watch().feed(*click(T))
        nodes = range(1_000, 1_000 + MAX_RIPPLES + extra)
        for node in nodes:
            watch.feed(mutation(T + 1, change("add", node, 330, 329, name="i")))
        for node in nodes:
            watch.feed(mutation(T + 500, change("remove", node, 330, 329, name="i")))
        assert watch.reactions.answered(0) is answered

    @pytest.mark.parametrize(("extra", "answered"), [(0, False), (1, True)])
    def test_too_many_changed_attributes_are_no_ripple(self, extra: int, answered: bool) -> None:  # noqa: FBT001
        watch = Watch().feed(*click(T))
        for t in (T + 1, T + 200):
            for number in range(MAX_TOGGLES + extra):
                watch.feed(mutation(t, change("attribute", 330, 329, name=f"data-{number}")))
        assert watch.reactions.answered(0) is answered

    def test_a_mutation_that_was_cut_short_is_no_ripple(self) -> None:
        ripple = change("attribute", 330, 329, name="class")
        watch = Watch().feed(*click(T), mutation(T + 1, ripple, total=40), mutation(T + 9, ripple, total=1))
        assert watch.reactions.answered(0)

    def test_a_cut_mutation_of_a_restless_place_is_still_background(self) -> None:
        watch = Watch()
        table = tuple(change("text", node, 24, 3) for node in range(16))
        for t in range(T, T + 10_000, 1_000):
            watch.feed(mutation(t, *table[:8], total=100))
        watch.feed(*click(T + 9_700), mutation(T + 10_000, *table[:8], total=100))
        assert not watch.reactions.answered(0)

    def test_the_places_that_were_still_the_longest_are_forgotten(self) -> None:
        watch = Watch()
        for t in range(T, T + 10_000, 1_000):
            watch.feed(mutation(t, change("text", 25, 24, 3)))
            for number in range(KEPT_PLACES // 2):
                watch.feed(mutation(t, change("text", 1_000 + t + number, 900, 3)))
        watch.feed(*click(T + 9_700), mutation(T + 10_000, change("text", 25, 24, 3)))
        assert not watch.reactions.answered(0)


def moved(t: int, *at: int) -> MouseMove:
    return MouseMove(t, PAGE, tuple((moment, 10.0 + moment % 7, 20.0) for moment in at))


def test_what_lights_up_under_the_moving_pointer_is_no_answer() -> None:
    row, left = change("attribute", 501, 500, 3, name="class"), change("attribute", 330, 329, 3, name="class")
    watch = Watch().feed(*click(T), mutation(T + 700, row), mutation(T + 760, row, left))
    assert watch.reactions.answered(0)
    watch.feed(moved(T + 1_000, T + 650, T + 700, T + 750))
    assert not watch.reactions.answered(0)
    assert not Watch().feed(*click(T), mutation(T + 700, row), moved(T + 1_000, T + 700)).reactions.answered(0)


@pytest.mark.parametrize("delay", [5, 150])
def test_looks_that_change_at_once_are_an_answer_whatever_the_pointer_does(delay: int) -> None:
    tab = change("attribute", 501, 500, 3, name="class")
    assert Watch().feed(*click(T), mutation(T + delay, tab), moved(T + 400, T + delay)).reactions.answered(0)


def test_looks_that_change_while_the_pointer_rests_are_an_answer() -> None:
    banner = change("attribute", 501, 500, 3, name="class")
    assert Watch().feed(*click(T), mutation(T + 700, banner), moved(T + 1_400, T + 1_300)).reactions.answered(0)


def test_a_pressed_look_and_marks_of_the_focus_are_no_answer() -> None:
    press, release, clicked = click(T)
    pressed = change("attribute", 330, 329, 3, name="class")
    focus = change("attribute", 330, 329, 3, name="data-focus-visible")
    assert not Watch().feed(press, mutation(T - 40, pressed, focus), release, clicked).reactions.answered(0)
    back = Watch().feed(press, mutation(T - 40, pressed), release, clicked, mutation(T + 30, pressed))
    assert not back.reactions.answered(0)
    assert Watch().feed(press, release, clicked, mutation(T + 30, pressed)).reactions.answered(0)


def test_what_a_field_says_when_it_is_left_is_no_answer_to_the_click_elsewhere() -> None:
    press, release, clicked = click(T)
    complaint = change("add", 700, 405, 400, 3, name="p", text=True)
    went = [*click(T - 5_000, EMAIL), ElementFocus(T - 5_000, PAGE, EMAIL)]
    assert not Watch().feed(*went, press, mutation(T - 50, complaint), release, clicked).reactions.answered(1)
    assert Watch().feed(*went, press, release, clicked, mutation(T + 1, complaint)).reactions.answered(1)
    assert Watch().feed(press, mutation(T - 50, complaint), release, clicked).reactions.answered(0)


def test_a_page_that_waits_for_a_pause_answers_all_quick_clicks_before_it() -> None:
    watch = Watch().feed(*click(T), *click(T + 200), *click(T + 400), mutation(T + 700))
    assert [watch.reactions.answered(number) for number in (0, 1, 2)] == [False, False, True]
    watch = Watch().feed(*click(T), *click(T + 200), *click(T + 400), mutation(T + 560))
    assert [watch.reactions.answered(number) for number in (0, 1, 2)] == [False, True, True]
