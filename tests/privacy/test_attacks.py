"""Attacks beyond the catalogue, as recorded visits: whole, event by event with restarts, and packed."""

import pytest

from tests.privacy.attacks import fields, moves, products, selectors, spellings, strays, styles
from tests.privacy.streams import WAYS, Case, judge

CASES = [case for module in (selectors, moves, fields, spellings, styles, products, strays) for case in module.CASES]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_leaks_and_nothing_is_lost(case: Case, way: str) -> None:
    for level in case.levels:
        leaks, lost = judge(case, level, way)
        assert leaks == [], level
        assert lost == [], level
