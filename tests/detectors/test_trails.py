"""Changes that are told afterwards: clocks, feeds, movements, hovering, messages that go, and answers like them."""

from itertools import accumulate, cycle, takewhile

import pytest

from detectors.answers import MAX_BORN, MAX_SUSPECTS
from detectors.interactions import Change, Interaction, MouseMove, Release
from detectors.trails import MAX_STEPS, MAX_TRAILS, Trails
from tests.detectors.tape import (
    BUTTON,
    LIST,
    PAGE,
    change,
    click,
    clicks,
    dead,
    found,
    in_order,
    loads,
    mutation,
    rage,
    request,
)

T = 20_000
CLOCK = change("text", 25, 24, 23, 3)
SLIDE = change("attribute", 56, 55, 3, name="style")
ARRIVAL = click(T - 2_500, hold=60)
"""A visitor who came here by a click has been here for a moment only: no rhythm is known."""


def at_times(change_: Change, *times: int) -> list[Interaction]:
    return [mutation(t, change_) for t in times]


def ticking(first: int, until: int = T + 6_000, every_ms: int = 1_000) -> list[Interaction]:
    return at_times(CLOCK, *range(first, until, every_ms))


def frames(begin: int, end: int) -> list[int]:
    """Make the times of an animation on a machine that has other work."""
    return list(takewhile(lambda t: t < end, accumulate(cycle((9, 16, 41, 33, 12, 70, 17)), initial=begin)))


def moved(t: int) -> list[Interaction]:
    return [MouseMove(t + 90, PAGE, tuple((at, at % 90, 50.0) for at in range(t - 400, t + 90, 50)))]


def dead_at(tape: list[Interaction]) -> list[int]:
    return [finding.end_t for finding in dead(tape)]


class TestClocks:
    @pytest.mark.parametrize("phase", [300, 600, 900])
    def test_a_clock_that_was_there_answers_nobody_who_has_just_come(self, phase: int) -> None:
        tape = in_order(ARRIVAL, [mutation(T - 2_495)], click(T), ticking(T - 2_500 + phase))
        assert dead_at(tape) == [T]

    def test_nor_in_a_burst_of_clicks(self) -> None:
        burst = clicks((T, T + 260, T + 540, T + 790, T + 1_080, T + 1_330))
        assert len(rage(in_order(ARRIVAL, [mutation(T - 2_495)], burst, ticking(T - 1_900)))) == 1

    def test_a_beat_in_the_handlers_time_is_one_still(self) -> None:
        tape = in_order(ARRIVAL, [mutation(T - 2_495)], click(T), ticking(T + 20 - 2_000))
        assert dead_at(tape) == [T]

    def test_what_turns_every_few_seconds_is_late_by_more(self) -> None:
        turns = at_times(CLOCK, T - 8_359, T - 4_137, T + 38, T + 4_238)
        assert dead_at(in_order(click(T - 9_000, hold=60), [mutation(T - 8_995)], click(T), turns)) == [T]

    @pytest.mark.parametrize(("delay", "expected"), [(400, [T]), (100, [])])
    def test_what_moved_by_itself_and_never_for_a_press_is_too_late_for_one(
        self, delay: int, expected: list[int]
    ) -> None:
        assert dead_at(in_order(at_times(CLOCK, T - 3_000), click(T), at_times(CLOCK, T + delay))) == expected

    def test_a_movement_is_what_it_was_when_it_began(self) -> None:
        turns = [at_times(SLIDE, *frames(begin, begin + 1_200)) for begin in (T - 8_300, T - 4_100, T + 100)]
        assert dead_at(in_order(*turns, click(T))) == [T]

    def test_after_a_pause_and_at_once_it_is_the_handlers(self) -> None:
        before, after = frames(T - 1_700, T - 150), frames(T + 8, T + 900)
        assert dead(in_order(at_times(SLIDE, *before), click(T), at_times(SLIDE, *after))) == []

    def test_a_clock_that_jumps_at_once_answers(self) -> None:
        tape = in_order(ARRIVAL, [mutation(T - 2_495)], click(T), at_times(CLOCK, T + 8), ticking(T - 1_700))
        assert dead(tape) == []

    def test_a_clock_that_the_click_starts_answers_it(self) -> None:
        assert dead(in_order(click(T), ticking(T + 1_000))) == []

    def test_a_slow_page_that_answers_each_click_is_no_clock(self) -> None:
        times = (T, T + 500, T + 1_010, T + 1_520, T + 2_010)
        answers = at_times(CLOCK, *(t + 120 for t in times))
        assert dead(in_order(clicks(times), answers)) == []
        assert rage(in_order(clicks(times), answers)) == []

    def test_nor_is_one_with_other_delays(self) -> None:
        times = (T, T + 520, T + 1_010, T + 1_540)
        answers = at_times(CLOCK, *(t + delay for t, delay in zip(times, (90, 190, 100, 170), strict=True)))
        assert rage(in_order(clicks(times), answers)) == []

    def test_requests_that_are_repeated_answer_nobody(self) -> None:
        polls = [request(t + 60, t, url="https://shop.example/live") for t in range(T - 3_600, T + 6_000, 2_000)]
        assert dead_at(in_order(click(T - 4_000), [mutation(T - 3_995)], click(T), polls)) == [T]

    def test_a_request_of_ones_own_answers(self) -> None:
        assert dead(in_order(click(T), [request(T + 400, T + 70, url="https://shop.example/live")])) == []


class TestFeeds:
    FEED = (T - 4_700, T - 2_300, T + 600, T + 2_700)

    def test_messages_that_keep_coming_answer_nobody(self) -> None:
        feed = [mutation(t, change("add", t, 70, 3, name="p"), change("add", t + 1, t, 70, 3, name="#text", text=True))
                for t in self.FEED]  # fmt: skip
        assert dead_at(in_order(click(T), feed)) == [T]

    def test_figures_beside_each_other_are_one_feed(self) -> None:
        figures = [mutation(t, change("text", 81 + 2 * number, 80 + 2 * number, 79, 3))
                   for number, t in enumerate(self.FEED)]  # fmt: skip
        assert dead_at(in_order(click(T), figures)) == [T]

    def test_a_message_at_once_answers(self) -> None:
        feed = [mutation(t, change("add", t, 70, 3, name="p")) for t in (*self.FEED, T + 9)]
        assert dead(in_order(click(T), feed)) == []

    def test_the_first_message_answers(self) -> None:
        feed = [mutation(t, change("add", t, 70, 3, name="p")) for t in (T + 600, T + 2_700)]
        assert dead(in_order(click(T), feed)) == []

    def test_what_keeps_coming_is_no_slow_answer(self) -> None:
        feed = [mutation(t, change("add", t, 70, 3, name="p"), change("add", t + 1, t, 70, 3, name="#text", text=True))
                for t in (T - 4_700, T - 2_300, T + 4_500)]  # fmt: skip
        assert found("slow_response", in_order(click(T), feed)) == []
        assert len(found("slow_response", in_order(click(T), feed[-1:]))) == 1


class TestMovements:
    def test_what_moves_all_the_time_answers_nobody(self) -> None:
        slide = change("attribute", 60, 59, 3, name="style")
        tape = in_order(ARRIVAL, [mutation(T - 2_495)], click(T), at_times(slide, *range(T - 2_400, T + 4_000, 97)))
        assert dead_at(tape) == [T]

    def test_what_a_click_sets_in_motion_answers_it_each_time(self) -> None:
        slide = change("attribute", 60, 59, 3, name="style")
        times = (T, T + 400, T + 800, T + 1_200, T + 1_600)
        frames = [frame for t in times for frame in at_times(slide, *range(t + 60, t + 360, 20))]
        assert rage(in_order(clicks(times), frames)) == []


class TestHovering:
    CARD = change("add", 900, 3, 2, name="div")
    TEXT = change("add", 901, 900, 3, 2, name="#text", text=True)

    def shown(self, came: int, went: int) -> list[Interaction]:
        return [mutation(came, self.CARD, self.TEXT), mutation(went, change("remove", 900, 3, 2, name="div"))]

    def test_what_comes_under_the_pointer_and_goes_is_no_answer(self) -> None:
        tape = in_order(click(T), self.shown(T + 800, T + 1_500), moved(T + 800), moved(T + 1_500))
        assert dead_at(tape) == [T]

    def test_what_stays_is_an_answer(self) -> None:
        assert dead(in_order(click(T), self.shown(T + 800, T + 2_900), moved(T + 800))) == []
        assert dead(in_order(click(T), self.shown(T + 800, T + 9_000), moved(T + 800))) == []

    def test_what_comes_while_the_pointer_rests_is_an_answer(self) -> None:
        assert dead(in_order(click(T), self.shown(T + 1_500, T + 2_500), moved(T + 300))) == []

    def test_what_comes_at_once_is_an_answer(self) -> None:
        assert dead(in_order(click(T), self.shown(T + 20, T + 900), moved(T + 20), moved(T + 900))) == []

    def test_a_tooltip_that_the_press_takes_away_is_no_answer(self) -> None:
        gone = mutation(T - 55, change("remove", 900, 3, 2, name="div"))
        press, release, clicked = click(T)
        assert dead_at([*self.shown(T - 400, T)[:1], press, gone, release, clicked]) == [T]

    def test_a_menu_that_a_press_opened_and_the_next_closes_answers_both(self) -> None:
        gone = mutation(T - 55, change("remove", 900, 3, 2, name="div"))
        press, release, clicked = click(T)
        opened = [*click(T - 1_500), mutation(T - 1_495, self.CARD, self.TEXT)]
        assert dead([*opened, press, gone, release, clicked]) == []


class TestMessages:
    def toast(self, came: int, went: int) -> list[Interaction]:
        here = change("add", 950, 60, 3, name="div", text=True)
        return [mutation(came, here), mutation(went, change("remove", 950, 60, 3, name="div"))]

    def test_a_message_that_goes_is_no_answer_to_a_later_click(self) -> None:
        tape = in_order(click(T - 1_200), click(T, x=600), self.toast(T - 1_195, T + 1_300))
        assert dead_at(tape) == [T]

    def test_what_the_click_takes_away_is(self) -> None:
        assert dead(in_order(click(T - 1_200), click(T), self.toast(T - 1_195, T + 5))) == []

    def test_and_what_was_there_for_long(self) -> None:
        assert dead(in_order(click(T), self.toast(T - 15_000, T + 1_300))) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [("track", 1), ("v1/collect", 1), ("g/collect?v=2", 1), ("beacon.gif", 1), ("tracks", 0), ("collections/7", 0)],
)
def test_measuring_requests_answer_nobody(path: str, expected: int) -> None:
    url = f"https://shop.example/{path}"
    assert len(dead(in_order(click(T), [request(T + 90, T + 2, url=url)]))) == expected
    failed = in_order(click(T), [request(T + 90, T + 2, 0, url)])
    assert len(found("network_error", failed)) == 1 - expected


@pytest.mark.parametrize("url", ["https://track.io/api/order", "https://shop.example/search?back=/track/"])
def test_only_the_path_says_that_a_request_measures(url: str) -> None:
    assert dead(in_order(click(T), [request(T + 90, T + 2, url=url)])) == []


def test_more_suspects_than_are_held_are_an_answer() -> None:
    burst = [mutation(T + 100 + 30 * number, change("text", 500 + 10 * number, 501 + 10 * number, 3))
             for number in range(MAX_SUSPECTS + 1)]  # fmt: skip
    assert dead(in_order(click(T), burst)) == []


def test_a_new_page_has_no_trails() -> None:
    tape = in_order(ticking(T - 8_300, T - 2_000), loads((T - 1_000, LIST)), click(T), at_times(CLOCK, T + 700))
    assert dead(tape) == []


def test_trails_are_bounded() -> None:
    trails = Trails()
    for number in range(3 * MAX_TRAILS):
        for step in range(3 * MAX_STEPS):
            trails.note(("near", number), T + 300 * step, 0)
    assert len(trails.places) == MAX_TRAILS
    assert all(len(trail.steps) <= MAX_STEPS for trail in trails.places.values())


def test_only_the_latest_elements_are_remembered() -> None:
    toasts = [mutation(T - 500, change("add", 2_000 + number, 60, 3, name="div")) for number in range(MAX_BORN + 1)]
    gone = [mutation(T + 120, change("remove", 2_000, 60, 3, name="div"))]
    assert dead(in_order(toasts, click(T), gone)) == []
    assert dead_at(in_order(toasts[:-1], click(T), gone)) == [T]


def test_presses_on_disabled_controls_have_suspects_too() -> None:
    disabled = BUTTON.parent and type(BUTTON)(331, "button", {"disabled": ""}, BUTTON.parent)
    presses = [made for made in clicks((T, T + 300, T + 610, T + 900, T + 1_180), disabled)
               if type(made).__name__ in {"Press", "Release"}]  # fmt: skip
    assert any(isinstance(made, Release) for made in presses)
    assert len(rage(in_order(ARRIVAL, [mutation(T - 2_495)], presses, ticking(T - 1_900)))) == 1
