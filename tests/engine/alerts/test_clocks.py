"""Clocks that are wrong: one of them must not silence a project until its time has come."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts.backtest import in_order, play
from engine.alerts.core import AlertCore, Item
from engine.alerts.hearing import heard
from engine.alerts.rules import AlertLimits, Rule
from engine.alerts.state import ProjectState
from tests.engine.alerts.site import ALL, DAY_MS, HOUR_MS, START_MS, Site, fired
from tests.engine.alerts.test_core import PAGE

MINUTE_MS = 60_000
YEARS_MS = 10 * 365 * DAY_MS
MANY = Rule(name="many", kind="sessions", dimensions=("page",), threshold=4, min_sessions=5)
SPIKE = Rule(name="spike", kind="spike", dimensions=ALL)  # type: ignore[arg-type]  # a tuple of dimensions
ABSENCE = Rule(name="absence", kind="absence", warm_up_ms=0)
CART = Rule(name="cart", kind="abandoned", page=PAGE, goal_page="https://shop.example/thanks", window_ms=30 * MINUTE_MS)


def complaints(site: Site, start: int, count: int = 6, ahead_ms: int = 0) -> list[Item]:
    items: list[Item] = []
    for t in range(start, start + count * 1_000, 1_000):
        session_id, activities = site.visit(t, PAGE)
        found = [*activities, site.complaint(session_id, t, PAGE)]
        items += [msgspec.structs.replace(item, t=item.t + ahead_ms) for item in found]
    return items


def test_an_event_from_the_future_counts_when_it_came_and_is_told() -> None:
    core, site = AlertCore([MANY], AlertLimits()), Site()
    for item in complaints(site, START_MS, 1, YEARS_MS):
        core.feed(item, START_MS)
    for item in complaints(site, START_MS, 4):
        core.feed(item, START_MS + 10_000)
    (alert,) = core.take()
    assert alert.numbers.sessions == 5
    state = core.state("shop")
    assert (state.ahead, state.late) == (3, 0)
    assert state.now <= START_MS + 10_000


def test_a_first_event_of_long_ago_does_not_make_a_project_old() -> None:
    core, site = AlertCore([SPIKE], AlertLimits()), Site()
    (first, *_) = complaints(site, START_MS - YEARS_MS, 1)
    core.feed(first, START_MS)
    state = core.state("shop")
    assert (state.first_t, state.late) == (START_MS - HOUR_MS, 1)


def far(core: AlertCore, site: Site, ahead_ms: int) -> None:
    """Have a site's days judged, then time pass far beyond what is so, with visitors."""
    for item in site.traffic(START_MS, 30, PAGE, 0.3):
        core.tick(item.t)
        core.feed(item, item.t)
    for item in complaints(site, START_MS + 30 * HOUR_MS + ahead_ms, 8):
        core.tick(item.t)
        core.feed(item, item.t)
    core.take()


@pytest.mark.parametrize("ahead_ms", [2 * HOUR_MS, 3 * DAY_MS, YEARS_MS])
def test_a_project_that_is_ahead_is_set_back_and_judges_again(ahead_ms: int) -> None:
    core, site = AlertCore([MANY, ABSENCE, CART], AlertLimits()), Site()
    far(core, site, ahead_ms)
    now = START_MS + 31 * HOUR_MS
    assert core.set_back(now) == 1
    assert core.set_back(now) == 0
    assert latest_of(core.state("shop")) <= now
    for hours in (1, 2, 24):
        core.tick(now + hours * HOUR_MS)
    core.take()
    for item in complaints(site, now + DAY_MS):
        core.feed(item, now + DAY_MS + 10_000)
    assert [alert.rule for alert in core.take() if alert.rule == "many"] == ["many"]
    assert core.state("shop").late == 0


def latest_of(state: ProjectState) -> int:
    """Return the latest time in a state (epoch ms), whatever it is of; what is told of alerts aside."""
    minutes = [
        minute * MINUTE_MS
        for counts in (
            *(base.lately for base in state.bases.values()),
            *(tracked.sessions for tracked in state.tracked.values()),
            *(tracked.signals for tracked in state.tracked.values()),
            state.traffic.lately,
        )
        for minute in counts.minutes
    ]
    hours = [
        hour * HOUR_MS
        for hour in (
            *(base.history.hour for base in state.bases.values()),
            *(tracked.history.hour for tracked in state.tracked.values()),
            *(family.history.hour for family in state.families.values()),
            *(family.worst_hour for family in state.families.values()),
            state.traffic.hour,
            state.tidied_hour,
        )
    ]
    times = (
        *(visit.last_t for visit in state.visits.values()),
        *(tracked.last_t for tracked in state.tracked.values()),
        *(tracked.evidence.since for tracked in state.tracked.values()),
        *(t for tracked in state.tracked.values() for t in tracked.held_since.values()),
        *(t for each in state.incidents.values() for t in (each.last_t, each.opened_at)),
        *(t for each in (state.errors, state.resolved, state.releases, state.withdrawn) for t in each.values()),
        *(t for waiting in state.abandoning.values() for t in waiting.values()),
        *(daily.day * DAY_MS for daily in state.daily.values()),
        *(state.traffic.judged_t, state.traffic.since, state.traffic.rated_minute * MINUTE_MS),
    )
    found: tuple[int, ...] = (state.now, state.first_t, *minutes, *hours, *times)
    return max(found)


def test_who_is_a_little_ahead_is_left_alone() -> None:
    core, site = AlertCore([MANY], AlertLimits()), Site()
    for item in complaints(site, START_MS):
        core.feed(item, item.t)
    before = msgspec.msgpack.encode(core.state("shop"))
    assert core.set_back(START_MS - 9 * MINUTE_MS) == 0
    assert msgspec.msgpack.encode(core.state("shop")) == before


class TestRecordings:
    def test_one_wrong_clock_does_not_move_the_time_of_a_recording(self) -> None:
        site = Site()
        items = list(site.traffic(START_MS, 1, PAGE, 0.0))
        wrong = complaints(site, START_MS + HOUR_MS, 1, YEARS_MS)
        after = complaints(site, START_MS + HOUR_MS)
        core = AlertCore([MANY], AlertLimits())
        alerts = list(play([*items, *wrong, *after], core))
        assert [alert.fired_at // HOUR_MS for alert in fired(alerts)] == [START_MS // HOUR_MS + 1]
        assert core.state("shop").late == 0
        assert core.state("shop").ahead == 3

    def test_also_at_the_start_and_in_one_of_two_files(self) -> None:
        site = Site()
        wrong = complaints(site, START_MS, 1, YEARS_MS)
        found = [*wrong, *complaints(site, START_MS + 5_000)]
        core = AlertCore([MANY], AlertLimits())
        visits = site.traffic(START_MS, 2, PAGE, 0.0)
        assert len(fired(list(play(in_order([iter(found), visits]), core)))) == 1
        assert core.state("shop").late == 0

    def test_a_night_without_visitors_is_a_night(self) -> None:
        site = Site()
        items = [*site.traffic(START_MS, 1, PAGE, 0.0), *complaints(site, START_MS + 9 * HOUR_MS)]
        late = complaints(site, START_MS + HOUR_MS, 2)
        told = [
            at for at, item in heard([*items, *late], AlertLimits().max_ahead_ms) if item.t > START_MS + 9 * HOUR_MS
        ]
        assert told[0] > START_MS + 9 * HOUR_MS

    @given(st.lists(st.integers(START_MS, START_MS + 10 * DAY_MS), max_size=60).map(sorted))
    def test_what_is_in_order_is_heard_of_when_it_was(self, times: list[int]) -> None:
        site = Site()
        items = [item for t in times for item in site.visit(t, PAGE)[1]]
        assert [(at, item.id) for at, item in heard(items, 0)] == [(item.t, item.id) for item in items]  # type: ignore[union-attr]
