"""Rage clicks: the count, the two windows, the spread, what ends, voids and answers a burst."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.interactions import (
    Click,
    Input,
    Interaction,
    Navigation,
    Press,
    Release,
    RequestEnd,
    Visibility,
)
from detectors.rage_click import MAX_MEMBERS
from detectors.settings import RageClickSettings
from tests.detectors.tape import (
    BODY,
    BUTTON,
    FIELD,
    OTHER,
    PAGE,
    STATIC,
    Player,
    change,
    click,
    clicks,
    element,
    failure,
    in_order,
    mutation,
    rage,
)

BURST = (10_000, 10_250, 10_500, 10_750)


def answered(times: tuple[int, ...], delay: int = 1) -> list[Interaction]:
    return in_order(clicks(times), [mutation(t + delay) for t in times])


class TestWindow:
    def test_four_clicks_within_a_second_are_rage(self) -> None:
        (finding,) = rage(clicks(BURST))
        assert (finding.t, finding.end_t, finding.count) == (9_940, 10_750, 4)
        assert finding.page == PAGE
        assert finding.target is not None
        assert finding.target.selector == "div.actions > button#notify.btn"
        assert finding.evidence["span_ms"] == 750
        assert finding.evidence["window_ms"] == 1_000
        assert finding.evidence["click_times"] == list(BURST)

    def test_three_clicks_are_not(self) -> None:
        assert rage(clicks(BURST[:3])) == []

    @pytest.mark.parametrize(("last", "window"), [(10_999, 1_000), (11_000, 4_000), (13_999, 4_000), (14_000, None)])
    def test_unanswered_bursts_may_take_four_times_as_long(self, last: int, window: int | None) -> None:
        found = rage(clicks((10_000, 10_500, 10_900, last)))
        assert [finding.evidence["window_ms"] for finding in found] == ([] if window is None else [window])

    @pytest.mark.parametrize(("last", "expected"), [(10_999, 1), (11_000, 0)])
    def test_answered_clicks_leave_the_short_window(self, last: int, expected: int) -> None:
        tape = in_order(answered((9_200, 9_500)), clicks((10_000, 10_300, 10_600, last)))
        assert len(rage(tape)) == expected

    def test_the_window_slides(self) -> None:
        (finding,) = rage(in_order(answered((8_800, 9_000)), clicks((10_000, 10_900, 10_950, 11_000, 11_050), hold=20)))
        assert (finding.t, finding.end_t, finding.count) == (10_880, 11_050, 4)

    def test_a_slow_start_is_no_member_but_all_that_follows_is(self) -> None:
        (finding,) = rage(clicks((10_000, 11_900, 12_800, 14_100, 14_300, 14_500, 15_400)))
        assert (finding.t, finding.end_t, finding.count) == (11_840, 15_400, 6)

    def test_a_pause_longer_than_the_quiet_time_may_be_part_of_a_slow_burst(self) -> None:
        (finding,) = rage(clicks((10_000, 11_100, 12_100, 12_900)))
        assert (finding.t, finding.evidence["span_ms"]) == (9_940, 2_900)

    def test_an_answer_long_before_does_not_shorten_the_window(self) -> None:
        tape = in_order(answered((5_000,)), clicks((10_000, 10_400, 10_800, 11_200)))
        assert [finding.evidence["window_ms"] for finding in rage(tape)] == [4_000]

    def test_counts_and_windows_are_settings(self) -> None:
        settings = RageClickSettings(count=2, window_ms=100, unanswered_window_ms=100)
        assert len(rage(clicks((10_000, 10_099)), settings)) == 1
        assert rage(clicks((10_000, 10_100)), settings) == []


class TestClosing:
    def test_it_is_told_when_the_quiet_time_has_passed(self) -> None:
        player = Player().play(clicks(BURST))
        player.advance(11_749)
        assert player.of("rage_click") == []
        player.advance(11_750)
        assert len(player.of("rage_click")) == 1

    def test_a_click_as_the_quiet_time_ends_comes_too_late(self) -> None:
        assert [finding.count for finding in rage(clicks((*BURST, 11_749)))] == [5]
        assert [finding.count for finding in rage(clicks((*BURST, 11_750)))] == [4]

    def test_too_few_clicks_wait_for_nothing(self) -> None:
        player = Player().play(clicks(BURST[:3]))
        (detector,) = [detector for detector in player.detectors if detector.name == "rage_click"]
        assert detector.deadline is None
        player.play(click(BURST[3]))
        assert detector.deadline == BURST[3] + 1_000

    def test_silence_closes_a_burst(self) -> None:
        assert len(Player().play(clicks(BURST)).finish().of("rage_click")) == 1

    def test_two_bursts_are_two_signals(self) -> None:
        later = tuple(t + 5_000 for t in BURST)
        assert [finding.t for finding in rage(clicks((*BURST, *later)))] == [9_940, 14_940]

    @given(st.integers(4, 3 * MAX_MEMBERS))
    def test_a_burst_of_any_length_is_one_signal_with_all_its_clicks(self, length: int) -> None:
        times = range(10_000, 10_000 + 200 * length, 200)
        (finding,) = rage(clicks(times))
        assert (finding.t, finding.end_t, finding.count) == (9_940, times[-1], length)

    def test_a_long_use_of_a_working_button_is_none(self) -> None:
        assert rage(answered(tuple(range(10_000, 100_000, 200)))) == []

    def test_rage_after_a_long_use_of_the_same_button_is_found(self) -> None:
        tape = in_order(answered(tuple(range(10_000, 70_000, 200))), clicks(range(70_000, 71_600, 200)))
        assert [finding.count for finding in rage(tape)] == [8]


class TestHabits:
    def test_where_quick_clicks_are_answered_twice_as_many_unanswered_ones_are_needed(self) -> None:
        use = answered(tuple(range(10_000, 11_000, 200)))
        at_its_end = clicks(range(11_000, 11_000 + 7 * 140, 140))
        assert rage(in_order(use, at_its_end)) == []
        assert len(rage(in_order(use, at_its_end, click(11_000 + 7 * 140)))) == 1

    def test_the_habit_is_remembered_on_the_page_and_not_beyond(self) -> None:
        use, later = answered(tuple(range(10_000, 11_000, 200))), clicks(range(30_000, 30_800, 200))
        assert rage(in_order(use, later)) == []
        assert len(rage(in_order(use, [Navigation(20_000, PAGE, "load")], later))) == 1

    def test_other_controls_have_habits_of_their_own(self) -> None:
        use, other = answered(tuple(range(10_000, 11_000, 200))), clicks(range(30_000, 30_800, 200), OTHER)
        assert len(rage(in_order(use, other))) == 1

    def test_clicks_that_are_answered_one_by_one_are_no_habit(self) -> None:
        use, later = answered((10_000, 15_000, 20_000, 25_000, 30_000)), clicks(range(40_000, 40_800, 200))
        assert len(rage(in_order(use, later))) == 1

    def test_the_first_answer_does_not_shorten_the_window_of_the_clicks_before_it(self) -> None:
        impatient = clicks((10_000, 10_800, 11_600, 12_400, 13_200))
        assert len(rage(in_order(impatient, [mutation(13_201)]))) == 1


class TestPlace:
    @pytest.mark.parametrize("axis", ["x", "y"])
    @pytest.mark.parametrize(("distance", "expected"), [(50, 1), (50.5, 0)])
    def test_the_spread_is_measured_on_each_axis(self, axis: str, distance: float, expected: int) -> None:
        far = {axis: {"x": 100.0, "y": 200.0}[axis] + distance}
        tape = [*clicks(BURST[:3]), *click(BURST[3], **far)]  # type: ignore[arg-type]
        assert len(rage(tape)) == expected

    def test_a_diagonal_of_fifty_by_fifty_is_near(self) -> None:
        assert len(rage([*clicks(BURST[:3]), *click(BURST[3], x=150, y=250)])) == 1

    def test_the_spread_is_one_of_the_page_not_of_the_viewport(self) -> None:
        tape: list[Interaction] = []
        for number, t in enumerate(BURST):
            place = (PAGE, BUTTON, 100.0, 200.0, 100.0, 200.0 + 60 * number)
            tape += [Press(t, *place), Click(t, *place, press_t=t)]
        assert rage(tape) == []

    def test_clicks_that_are_too_far_drop_out_one_by_one(self) -> None:
        steps = zip((9_800, 10_000, 10_200, 10_400, 10_600), (40, 80, 120, 121, 122), strict=True)
        (finding,) = rage([part for t, x in steps for part in click(t, x=x)] + click(10_700, x=123))
        assert (finding.t, finding.count) == (9_940, 5)

    def test_a_finished_burst_is_judged_when_the_pointer_moves_on(self) -> None:
        tape = [*clicks(BURST), *[part for t in (11_000, 11_200) for part in click(t, x=400)]]
        assert [finding.count for finding in rage(tape)] == [4]


class TestTarget:
    def test_clicks_on_parts_of_a_button_are_clicks_on_the_button(self) -> None:
        icon, words = element("svg", 331, BUTTON), element("span", 332, BUTTON)
        path = element("path", 333, icon)
        targets = (BUTTON, path, words, icon)
        (finding,) = rage([part for t, target in zip(BURST, targets, strict=True) for part in click(t, target)])
        assert finding.target is not None
        assert finding.target.node_id == 330

    def test_clicks_on_different_buttons_are_no_burst(self) -> None:
        targets = (BUTTON, BUTTON, OTHER, BUTTON)
        assert rage([part for t, target in zip(BURST, targets, strict=True) for part in click(t, target)]) == []

    def test_a_click_elsewhere_ends_a_burst_and_does_not_undo_it(self) -> None:
        assert [finding.count for finding in rage([*clicks(BURST), *click(10_900, OTHER), *click(11_000)])] == [4]

    def test_a_button_that_was_replaced_is_still_the_same(self) -> None:
        buttons = [element("button", 500 + number, BODY, "Load more", _class="more") for number in range(4)]
        assert len(rage([part for t, target in zip(BURST, buttons, strict=True) for part in click(t, target)])) == 1

    def test_its_neighbours_in_a_row_are_not(self) -> None:
        buttons = [element("button", 500 + number, BODY, str(number), _class="page") for number in range(4)]
        assert rage([part for t, target in zip(BURST, buttons, strict=True) for part in click(t, target)]) == []

    def test_static_elements_can_be_raged_at(self) -> None:
        (finding,) = rage(clicks(BURST, STATIC))
        assert finding.target is not None
        assert finding.target.tag == "p"

    @pytest.mark.parametrize(
        "target",
        [FIELD, element("textarea", 1), element("select", 1), element("canvas", 1), element("video", 1)],
        ids=lambda target: target.tag,
    )
    def test_what_answers_out_of_sight_cannot(self, target: object) -> None:
        assert rage(clicks(BURST, target)) == []  # type: ignore[arg-type]

    def test_presses_on_a_disabled_button_count_as_clicks(self) -> None:
        locked = element("button", 400, BODY, "Pay", disabled="")
        presses: list[Interaction] = []
        for t in BURST:
            presses += [Press(t, PAGE, locked), Release(t + 80, PAGE, locked)]
        (finding,) = rage(presses)
        assert (finding.t, finding.end_t, finding.count) == (10_000, 10_830, 4)

    def test_a_browser_that_sends_the_click_as_well_counts_once(self) -> None:
        locked = element("button", 400, BODY, "Pay", disabled="")
        assert rage(clicks(BURST[:3], locked)) == []
        assert [finding.count for finding in rage(clicks(BURST, locked))] == [4]

    def test_other_buttons_of_the_mouse_do_not_count(self) -> None:
        tape = [Click(t, PAGE, BUTTON, button=1, press_t=t) for t in BURST]
        assert rage([*tape, *[Click(t, PAGE, BUTTON, press_t=t, is_primary=False) for t in (20_000, 20_100)]]) == []

    def test_a_keyboard_that_repeats_is_a_burst_as_well(self) -> None:
        assert len(rage([Click(t, PAGE, BUTTON, press_t=t) for t in BURST])) == 1


class TestAnswers:
    @pytest.mark.parametrize("delay", [0, 1, 100, 249])
    def test_a_page_that_answers_each_click_is_used_not_hated(self, delay: int) -> None:
        times = tuple(range(10_000, 12_500, 310))
        assert rage(answered(times, delay)) == []

    def test_an_answer_with_the_press_counts_as_well(self) -> None:
        assert rage(answered(tuple(range(10_000, 12_500, 310)), -60)) == []

    def test_input_events_are_answers(self) -> None:
        times = range(10_000, 12_000, 250)
        assert rage(in_order(clicks(times), [Input(t, PAGE, FIELD) for t in times])) == []

    def test_three_unanswered_clicks_between_answers_are_too_few(self) -> None:
        times = tuple(range(10_000, 12_000, 250))
        answers = [mutation(t + 1) for number, t in enumerate(times) if number % 4 == 3]
        assert rage(in_order(clicks(times), answers)) == []

    def test_four_are_enough(self) -> None:
        times = tuple(range(10_000, 12_500, 240))
        answers = [mutation(times[4] + 1)]
        (finding,) = rage(in_order(clicks(times), answers))
        assert (finding.t, finding.end_t, finding.count) == (9_940, times[3], 4)

    @pytest.mark.parametrize("delay", [1, 999])
    def test_the_last_click_may_be_answered_within_the_quiet_time(self, delay: int) -> None:
        assert rage(in_order(clicks(BURST), [mutation(BURST[3] + delay)])) == []

    def test_what_comes_when_the_burst_is_closed_answers_nothing(self) -> None:
        assert len(rage(in_order(clicks(BURST), [mutation(BURST[3] + 1_000)]))) == 1

    def test_an_answer_in_the_millisecond_of_the_next_press_goes_by_stream_order(self) -> None:
        times = (10_000, 10_250, 10_500, 10_750, 11_000)
        before = in_order([mutation(10_690)], clicks(times))
        after = in_order(clicks(times), [mutation(10_690)])
        assert rage(before[:-3]) == rage(after[:-3]) == []
        assert rage(before) == []  # it answers the third click, late, and the quick one before
        (finding,) = rage(after)
        assert finding.evidence["click_times"] == [10_000, 10_250, 10_500, 11_000]

    def test_one_answer_does_not_make_a_control_work_but_two_do(self) -> None:
        times = (10_000, 10_250, 10_500, 10_750, 11_000, 11_250)
        (finding,) = rage(in_order(clicks(times), [mutation(10_501)]))
        assert finding.count == 5
        assert rage(in_order(clicks(times), [mutation(10_501), mutation(11_001)])) == []

    def test_errors_and_failed_requests_are_no_answers(self) -> None:
        trouble: list[Interaction] = [failure(t + 1) for t in BURST]
        trouble += [failure(t + 2, "console_error") for t in BURST]
        trouble += [RequestEnd(t + 150, PAGE, t + 5, "/api", "", 500, failed=True) for t in BURST]
        assert len(rage(in_order(clicks(BURST), trouble))) == 1

    def test_a_request_that_succeeds_answers_the_click_that_sent_it(self) -> None:
        ends: list[Interaction] = [RequestEnd(t + 600, PAGE, t + 5, "/api", "", 200) for t in BURST]
        assert rage(in_order(clicks(BURST), ends)) == []

    def test_a_request_from_before_the_burst_answers_nothing(self) -> None:
        assert len(rage(in_order(clicks(BURST), [RequestEnd(10_600, PAGE, 9_000, "/api", "", 200)]))) == 1

    def test_a_slow_answer_after_the_burst_does_not_undo_it(self) -> None:
        tape = in_order(clicks((10_000, 10_400, 10_900, 11_300, 11_700)), [mutation(14_000)])
        assert [finding.count for finding in rage(tape)] == [5]

    def test_leaving_the_tab_answers_the_last_click(self) -> None:
        assert rage(in_order(clicks(BURST), [Visibility(10_800, PAGE, hidden=True)])) == []


class TestRipples:
    def ripple(self, times: tuple[int, ...], life: int) -> list[Interaction]:
        tape: list[Interaction] = []
        for number, t in enumerate(times):
            node = 765 + number
            tape.append(mutation(t - 55, change("add", node, 330, 329, 3, name="span")))
            tape.append(mutation(t - 55 + life, change("remove", node, 330, 329, 3, name="span")))
        return tape

    @pytest.mark.parametrize("life", [30, 200, 650, 900])
    def test_a_ripple_is_no_answer(self, life: int) -> None:
        assert [finding.count for finding in rage(in_order(clicks(BURST), self.ripple(BURST, life)))] == [4]

    def test_a_ripple_that_stays_is_one(self) -> None:
        assert rage(in_order(clicks(BURST), self.ripple(BURST, 5_000))) == []

    def test_a_class_that_is_changed_and_changed_back_is_none(self) -> None:
        marks = [mutation(t + d, change("attribute", 330, 329, 3, name="class")) for t in BURST for d in (-50, 40)]
        assert len(rage(in_order(clicks(BURST), marks))) == 1

    def test_a_class_that_is_toggled_by_each_click_is_one(self) -> None:
        marks = [mutation(t, change("attribute", 330, 329, 3, name="class")) for t in BURST]
        assert rage(in_order(clicks(BURST), marks)) == []

    def test_a_label_replaced_by_each_click_is_one(self) -> None:
        marks = []
        for number, t in enumerate(BURST):
            old = change("remove", 600 + number, 330, 329, 3, name="#text")
            new = change("add", 601 + number, 330, 329, 3, name="#text", text=True)
            marks.append(mutation(t, old, new))
        assert rage(in_order(clicks(BURST), marks)) == []

    def test_an_icon_swapped_by_each_click_is_one(self) -> None:
        times, marks = range(10_000, 12_000, 250), []
        for number, t in enumerate(times):
            old = change("remove", 600 + number, 330, 329, 3, name="svg")
            new = change("add", 601 + number, 330, 329, 3, name="svg")
            marks.append(mutation(t, old, new))
        assert rage(in_order(clicks(times), marks)) == []

    @pytest.mark.parametrize(("delay", "expected"), [(0, 0), (10, 0), (11, 1)])
    def test_a_mark_that_each_click_adds_or_takes_away_is_one(self, delay: int, expected: int) -> None:
        times, marks = range(10_000, 12_000, 250), []
        for number, t in enumerate(times):
            kind = "remove" if number % 2 else "add"
            marks.append(mutation(t + delay, change(kind, 600 + number // 2, 330, 329, 3, name="svg")))
        assert len(rage(in_order(clicks(times), marks))) == expected
