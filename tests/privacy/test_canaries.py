"""No planted word shows where it may not, in whatever is written and however it is spelt; and pages stay pages.

A normal run is the same each time. `make privacy` looks at many more visits.
"""

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.privacy.canaries import LEVELS, VISITS, Level, judge
from tests.privacy.searching import found

SECRET = "zqkfmwbtrvypln"


@settings(max_examples=160, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1 << 32), level=st.sampled_from(LEVELS), kind=st.sampled_from(sorted(VISITS)))
def test_canaries(seed: int, level: Level, kind: str) -> None:
    verdict = judge(seed, level, kind=kind)
    assert verdict.leaks == []
    assert verdict.lost == []


# Visits in which something showed, or broke, once.
@pytest.mark.parametrize(
    ("kind", "seed", "level"),
    [
        ("site", 1118, "medium"),
        ("site", 1118, "light"),
        ("site", 106, "medium"),
        ("site", 110, "light"),
        ("app", 0, "medium"),
        ("app", 2, "light"),
    ],
)
def test_visits_that_told_something(kind: str, seed: int, level: Level) -> None:
    verdict = judge(seed, level, kind=kind)
    assert verdict.leaks == []
    assert verdict.lost == []


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", VISITS)
def test_visits_plant_something_to_find_and_something_to_keep(kind: str, level: str) -> None:
    visits = [VISITS[kind](seed, level).visit(20) for seed in range(5)]
    assert all(len(visit.secrets) >= 2 for visit in visits)
    assert sum(len(visit.secrets) for visit in visits) > 40
    assert any(visit.survivors for visit in visits) or (kind != "site" and level == "conservative")


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        SECRET.upper(),
        SECRET[::-1],
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"a {SECRET} b".encode()).decode(),
        base64.b64encode(f"ab {SECRET} b".encode()).decode(),
        "".join(f"%{ord(character):02X}" for character in SECRET),
        "".join(f"&#{ord(character)};" for character in SECRET),
        "".join(f"\\u00{ord(character):x}" for character in SECRET),
        SECRET.encode("utf-16-le").decode("latin-1"),
    ],
)
def test_the_search_finds_every_spelling(written: str) -> None:
    assert found([SECRET], [b"before", f'{{"a":"{written}"}}'.encode("latin-1")]) != []
    assert found(["zqabcdefghijkl"], [written.encode("latin-1")]) == []
