"""What belongs to one incident, what is another, and when one is over."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.alerts.change import RATIOS, Evidence
from engine.alerts.core import Item
from engine.alerts.incidents import most_telling
from engine.alerts.state import Tracked
from schemas.alerts import Alert, AlertKey, Dimension
from tests.engine.alerts.site import HOUR_MS, SPIKE, START_MS, Site, fired, run

FIRST, SECOND, THIRD = (f"https://shop.example/{name}" for name in ("cart", "search", "news"))
MINUTE_MS = 60_000
SPIKE_OF_THREE = replace(SPIKE, min_sessions=3)


@given(st.lists(st.floats(-500.0, 500.0), min_size=1, max_size=8))
def test_one_is_the_most_telling_also_where_none_holds_too_many(excesses: list[float]) -> None:
    keys = [Tracked(AlertKey("rage_click", "page", str(place))) for place in range(len(excesses))]
    telling = most_telling(zip(keys, excesses, strict=True))
    assert excesses[keys.index(telling)] == max(excesses)


def complaining(site: Site, start: int, page: str, error: str, number: int) -> list[Item]:
    """Visitors of a page, one a minute, each of whom meets an error."""
    items: list[Item] = []
    for t in range(start, start + number * MINUTE_MS, MINUTE_MS):
        session_id, activities = site.visit(t, page)
        items += [*activities, site.complaint(session_id, t + 1_000, page, "js_error", error)]
    return items


class TestSeveralAtOnce:
    def test_other_sessions_on_another_page_are_another_incident(self) -> None:
        site = Site()
        items = [
            *site.traffic(START_MS, 72, FIRST, 0.01),
            *site.traffic(START_MS + 30_000, 72, SECOND, 0.01),
            *site.traffic(START_MS + 15_000, 72, THIRD, 0.0),
        ]
        late = START_MS + 70 * HOUR_MS
        items += complaining(site, late + 5_000, FIRST, "a", 100)
        items += complaining(site, late + 30 * MINUTE_MS + 7_000, SECOND, "b", 60)
        told = fired(run(sorted(items, key=lambda item: item.t), SPIKE))
        assert [alert.key.value.split()[0] for alert in told] == ["a", "b"]

    def test_what_all_pages_have_is_one_incident(self) -> None:
        site = Site()
        items = [*site.traffic(START_MS, 72, FIRST, 0.01), *site.traffic(START_MS + 30_000, 72, SECOND, 0.01)]
        for page in (FIRST, SECOND):
            items += complaining(site, START_MS + 70 * HOUR_MS + 5_000, page, "a", 100)
        assert len(fired(run(sorted(items, key=lambda item: item.t), SPIKE))) == 1

    def test_one_is_over_soon_though_few_complain_usually(self) -> None:
        site = Site()
        start = START_MS + 70 * HOUR_MS
        items = [*site.traffic(START_MS, 96, FIRST, 0.002), *complaining(site, start + 5_000, FIRST, "a", 60)]
        first, last = run(sorted(items, key=lambda item: item.t), SPIKE)
        assert first.resolved_at is None
        assert last.resolved_at is not None
        assert last.resolved_at < start + 4 * HOUR_MS


@pytest.mark.parametrize(("signals", "is_told"), [(1, True), (30, False)])
def test_sessions_no_visitor_can_have_had_are_no_incident(signals: int, is_told: bool) -> None:  # noqa: FBT001 - a parameter
    site = Site()
    items = list(site.traffic(START_MS, 72, FIRST, 0.001))
    for number in range(4):
        t = START_MS + 70 * HOUR_MS + number * 10 * MINUTE_MS
        session_id, activities = site.visit(t, FIRST)
        items += [*activities, *(site.complaint(session_id, t + place * 1_000, FIRST) for place in range(signals))]
    assert bool(fired(run(sorted(items, key=lambda item: item.t), SPIKE_OF_THREE))) is is_told


@pytest.mark.parametrize(("dimension", "sessions"), [("page", 3), ("project", 4)])
def test_three_sessions_are_enough_for_what_is_narrow(dimension: Dimension, sessions: int) -> None:
    site = Site()
    items = list(site.traffic(START_MS, 72, FIRST, 0.0))
    start = START_MS + 70 * HOUR_MS
    for t in range(start, start + 5 * MINUTE_MS, MINUTE_MS):
        session_id, activities = site.visit(t, FIRST)
        items += [*activities, site.complaint(session_id, t, FIRST)]
    (alert,) = fired(run(sorted(items, key=lambda item: item.t), replace(SPIKE_OF_THREE, dimensions=(dimension,))))
    assert alert.numbers.sessions == sessions


def test_evidence_kept_when_fewer_ratios_were_told_apart_goes_on() -> None:
    evidence = msgspec.json.decode(b'{"sums": [1.0, 2.0, 3.0], "since": 5}', type=Evidence)
    evidence.concerned(0.01, 10, 20)
    assert len(evidence.sums) == len(RATIOS)
    assert evidence.since == 5


class TestTogether:
    """Complaints of an incident that goes on, and of another at the same time."""

    START = START_MS + 70 * HOUR_MS

    def alerts(self, first: list[Item], *others: list[Item]) -> list[Alert]:
        site = Site(2, "shop")
        site.count = 1_000_000
        items = [*site.traffic(START_MS, 76, FIRST, 0.0), *site.traffic(START_MS + 30_000, 76, SECOND, 0.0), *first]
        for other in others:
            items += other
        return run(sorted(items, key=lambda item: item.t), replace(SPIKE, dimensions=("page", "element")))

    def test_a_visitor_of_both_does_not_make_one_of_two(self) -> None:
        site = Site()
        first, second = ([], [])  # type: tuple[list[Item], list[Item]]
        for number in range(20):
            t = self.START + number * MINUTE_MS
            session_id, activities = site.visit(t, FIRST)
            first += [*activities, site.complaint(session_id, t, FIRST)]
            if not number:
                second.append(site.complaint(session_id, t + 10 * MINUTE_MS, SECOND, "dead_click"))
            else:
                session_id, activities = site.visit(t + 10 * MINUTE_MS, SECOND)
                second += [*activities, site.complaint(session_id, t + 10 * MINUTE_MS, SECOND, "dead_click")]
        told = fired(self.alerts(first, second))
        assert [(alert.key.detector, alert.key.value.split()[0]) for alert in told] == [
            ("rage_click", FIRST),
            ("dead_click", SECOND),
        ]

    def test_other_complaints_of_other_visitors_of_the_page_are_the_same(self) -> None:
        site = Site()
        items: list[Item] = []
        for number in range(40):
            t = self.START + number * MINUTE_MS
            session_id, activities = site.visit(t, FIRST)
            items += [*activities, site.complaint(session_id, t, FIRST, ("rage_click", "dead_click")[number % 2])]
        assert len(fired(self.alerts(items))) == 1


@pytest.mark.parametrize(("number", "alerts"), [(4, 1), (40, 2)])
def test_what_is_far_worse_after_the_end_is_told_within_the_cooldown(number: int, alerts: int) -> None:
    site = Site()
    items = list(site.traffic(START_MS, 78, FIRST, 0.0))
    start = START_MS + 70 * HOUR_MS
    items += complaining(site, start, FIRST, "a", 10)
    items += complaining(site, start + 4 * HOUR_MS, FIRST, "a", number)
    told = run(sorted(items, key=lambda item: item.t), SPIKE_OF_THREE)
    first, over, *_ = told
    assert over.resolved_at is not None
    assert first.id == over.id
    assert over.resolved_at < start + 4 * HOUR_MS
    assert len(fired(told)) == alerts
