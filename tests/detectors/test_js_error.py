"""JavaScript errors: grouping, counting, joining the two reports of one error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.interactions import Failure, Interaction, Navigation
from detectors.js_error import MAX_ERRORS
from detectors.protocol import Finding
from detectors.settings import DetectorSettings, JsErrorSettings
from tests.detectors.tape import PAGE, Player, click, failure, found

T = 10_000
FRAME = "buy@https://shop.example/app.js:34:75"


def errors(tape: list[Interaction]) -> list[Finding]:
    return found("js_error", tape)


def other(t: int, number: int = 1, source: str = "error") -> Failure:
    return failure(t, source, f"other {number}", f"f{number}@https://shop.example/b.js:1:1")


def test_an_error_is_told_with_what_it_was() -> None:
    (finding,) = errors([failure(T)])
    assert (finding.t, finding.end_t, finding.count, finding.target, finding.page) == (T, T, 1, None, PAGE)
    assert finding.evidence == {
        "fingerprint": finding.key,
        "error_type": "TypeError",
        "message": "x is undefined",
        "top_frame": FRAME,
        "sources": ["error"],
        "clicked": "",
        "click_delay_ms": None,
    }


def test_repetitions_are_one_signal() -> None:
    (finding,) = errors([failure(t) for t in range(T, T + 5_000, 900)])
    assert (finding.t, finding.end_t, finding.count) == (T, T + 4_500, 6)


@pytest.mark.parametrize(("gap", "expected"), [(999, [2]), (1_000, [1, 1])])
def test_the_quiet_time_parts_bursts(gap: int, expected: list[int]) -> None:
    assert [finding.count for finding in errors([failure(T), failure(T + gap)])] == expected


def test_the_quiet_time_is_a_setting() -> None:
    settings = DetectorSettings(js_error=JsErrorSettings(quiet_ms=10))
    assert len(found("js_error", [failure(T), failure(T + 10)], settings)) == 2


def test_it_is_told_when_it_has_been_quiet() -> None:
    player = Player().play([failure(T)])
    player.advance(T + 999)
    assert player.findings == []
    player.advance(T + 1_000)
    assert len(player.findings) == 1


def test_different_errors_are_different_signals() -> None:
    assert [finding.t for finding in errors([failure(T), other(T + 1), failure(T + 2)])] == [T + 1, T]


def test_the_same_place_is_the_same_error_whatever_it_says() -> None:
    assert [f.count for f in errors([failure(T), failure(T + 1, "error", "y is null")])] == [2]


class TestDoubleReport:
    @pytest.mark.parametrize("order", [("error", "console_error"), ("console_error", "error")])
    def test_event_and_console_are_one_error(self, order: tuple[str, str]) -> None:
        (finding,) = errors([failure(T + number, source) for number, source in enumerate(order)])
        assert finding.count == 1
        assert finding.evidence["sources"] == ["console_error", "error"]

    def test_five_of_each_are_five(self) -> None:
        tape: list[Interaction] = []
        for t in range(T, T + 1_000, 200):
            tape += [failure(t), failure(t + 1, "console_error")]
        assert [finding.count for finding in errors(tape)] == [5]

    @pytest.mark.parametrize("event_first", [True, False])
    def test_another_stack_on_the_console_is_joined_by_the_message(self, event_first: bool) -> None:  # noqa: FBT001
        event = failure(T, "unhandled_rejection", "Wishlist service refused: quota exceeded")
        line = Failure(
            T, PAGE, "console_error", "Error",
            "Uncaught (in promise) Error: Wishlist service refused: quota exceeded", ("log@https://shop.example/l.js:1:1",),
        )  # fmt: skip
        (finding,) = errors([event, line] if event_first else [line, event])
        assert finding.count == 1
        assert finding.evidence["top_frame"] == FRAME

    def test_but_not_if_it_comes_much_later(self) -> None:
        line = failure(
            T + 101, "console_error", "Uncaught TypeError: x is undefined", "log@https://shop.example/l.js:1:1"
        )
        assert len(errors([failure(T), line])) == 2

    def test_short_messages_join_nothing(self) -> None:
        line = failure(T, "console_error", "failed", "log@https://shop.example/l.js:1:1")
        assert len(errors([failure(T, "error", "failed"), line])) == 2

    def test_two_events_are_two_errors_even_if_they_say_the_same(self) -> None:
        second = failure(T, "error", "x is undefined for ever", "g@https://shop.example/b.js:2:2")
        assert len(errors([failure(T, "error", "x is undefined for ever"), second])) == 2

    def test_the_console_alone_is_an_error_as_well(self) -> None:
        (finding,) = errors([failure(T, "console_error", "compare failed with status")])
        assert finding.evidence["sources"] == ["console_error"]


def test_a_flood_of_different_errors_closes_the_quietest_first() -> None:
    player = Player().play([other(T + number, number) for number in range(MAX_ERRORS + 3)])
    assert [finding.t for finding in player.findings] == [T, T + 1, T + 2]
    assert len(player.finish().findings) == MAX_ERRORS + 3


def test_an_error_that_goes_on_is_not_the_quietest() -> None:
    tape: list[Interaction] = [failure(T)]
    for number in range(MAX_ERRORS + 3):
        tape += [other(T + 1 + number, number), failure(T + 1 + number)]
    player = Player().play(tape).finish()
    assert [finding.count for finding in player.findings if finding.t == T] == [MAX_ERRORS + 4]


@given(st.lists(st.tuples(st.integers(0, 1_500), st.integers(0, 5)), max_size=40))
def test_no_error_is_lost_and_none_is_counted_twice(steps: list[tuple[int, int]]) -> None:
    t, tape = T, []
    for pause, number in steps:
        t += pause
        tape.append(other(t, number))
    assert sum(finding.count or 0 for finding in errors(list(tape))) == len(steps)


@pytest.mark.parametrize(("delay", "expected"), [(5, 5), (10_000, 10_000), (10_001, None)])
def test_the_click_before_it_is_named(delay: int, expected: int | None) -> None:
    (finding,) = found("js_error", [*click(5_000), failure(5_000 + delay)])
    assert finding.evidence["click_delay_ms"] == expected
    assert finding.evidence["clicked"] == ("" if expected is None else "div.actions > button#notify.btn")


def test_a_click_on_another_page_is_not() -> None:
    (finding,) = found("js_error", [*click(5_000), Navigation(5_400, PAGE, "load"), failure(5_600)])
    assert finding.evidence["clicked"] == ""
