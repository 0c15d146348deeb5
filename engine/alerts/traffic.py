"""Whether visitors stay away: sessions that start, against what is usual at this hour of the week."""

import math
from collections.abc import Sequence
from typing import Final

from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.state import LEFT, Traffic

WEEK_HOURS: Final = 168
LONGEST_WINDOW_MS: Final = HOUR_MS

_DAY_HOURS: Final = 24
_KEPT: Final = 0.6
"""A week ago weighs so much of what the last one weighs."""

_LONGEST_STEP_MS: Final = 10 * 60_000
_ENOUGH_HOURLY: Final = 3.0
_HALF_HOUR_MS: Final = HOUR_MS // 2
_SHIFTS_MS: Final = tuple(
    tuple(step * _HALF_HOUR_MS for step in steps) for steps in ((-3, -2, -1, 0, 1, 2, 3), (-2, -1, 0, 1, 2))
)
"""Clocks are put forward and back by an hour, and half an hour is lost where a site opens or closes at once.

Of those who stay away by half, less is made up for: no site is half as busy an hour earlier or later."""

_DISPERSION: Final = (0.0, 0.0, 0.02)
"""How much more than by chance an hour differs from what is usual: where a third stays away it may be the weather.

It is the square of the share by which hours differ; evidence counts less by one and that much for each one expected.
"""

_UNKNOWN: Final = -1.0

_ALIKE: Final = 40.0
"""What is known of the same hour of other days counts as so many visitors: they differ by a sixth or so."""

_WEEKEND: Final = range(36, 108)
"""Friday noon to Monday noon (UTC), in hours of the week that begins on Thursday: there it may be the weekend."""

_BY_CHANCE: Final = 2.0
"""An hour that differs from that of other days by more standard deviations is another hour: a site was closed."""

_DAYS_ALIKE: Final = tuple(
    tuple(
        other for other in range(slot % _DAY_HOURS, WEEK_HOURS, _DAY_HOURS) if (other in _WEEKEND) == (slot in _WEEKEND)
    )
    for slot in range(WEEK_HOURS)
)
"""By hour of the week, those at the same time of day: of working days, or of the weekend."""

_LIKE_OTHER_DAYS: Final = 0.8
"""What a working day has at least of the least of two others, before one of its own name was seen."""

_MANY_DAYS: Final = 3
"""Of so many working days the least one may be an exception."""

_FIRST_WEEKEND: Final = 0.6
_ENOUGH_LATELY: Final = 20.0
"""A first weekend is like the working days as far as its last two hours were, if they should have had so many."""

_DAYS: Final = 3
"""A site is as busy as on the least busy of so many days: a surge is over sooner than that, growth goes on."""

_ENOUGH_DAILY: Final = 100.0
_LEAST_LEVEL: Final = 0.3
_MOST_LEVEL: Final = 2.0
_MOST_EVIDENCE: Final = 30.0
"""More would only have to be taken back, visitor by visitor, once it is over."""

_MISSED: Final = 0.7
_SUSPECT: Final = 3.0
"""With so much evidence, an hour with less than that share of its visitors teaches nothing."""


def started(traffic: Traffic, t: int) -> None:
    """Count a session that started at `t` (epoch ms)."""
    judge(traffic, t)
    traffic.started += 1
    traffic.lately.add(t, LONGEST_WINDOW_MS)
    traffic.evidences = [
        max(0.0, total + math.log(left) / _dispersion(place, traffic.rates[place]))
        for place, (total, left) in enumerate(zip(traffic.evidences, LEFT, strict=True))
    ]
    if not traffic.evidence:
        traffic.since = t


def judge(traffic: Traffic, t: int) -> None:
    """Take note that time has passed."""
    _turn(traffic, t)
    passed_ms = min(max(t - traffic.judged_t, 0), _LONGEST_STEP_MS) if traffic.judged_t else 0
    traffic.judged_t = max(t, traffic.judged_t)
    if t // MINUTE_MS != traffic.rated_minute:
        traffic.rated_minute = t // MINUTE_MS
        traffic.rates = _rates(traffic, t)
    traffic.evidences = [
        min(total + (1 - left) * rate * passed_ms / HOUR_MS / _dispersion(place, rate), _MOST_EVIDENCE)
        for place, (total, left, rate) in enumerate(zip(traffic.evidences, LEFT, traffic.rates, strict=True))
    ]


def _dispersion(place: int, rate: float) -> float:
    return 1.0 + _DISPERSION[place] * rate


def usual(traffic: Traffic, t: int) -> float:
    """Return how many sessions an hour start at this hour of the week at least; 0 where that is not known.

    What was usual somewhat earlier or later may do as well: clocks are put forward and back.
    """
    return _usual(traffic, t, _SHIFTS_MS[0], {})


def _rates(traffic: Traffic, t: int) -> list[float]:
    known: dict[int, float] = {}
    far, near = (_usual(traffic, t, shifts_ms, known) for shifts_ms in _SHIFTS_MS)
    return [far, *[near] * (len(LEFT) - 1)]


def _usual(traffic: Traffic, t: int, shifts_ms: Sequence[int], known: dict[int, float]) -> float:
    lowest = _lowest(traffic, t, shifts_ms, known)
    if lowest < 0:
        is_weekend = t // HOUR_MS % WEEK_HOURS in _WEEKEND
        lowest = _as_on_other_days(traffic, t, shifts_ms, known) * (_of_late(traffic) if is_weekend else 1.0)
    return lowest * _level(traffic) if lowest >= _ENOUGH_HOURLY else 0.0


def _lowest(traffic: Traffic, t: int, shifts_ms: Sequence[int], known: dict[int, float]) -> float:
    """Return the least of what the week before had around this moment; -1 where that is not known."""
    return min(_at(traffic, t + shift, known) for shift in shifts_ms)


def _at(traffic: Traffic, t: int, known: dict[int, float]) -> float:
    """Return what the week before had at a moment, between the middles of two hours; -1 where that is not known."""
    hour, passed = divmod(t - _HALF_HOUR_MS, HOUR_MS)
    first, second = hour % WEEK_HOURS, (hour + 1) % WEEK_HOURS
    if not traffic.weights[first] or not traffic.weights[second]:
        return _UNKNOWN
    share = passed / HOUR_MS
    for slot in (first, second):
        if slot not in known:
            known[slot] = _slot(traffic, slot)
    earlier, later = known[first], known[second]
    return earlier * (1 - share) + later * share


def _slot(traffic: Traffic, slot: int) -> float:
    """Return what an hour of the week had, drawn to the same hour of days alike: few visitors differ by chance."""
    usual = sum(traffic.hourly[other] for other in _DAYS_ALIKE[slot])
    if not usual:
        return 0.0
    usual /= sum(traffic.weights[other] for other in _DAYS_ALIKE[slot])
    own = traffic.hourly[slot] / traffic.weights[slot]
    drawn = (traffic.hourly[slot] + _ALIKE) / (traffic.weights[slot] + _ALIKE / usual)
    return min(drawn, own + _BY_CHANCE * math.sqrt(own))


def _as_on_other_days(traffic: Traffic, t: int, shifts_ms: Sequence[int], found: dict[int, float]) -> float:
    """Return what a day has at least, by two working days that are known."""
    others = [t + day * _DAY_HOURS * HOUR_MS for day in range(1, 8)]
    working = [other for other in others if other // HOUR_MS % WEEK_HOURS not in _WEEKEND]
    known = sorted(number for number in (_lowest(traffic, other, shifts_ms, found) for other in working) if number > 0)
    return known[len(known) // _MANY_DAYS] * _LIKE_OTHER_DAYS if len(known) > 1 else 0.0


def _of_late(traffic: Traffic) -> float:
    """Return what is left of a working day on a first weekend, going by the last two hours; never much."""
    expected = sum(traffic.lately_expected)
    started = sum(traffic.lately_started)
    return min(started / expected, 1.0) * _FIRST_WEEKEND if expected >= _ENOUGH_LATELY else 0.0


def _level(traffic: Traffic) -> float:
    """Return how busy the site is lately, of what is usual."""
    today = [traffic.day_started / traffic.day_expected] if traffic.day_expected >= _ENOUGH_DAILY else []
    lately = [*traffic.days, *today]
    return min(max(min(lately), _LEAST_LEVEL), _MOST_LEVEL) if len(traffic.days) == _DAYS else min([1.0, *lately])


def _turn(traffic: Traffic, t: int) -> None:
    """Close the hours that are over; an hour in which visitors stayed away teaches nothing."""
    hour = t // HOUR_MS
    if traffic.hour < 0:
        traffic.hour = hour
    if hour - traffic.hour > WEEK_HOURS:
        traffic.hour, traffic.started = hour, 0
    while traffic.hour < hour:
        _learn(traffic, t)
        traffic.hour += 1
        traffic.started = 0
        if not traffic.hour % _DAY_HOURS and traffic.day_expected:
            traffic.days = [*traffic.days, traffic.day_started / traffic.day_expected][-_DAYS:]
            traffic.day_started = traffic.day_expected = 0.0


def _learn(traffic: Traffic, t: int) -> None:
    slot = traffic.hour % WEEK_HOURS
    weight = traffic.weights[slot]
    before = traffic.hourly[slot] / weight if weight else 0.0
    expected = _as_on_other_days(traffic, traffic.hour * HOUR_MS + _HALF_HOUR_MS, _SHIFTS_MS[0], {})
    traffic.lately_started = [*traffic.lately_started, float(traffic.started)][-2:]
    traffic.lately_expected = [*traffic.lately_expected, expected][-2:]
    is_suspect = traffic.evidence >= _SUSPECT and traffic.started < _MISSED * (before or usual(traffic, t))
    if is_suspect and t - traffic.since < _DAY_HOURS * HOUR_MS:
        return
    traffic.hourly[slot] = traffic.hourly[slot] * _KEPT + traffic.started
    traffic.weights[slot] = weight * _KEPT + 1
    if before >= _ENOUGH_HOURLY:
        traffic.day_started += traffic.started
        traffic.day_expected += before
