"""Clocks that were heard a few times only, and whose beats fall into a handler's time; and answers like them."""

from collections.abc import Sequence

import pytest

from detectors.answers import MAX_SUSPECTS
from detectors.interactions import Input, Interaction
from tests.detectors.tape import FIELD, PAGE, change, click, clicks, dead, in_order, mutation, rage

T = 20_000
FIGURE = change("text", 25, 24, 23, 22, 3)
ARRIVAL = [*click(T - 4_000, hold=60), mutation(T - 3_995)]


def beats(*times: int, every_ms: int = 750, until: int = T + 6_000) -> list[Interaction]:
    """Make a figure change at `times`, and then from the last of them on as often as it does."""
    rest = range(times[-1] + every_ms, until, every_ms)
    return [mutation(t, FIGURE) for t in (*times, *rest)]


def dead_at(*parts: Sequence[Interaction]) -> list[int]:
    return [finding.end_t for finding in dead(in_order(*parts))]


class TestInAHandlersTime:
    @pytest.mark.parametrize("every_ms", [450, 750, 1_100, 1_700])
    @pytest.mark.parametrize("delay", [3, 30, 48])
    def test_a_beat_on_time_is_no_answer(self, every_ms: int, delay: int) -> None:
        first = T + delay - 2 * every_ms
        assert dead_at(ARRIVAL, click(T), beats(first, every_ms=every_ms)) == [T]

    @pytest.mark.parametrize("early", [40, 120, 300])
    def test_a_change_off_the_beat_is(self, early: int) -> None:
        tape = beats(T + 20 - early - 1_500)
        assert dead_at(ARRIVAL, click(T, hold=5), tape, [mutation(T + 20, FIGURE)]) == []

    @pytest.mark.parametrize("apart", [-40, -20, 20, 40])
    def test_a_beat_and_an_answer_beside_it_are_an_answer(self, apart: int) -> None:
        tape = beats(T + 20 + apart - 1_500)
        assert dead_at(ARRIVAL, click(T, hold=5), tape, [mutation(T + 20, FIGURE)]) == []

    def test_what_a_click_starts_is_its_answer(self) -> None:
        assert dead_at(ARRIVAL, click(T), beats(T + 20)) == []

    def test_so_is_what_changes_elsewhere_too(self) -> None:
        elsewhere = change("attribute", 60, 59, 3, name="class")
        tape = [mutation(t, FIGURE) for t in (T - 1_480, T - 730, T + 770, T + 1_520)]
        assert dead_at(ARRIVAL, click(T), tape, [mutation(T + 20, FIGURE, elsewhere)]) == []

    def test_a_counter_that_is_raised_at_an_even_pace_answers(self) -> None:
        times = range(T, T + 4_000, 800)
        assert dead_at(ARRIVAL, clicks(times), [mutation(t + 8, FIGURE) for t in times]) == []

    def test_a_price_that_clicks_refresh_and_that_moves_by_itself_answers(self) -> None:
        times = (T, T + 400, T + 870, T + 1_290)
        answers = [mutation(t + 12, FIGURE) for t in times]
        assert rage(in_order(ARRIVAL, clicks(times), answers, beats(T - 1_900, every_ms=1_100))) == []

    def test_one_beat_does_not_excuse_a_burst(self) -> None:
        burst = clicks((T, T + 240, T + 480, T + 720))
        assert len(rage(in_order(ARRIVAL, burst, beats(T + 250 - 2_200, every_ms=1_100)))) == 1

    def test_nor_do_figures_at_many_places(self) -> None:
        row = tuple(change("text", 100 + n, 200 + n, 300 + n, 3) for n in range(8))
        tape = [mutation(t, *row) for t in range(T + 40 - 3_000, T + 6_000, 750)]
        assert len(row) * 4 > MAX_SUSPECTS
        assert dead_at(ARRIVAL, click(T), tape) == [T]


class TestTextsThatComeAndGo:
    """Frameworks take an empty text away and add it anew, as another node."""

    def dots(self, first: int) -> list[Interaction]:
        tape: list[Interaction] = []
        for number, t in enumerate(range(first, T + 6_000, 450)):
            node, step = 500 + number // 4, number % 4
            kind = ("add", "text", "text", "remove")[step]
            name = "" if kind == "text" else "#text"
            tape.append(mutation(t, change(kind, node, 217, 180, 3, name=name, text=kind != "remove")))
        return tape

    @pytest.mark.parametrize("phase", [5, 120, 240, 360])
    @pytest.mark.parametrize("before", [4, 5, 6, 7])
    def test_are_one_place(self, phase: int, before: int) -> None:
        assert dead_at(ARRIVAL, click(T), self.dots(T + phase - 450 * before)) == [T]

    def test_a_message_beside_them_answers(self) -> None:
        message = change("add", 900, 180, 3, name="p", text=True)
        assert dead_at(ARRIVAL, click(T), self.dots(T + 5 - 450 * 6), [mutation(T + 5, message)]) == []


class TestCarousels:
    """The moved track is the same each time; of the dots another one lights up."""

    def turn(self, t: int, number: int) -> Interaction:
        dots = (change("attribute", 70 + number, 69, 60, 3, name="class") for number in (number, number + 1))
        return mutation(t, change("attribute", 61, 60, 3, name="style"), *dots)

    def turns(self, *times: int) -> list[Interaction]:
        return [self.turn(t, number) for number, t in enumerate(times)]

    @pytest.mark.parametrize("delay", [20, 300, 1_400, 2_500])
    @pytest.mark.parametrize("every_ms", [3_000, 4_200, 7_000])
    def test_turns_at_equal_times_are_enough(self, delay: int, every_ms: int) -> None:
        at = T + delay
        came = click(at - 2 * every_ms - 700, hold=60)
        tape = self.turns(at - 2 * every_ms, at - every_ms - 1, at)
        assert dead_at(came, [mutation(came[-1].t + 4)], click(T), tape) == [T]

    def test_a_turn_at_another_time_answers(self) -> None:
        assert dead_at(click(T - 9_000), click(T), self.turns(T - 8_400, T - 4_500, T + 20)) == []

    def test_so_does_a_tab_in_a_row_that_never_moved(self) -> None:
        tab = change("attribute", 80, 79, 3, name="class")
        tape = self.turns(T - 8_380, T - 4_180, T + 20)
        assert dead_at(click(T - 9_000), click(T), tape, [mutation(T + 20, tab)]) == []

    @pytest.mark.parametrize(("delay", "expected"), [(2_400, [T]), (900, [])])
    def test_with_one_turn_before_only_a_late_one_is_its_own(self, delay: int, expected: list[int]) -> None:
        came = click(T - 2_400, hold=60)
        assert dead_at(came, [mutation(T - 2_396)], click(T), self.turns(T - 1_800, T + delay)) == expected

    def test_a_slow_page_that_takes_about_the_same_time_again_answers(self) -> None:
        came = click(T - 5_000, hold=60)
        assert dead_at(came, click(T), self.turns(T - 4_100, T + 1_250)) == []


class TestFramesOfFigures:
    """A price's class is set in some beats only, whenever the price within changes."""

    FRAME = change("attribute", 23, 22, 3, name="class")

    def test_keep_the_time_of_what_is_within(self) -> None:
        tape = [mutation(t, FIGURE, *((self.FRAME,) if n in {0, 3} else ()))
                for n, t in enumerate(range(T + 15 - 3_300, T + 6_000, 1_100))]  # fmt: skip
        assert dead_at(ARRIVAL, click(T), tape) == [T]

    def test_and_answer_by_themselves(self) -> None:
        tape = [*beats(T + 300 - 3_300, every_ms=1_100), mutation(T - 3_000, self.FRAME), mutation(T + 15, self.FRAME)]
        assert dead_at(ARRIVAL, click(T), tape) == []


def test_what_typing_does_is_no_beat() -> None:
    keys = range(T - 2_980, T, 750)
    typed = [Input(t - 20, PAGE, FIELD) for t in keys]
    tape = [mutation(t + 60, FIGURE) for t in (*keys, T + 20)]
    assert dead_at(ARRIVAL, typed, click(T), tape) == []
