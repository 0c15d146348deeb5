"""Visitors who stay away: what is usual on sites with few of them, and what is another hour."""

import random
from collections.abc import Callable

import msgspec

from engine.alerts.rules_file import default_rules
from engine.alerts.state import LEFT, Traffic
from engine.alerts.traffic import judge, started, usual
from tests.engine.alerts.site import DAY_MS, HOUR_MS, START_MS

MINUTE_MS = 60_000
SURE = next(rule.evidence for rule in default_rules().rules if rule.kind == "absence")
NOON_MS = 7 * DAY_MS + 12 * HOUR_MS


def told_after(hourly: Callable[[int], float], until_ms: int, seed: int = 1) -> int | None:
    """Return after how many ms since its start a site with so many sessions an hour was first missed."""
    traffic, rng = Traffic(), random.Random(seed)
    for passed in range(0, until_ms, MINUTE_MS):
        t = START_MS + passed
        for _ in range(2):
            if rng.random() < hourly(passed) / 120:
                started(traffic, t)
        judge(traffic, t + MINUTE_MS - 1)
        if traffic.evidence >= SURE and passed > 2 * DAY_MS:
            return passed
    return None


def test_half_of_few_visitors_are_missed() -> None:
    told = told_after(lambda passed: 12.0 if passed >= NOON_MS else 24.0, NOON_MS + 12 * HOUR_MS)
    assert told is not None
    assert told >= NOON_MS


def test_few_visitors_are_not_missed_by_chance() -> None:
    assert told_after(lambda _: 24.0, 14 * DAY_MS) is None


def test_an_hour_in_which_a_site_is_closed_is_not_like_that_of_other_days() -> None:
    traffic, closed = Traffic(), range(8 * HOUR_MS, 16 * HOUR_MS)
    for passed in range(0, 7 * DAY_MS, MINUTE_MS):
        if passed not in closed:
            started(traffic, START_MS + passed)
    assert usual(traffic, START_MS + 7 * DAY_MS + 12 * HOUR_MS) == 0
    assert usual(traffic, START_MS + 8 * DAY_MS + 12 * HOUR_MS) > 0


def test_traffic_kept_when_fewer_absences_were_told_apart_goes_on() -> None:
    kept = msgspec.json.decode(b'{"evidences": [1.0, 2.0], "rates": [3.0, 4.0], "hour": 5}', type=Traffic)
    judge(kept, START_MS)
    assert len(kept.evidences) == len(kept.rates) == len(LEFT)
