"""The session's score: how much it hurt, from 0 to 100, from nothing but the counts of its signals.

Each detector can add at most its `CEILINGS`, half of it with `HALF_COUNT` signals, then ever less:
`ceiling * (1 - 2 ** (-count / HALF_COUNT))`. The first signals matter most, and no single kind fills the score. The
ceilings of our four detectors make 100; should further detectors lift the sum above it, all parts shrink alike.
"""

import math
from collections.abc import Mapping
from typing import Final

from schemas.session_record import ScorePart

MAX_SCORE: Final = 100.0

CEILINGS: Final[Mapping[str, float]] = {"rage_click": 35.0, "error_click": 25.0, "dead_click": 25.0, "js_error": 15.0}
"""Rage is certain anger; an error or a dead end met by a click is an obstacle; an error alone may go unnoticed."""

OTHER_CEILING: Final = 10.0
"""For detectors not named above."""

HALF_COUNT: Final = 2.0


def score(counts: Mapping[str, int]) -> tuple[float, list[ScorePart]]:
    """Give the score and its explanation, largest part first, from `counts` of signals by detector.

    Counts below one add nothing. The score is the sum of the points, each rounded to one decimal.
    """
    raw = {name: _points(name, count) for name, count in counts.items() if count > 0}
    shrink = min(1.0, MAX_SCORE / total) if (total := sum(sorted(raw.values()))) else 1.0
    parts = [ScorePart(name, counts[name], round(points * shrink, 1)) for name, points in raw.items()]
    parts.sort(key=lambda part: (-part.points, part.detector))
    return min(MAX_SCORE, round(sum(part.points for part in parts), 1)), parts


def _points(name: str, count: int) -> float:
    return CEILINGS.get(name, OTHER_CEILING) * (1.0 - math.exp2(-count / HALF_COUNT))
