"""A part of the table of levels, in every place; `make privacy` tries others each time, and with restarts."""

from itertools import islice

import pytest

from tests.privacy.streams import Case, judge
from tests.privacy.table import PLACES, ROWS, cases

STEP = 16
"""A prime to the numbers of rows, so that other rows are tried in each place."""
CASES = list(islice(cases(), 0, None, STEP))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_carrier_in_a_place(case: Case) -> None:
    for level in case.levels:
        leaks, lost = judge(case, level, "whole")
        assert leaks == [], level
        assert lost == [], level


def test_each_row_and_each_place_is_tried() -> None:
    names = [case.name.split(": ", 1) for case in CASES]
    assert {place for place, _ in names} == {place.name for place in PLACES}
    assert {row for _, row in names} == {str(row) for row in ROWS}
