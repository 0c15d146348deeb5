"""The session's score: how much it hurt, from 0 to 100, from nothing but the counts of its signals.

Each detector can add at most its `CEILINGS`, half of it with `HALF_COUNT` signals, then ever less:
`ceiling * (1 - 2 ** (-count / HALF_COUNT))`. The first signals matter most, and no single kind fills the score. If the
parts come to more than 100 together, all of them shrink alike. Equal counts give equal scores, however often a session
is judged again, and in whatever order its signals came.
"""

import math
from collections.abc import Mapping
from typing import Final

from schemas.session_record import ScorePart

MAX_SCORE: Final = 100.0

CEILINGS: Final[Mapping[str, float]] = {
    "rage_click": 35.0,
    "error_click": 25.0,
    "dead_click": 25.0,
    "js_error": 15.0,
    "network_error": 20.0,
    "slow_response": 12.0,
    "thrashed_cursor": 8.0,
    "quick_back": 8.0,
    "form_abandonment": 15.0,
    "form_error_loop": 20.0,
    "rapid_reload": 12.0,
    "scroll_thrash": 8.0,
    "idle": 0.0,
}
"""Rage is certain anger; an error, a dead end or a refusal met on the way is an obstacle; an error alone may go
unnoticed, a form may be left for good reasons, a shaken pointer may be a habit, and silence hurts nobody."""

OTHER_CEILING: Final = 10.0
"""For detectors not named above."""

HALF_COUNT: Final = 2.0


def score(counts: Mapping[str, int]) -> tuple[float, list[ScorePart]]:
    """Give the score and its explanation, largest part first, from `counts` of signals by detector.

    Counts below one add nothing. Points have one decimal, and those of the parts make up the score exactly.
    """
    raw = {name: _points(name, counts[name]) for name in sorted(counts) if counts[name] > 0}
    total = sum(raw.values())
    shrink = min(1.0, MAX_SCORE / total) if total else 1.0
    tenths = _in_tenths({name: points * shrink * 10 for name, points in raw.items()})
    parts = [ScorePart(name, counts[name], tenths[name] / 10) for name in raw]
    parts.sort(key=lambda part: (-part.points, part.detector))
    return sum(tenths.values()) / 10, parts


def _points(name: str, count: int) -> float:
    return CEILINGS.get(name, OTHER_CEILING) * (1.0 - math.exp2(-count / HALF_COUNT))


def _in_tenths(exact: Mapping[str, float]) -> dict[str, int]:
    """Round to whole numbers that add up to the rounded sum: what is missing goes to those cut the most."""
    whole = {name: int(tenths) for name, tenths in exact.items()}
    missing = round(sum(exact.values())) - sum(whole.values())
    for name in sorted(exact, key=lambda name: (whole[name] - exact[name], name))[: max(missing, 0)]:
        whole[name] += 1
    return whole
