"""Rage clicks where something scrolls or is selected, and where a page is left."""

import pytest

from detectors.interactions import (
    Navigation,
    Scroll,
    Selection,
)
from tests.detectors.tape import (
    BODY,
    BUTTON,
    DOCUMENT,
    PAGE,
    STATIC,
    click,
    clicks,
    element,
    in_order,
    rage,
)

BURST = (10_000, 10_250, 10_500, 10_750)


class TestScrollAndSelection:
    def test_scrolling_on_after_the_burst_changes_nothing(self) -> None:
        scrolls = [Scroll(t, PAGE, DOCUMENT, 0, t - 10_000) for t in range(10_800, 13_000, 100)]
        assert [finding.count for finding in rage(in_order(clicks(BURST), scrolls))] == [4]

    def test_a_scroll_between_the_clicks_voids(self) -> None:
        assert rage(in_order(clicks(BURST), [Scroll(10_300, PAGE, DOCUMENT, 0, 50)])) == []

    def test_a_scroll_after_a_full_burst_parts_it_from_the_clicks_that_follow(self) -> None:
        tape = in_order(clicks((*BURST, 11_000, 11_200)), [Scroll(10_800, PAGE, DOCUMENT, 0, 50)])
        assert [(finding.count, finding.end_t) for finding in rage(tape)] == [(4, 10_750)]

    def test_the_scroll_of_a_list_answers_the_click(self) -> None:
        scrolls = [Scroll(t + 5, PAGE, STATIC, 0, t) for t in BURST]
        assert rage(in_order(clicks(BURST), scrolls)) == []

    @pytest.mark.parametrize("t", [10_300, 12_300])
    def test_slow_clicks_that_select_text_until_the_burst_is_closed_are_for_selecting(self, t: int) -> None:
        slow = (10_000, 10_250, 11_200, 11_450)
        assert len(rage(clicks(slow, STATIC))) == 1
        assert rage(in_order(clicks(slow, STATIC), [Selection(t, PAGE, STATIC, collapsed=False)])) == []

    def test_to_select_three_clicks_are_enough(self) -> None:
        selection = [Selection(10_240, PAGE, STATIC, collapsed=False)]
        assert rage(in_order(clicks(BURST[:3], STATIC), selection)) == []
        assert [finding.count for finding in rage(in_order(clicks(BURST, STATIC), selection))] == [4]

    def test_the_text_of_a_control_is_selected_by_the_way(self) -> None:
        slow = (10_000, 10_600, 11_200, 11_800)
        assert len(rage(in_order(clicks(slow), [Selection(10_650, PAGE, BUTTON, collapsed=False)]))) == 1

    def test_parts_of_a_drawing_are_one_target(self) -> None:
        icon = element("svg", 360, BODY)
        parts = [icon, element("path", 361, icon), icon, element("path", 362, element("g", 363, icon))]
        tape = [one for t, part in zip(BURST, parts, strict=True) for one in click(t, part)]
        (finding,) = rage(tape)
        assert finding.target is not None
        assert finding.target.node_id == 360

    def test_a_mere_caret_does_not(self) -> None:
        assert len(rage(in_order(clicks(BURST, STATIC), [Selection(10_300, PAGE, STATIC, collapsed=True)]))) == 1

    def test_a_page_load_ends_the_burst(self) -> None:
        assert rage(in_order(clicks(BURST), [Navigation(10_600, PAGE, "load")])) == []
