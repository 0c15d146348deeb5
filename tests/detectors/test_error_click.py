"""Error clicks: blame, window, use, bursts."""

from dataclasses import replace

import pytest

from detectors.error_click import MAX_OWN
from detectors.interactions import Click, Input, Interaction, KeyDown, Navigation, RequestEnd
from detectors.protocol import Finding
from detectors.settings import DetectorSettings, ErrorClickSettings
from tests.detectors.tape import (
    BUTTON,
    OTHER,
    PAGE,
    STATIC,
    Player,
    click,
    clicks,
    element,
    failure,
    found,
    in_order,
    mutation,
)

T = 10_000


def blamed(tape: list[Interaction]) -> list[Finding]:
    return found("error_click", tape)


def test_an_error_right_after_a_click_is_blamed_on_it() -> None:
    (finding,) = blamed([*click(T), failure(T + 3)])
    assert (finding.t, finding.end_t, finding.count, finding.page) == (T - 60, T + 3, 1, PAGE)
    assert finding.target is not None
    assert finding.target.node_id == 330
    assert finding.evidence["error_type"] == "TypeError"
    assert finding.evidence["message"] == "x is undefined"
    assert finding.evidence["source"] == "error"
    assert finding.evidence["delay_ms"] == 3
    assert finding.key == finding.evidence["fingerprint"]


@pytest.mark.parametrize("source", ["error", "unhandled_rejection", "console_error"])
def test_every_source_counts(source: str) -> None:
    assert [finding.evidence["source"] for finding in blamed([*click(T), failure(T + 3, source)])] == [source]


@pytest.mark.parametrize(("delay", "expected"), [(0, 1), (900, 1), (1_000, 1), (1_001, 0)])
def test_the_window_ends_after_its_last_millisecond(delay: int, expected: int) -> None:
    assert len(blamed([*click(T), failure(T + delay)])) == expected


def test_the_window_is_a_setting() -> None:
    settings = DetectorSettings(error_click=ErrorClickSettings(window_ms=10))
    assert len(found("error_click", [*click(T), failure(T + 10)], settings)) == 1
    assert found("error_click", [*click(T), failure(T + 11)], settings) == []


def test_an_error_in_the_clicks_millisecond_goes_by_stream_order() -> None:
    assert blamed([failure(T), Click(T, PAGE, BUTTON, press_t=T)]) == []
    assert len(blamed([Click(T, PAGE, BUTTON, press_t=T), failure(T)])) == 1


def test_a_click_is_used_up_by_its_first_error() -> None:
    second = failure(T + 5, "error", "another", "other@https://shop.example/b.js:1:1")
    (finding,) = blamed([*click(T), failure(T + 3), second])
    assert finding.evidence["message"] == "x is undefined"


def test_the_double_report_of_the_console_is_the_same_error() -> None:
    (finding,) = blamed(
        [*click(T), failure(T + 3), failure(T + 4, "console_error", "Uncaught TypeError: x is undefined")]
    )
    assert finding.count == 1


def test_the_latest_click_is_blamed() -> None:
    (finding,) = blamed([*click(T), *click(T + 500, OTHER), failure(T + 510)])
    assert finding.target is not None
    assert finding.target.node_id == 340


def test_a_click_that_cannot_be_blamed_takes_the_blame_from_the_one_before() -> None:
    ignored = element("button", 500, None, data_wince_ignore="")
    assert blamed([*click(T), *click(T + 500, ignored), failure(T + 510)]) == []
    assert blamed([*click(T), *click(T + 500, None), failure(T + 510)]) == []


def test_other_mouse_buttons_neither_take_nor_give_blame() -> None:
    middle = Click(T + 100, PAGE, OTHER, button=1, press_t=T + 100)
    (finding,) = blamed([*click(T), middle, failure(T + 110)])
    assert finding.target is not None
    assert finding.target.node_id == 330


def test_anything_can_be_blamed_by_its_closest_control() -> None:
    icon = element("svg", 331, BUTTON)
    assert [f.target and f.target.node_id for f in blamed([*click(T, icon), failure(T + 1)])] == [330]
    assert [f.target and f.target.node_id for f in blamed([*click(T, STATIC), failure(T + 1)])] == [350]


def test_a_new_page_answers_for_its_own_errors() -> None:
    assert blamed([*click(T), Navigation(T + 100, PAGE, "load"), failure(T + 200)]) == []
    assert len(blamed([*click(T), Navigation(T + 100, PAGE, "push"), failure(T + 200)])) == 1


def test_an_error_that_came_in_peace_before_is_the_pages_own() -> None:
    tape = [failure(T - 4_000), *click(T), failure(T + 300), failure(T + 400, "error", "y is undefined", "f@/b.js:1:2")]
    (finding,) = blamed(tape)
    assert finding.evidence["message"] == "y is undefined"


def test_what_a_click_led_to_is_not_the_pages_own_when_it_is_told_again_or_comes_late() -> None:
    tape = [*click(T), failure(T + 10), failure(T + 12, "console_error"), failure(T + 2_900)]
    assert len(blamed(in_order(tape, click(T + 6_000), [failure(T + 6_010)]))) == 2


def test_own_errors_are_bounded() -> None:
    own = [failure(T + number, "error", "x", f"f@/a.js:{number}:1") for number in range(MAX_OWN + 1)]
    later = T + 10_000
    assert len(blamed([*own, *click(later), failure(later + 9, "error", "x", "f@/a.js:0:1")])) == 1
    assert blamed([*own, *click(later), failure(later + 9, "error", "x", "f@/a.js:1:1")]) == []


def test_browsers_that_say_that_layout_goes_on_report_no_error() -> None:
    harmless = failure(T + 10, "error", "ResizeObserver loop completed with undelivered notifications.")
    assert blamed([*click(T), harmless]) == []
    assert len(blamed([*click(T), harmless, failure(T + 20)])) == 1


def test_that_the_page_answered_as_well_does_not_matter() -> None:
    assert len(blamed([*click(T), mutation(T + 1), failure(T + 900)])) == 1


class TestBurst:
    TIMES = (T, T + 300, T + 600, T + 900)

    def test_clicks_that_meet_the_same_error_are_one_signal(self) -> None:
        (finding,) = blamed(in_order(clicks(self.TIMES), [failure(t + 2) for t in self.TIMES]))
        assert (finding.t, finding.end_t, finding.count) == (T - 60, T + 902, 4)

    def test_it_is_told_when_no_further_click_can_join(self) -> None:
        player = Player().play([*click(T), failure(T + 2)])
        player.advance(T + 1_002)
        assert player.of("error_click") == []
        player.advance(T + 1_003)
        assert len(player.of("error_click")) == 1

    def test_a_click_within_the_wait_keeps_it_open_for_its_own_error(self) -> None:
        (finding,) = blamed([*click(T), failure(T + 2), *click(T + 1_000), failure(T + 2_000)])
        assert finding.count == 2

    def test_a_pause_makes_two(self) -> None:
        assert len(blamed([*click(T), failure(T + 2), *click(T + 1_003), failure(T + 1_005)])) == 2

    def test_another_error_or_target_makes_two(self) -> None:
        other = failure(T + 302, "error", "other", "f@https://shop.example/z.js:9:9")
        assert len(blamed([*click(T), failure(T + 2), *click(T + 300), other])) == 2
        assert len(blamed([*click(T), failure(T + 2), *click(T + 300, OTHER), failure(T + 302)])) == 2

    def test_silence_closes_it(self) -> None:
        assert len(Player().play([*click(T), failure(T + 2)]).finish().of("error_click")) == 1


def test_what_waited_for_a_request_fails_with_it() -> None:
    slow = RequestEnd(T + 2_500, PAGE, T + 20, "/api/order", "", 500, failed=True)
    assert len(found("error_click", in_order(click(T), [slow], [failure(T + 2_510, "unhandled_rejection")]))) == 1
    assert found("error_click", in_order(click(T), [slow], [failure(T + 2_700, "unhandled_rejection")])) == []
    own = RequestEnd(T + 2_500, PAGE, T + 1_500, "/api/poll", "", 500, failed=True)
    assert found("error_click", in_order(click(T), [own], [failure(T + 2_510, "unhandled_rejection")])) == []


@pytest.mark.parametrize("waited_ms", [2_500, 3_500, 9_000])
def test_however_long_it_waited_it_is_not_the_pages_own(waited_ms: int) -> None:
    def attempt(t: int) -> list[Interaction]:
        slow = RequestEnd(t + waited_ms, PAGE, t + 20, "/api/order", "", 500, failed=True)
        twice = [failure(slow.t + 5, "unhandled_rejection"), failure(slow.t + 6, "console_error")]
        return in_order(click(t), [slow], twice)

    assert [finding.t for finding in blamed([*attempt(T), *attempt(T + 60_000)])] == [T - 60, T + 60_000 - 60]


@pytest.mark.parametrize("typed", [Input(T, PAGE, by_visitor=True), KeyDown(T, PAGE)])
def test_what_fails_after_a_key_is_not_the_pages_own(typed: Interaction) -> None:
    """A form sent with the Enter key fails as it will when its button is clicked."""
    assert len(blamed([typed, failure(T + 50), *click(T + 20_000), failure(T + 20_050)])) == 1
    assert blamed([typed, failure(T + 5_000), *click(T + 20_000), failure(T + 20_050)]) == []


class TestTextsOnTheConsole:
    """Code that catches its errors logs them with words of its own."""

    def text(self, t: int, message: str = "export failed") -> Interaction:
        return replace(failure(t, "console_error", message, ""), error_type="")

    def request(self, t: int, start_t: int) -> Interaction:
        return RequestEnd(t, PAGE, start_t, "https://shop.example/api", "", 500)

    @pytest.mark.parametrize(("delay", "expected"), [(5, 1), (100, 1), (101, 0)])
    def test_a_handler_writes_at_once(self, delay: int, expected: int) -> None:
        assert len(blamed([*click(T), self.text(T + delay)])) == expected

    def test_or_when_its_request_ends(self) -> None:
        assert len(blamed([*click(T), self.request(T + 700, T + 3), self.text(T + 702)])) == 1

    def test_requests_of_quick_clicks_end_after_the_next(self) -> None:
        tape = [*click(T), *click(T + 500), self.request(T + 700, T + 3), self.text(T + 702)]
        (finding,) = blamed([*tape, self.request(T + 1_200, T + 503), self.text(T + 1_202)])
        assert finding.t == T + 440

    @pytest.mark.parametrize("at", [T - 900, T + 600])
    def test_what_also_comes_at_other_times_is_the_pages_own(self, at: int) -> None:
        assert len(blamed([*click(T), self.text(T + 5)])) == 1
        assert blamed(in_order([*click(T), self.text(T + 5)], [*click(T - 2_000), self.text(at)])) == []
