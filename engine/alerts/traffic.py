"""Whether visitors stay away: sessions that start, against what is usual at this hour of the week."""

import math
from typing import Final

from engine.alerts.history import HOUR_MS
from engine.alerts.state import Traffic

WEEK_HOURS: Final = 168
LONGEST_WINDOW_MS: Final = HOUR_MS

_KEPT: Final = 0.6
"""A week ago weighs so much of what the last one weighs."""

_LEVEL_KEPT: Final = 0.9
_LEFT: Final = 0.1
"""What an absence leaves of the visitors."""

_LONGEST_STEP_MS: Final = 10 * 60_000
_ENOUGH_HOURLY: Final = 3.0
_NEIGHBOURS: Final = (-1, 0, 1)


def started(traffic: Traffic, t: int) -> None:
    """Count a session that started at `t` (epoch ms)."""
    judge(traffic, t)
    traffic.started += 1
    traffic.lately.add(t, LONGEST_WINDOW_MS)
    traffic.evidence = max(0.0, traffic.evidence + math.log(_LEFT))
    if not traffic.evidence:
        traffic.missing, traffic.since = 0.0, t


def judge(traffic: Traffic, t: int) -> None:
    """Take note that time has passed."""
    _turn(traffic, t)
    passed_ms = min(max(t - traffic.judged_t, 0), _LONGEST_STEP_MS) if traffic.judged_t else 0
    traffic.judged_t = max(t, traffic.judged_t)
    expected = usual(traffic, t) * passed_ms / HOUR_MS
    traffic.evidence += (1 - _LEFT) * expected
    traffic.missing += expected


def usual(traffic: Traffic, t: int) -> float:
    """Return how many sessions an hour start at this hour of the week at least; 0 where that is not known.

    The hour before and the hour after may do as well: clocks are put forward and back.
    """
    hour = t // HOUR_MS
    slots = [(hour + step) % WEEK_HOURS for step in _NEIGHBOURS]
    if any(not traffic.weights[slot] for slot in slots):
        return 0.0
    lowest = min(traffic.sums[slot] / traffic.weights[slot] for slot in slots)
    return lowest * min(traffic.level, 1.0) if lowest >= _ENOUGH_HOURLY else 0.0


def _turn(traffic: Traffic, t: int) -> None:
    """Close the hours that are over; an hour in which visitors stayed away teaches nothing."""
    hour = t // HOUR_MS
    if traffic.hour < 0:
        traffic.hour = hour
    if hour - traffic.hour > WEEK_HOURS:
        traffic.hour, traffic.started = hour, 0
    while traffic.hour < hour:
        slot = traffic.hour % WEEK_HOURS
        before = traffic.sums[slot] / traffic.weights[slot] if traffic.weights[slot] else 0.0
        if not traffic.evidence or traffic.started > before / 2:
            traffic.sums[slot] = traffic.sums[slot] * _KEPT + traffic.started
            traffic.weights[slot] = traffic.weights[slot] * _KEPT + 1
            if before >= _ENOUGH_HOURLY:
                traffic.level = _LEVEL_KEPT * traffic.level + (1 - _LEVEL_KEPT) * min(traffic.started / before, 3.0)
        traffic.hour += 1
        traffic.started = 0
