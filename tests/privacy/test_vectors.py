"""Every leak vector of the catalogue, as recorded visits: whole, event by event with restarts, and packed."""

import pytest

from tests.privacy.streams import WAYS, Case, judge
from tests.privacy.vectors import addresses, fields, looks, strangers, trees

CASES = [*fields.CASES, *trees.CASES, *addresses.CASES, *looks.CASES, *strangers.CASES]
VECTORS = 34


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.vector:02}-{case.name}")
def test_nothing_leaks_and_nothing_is_lost(case: Case, way: str) -> None:
    for level in case.levels:
        leaks, lost = judge(case, level, way)
        assert leaks == [], level
        assert lost == [], level


def test_every_vector_is_tried() -> None:
    assert {case.vector for case in CASES} == set(range(1, VECTORS + 1))
    assert all(case.hide or case.keep for case in CASES)
