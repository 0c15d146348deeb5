from itertools import chain
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alerts.core import AlertCore, ErrorResolved, Item
from engine.alerts.counting import MAX_RELEASES
from engine.alerts.parts import Parts, read_parts
from engine.alerts.rules import AlertLimits, Rule
from schemas.activity import Activity
from tests.engine.alerts.site import DAY_MS, HOUR_MS, SPIKE, START_MS, Site, fired, joined, run
from tests.engine.alerts.stored import Stored

PAGE = "https://shop.example/cart"
OTHER = "https://shop.example/home"
BAD = START_MS + 2 * DAY_MS


def calm_days(site: Site, days: int = 2) -> list[Item]:
    return list(
        chain(
            site.traffic(START_MS, days * 24, PAGE, 0.02),
            # Both pages are visited all the time, so that each has its own usual share.
            site.traffic(START_MS, days * 24, OTHER, 0.02),
        )
    )


def by_time(items: list[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.t)


class TestSpike:
    def test_a_page_that_hurts_is_told_once_and_is_over(self) -> None:
        site = Site()
        items = calm_days(site)
        items += site.traffic(BAD, 1, PAGE, 0.5)
        items += site.traffic(BAD, 12, OTHER, 0.02)
        items += site.traffic(BAD + HOUR_MS, 11, PAGE, 0.02)
        alerts = run(by_time(items), SPIKE)
        assert len(alerts) == 2
        told, over = alerts
        assert (told.rule, told.project_id, told.severity) == ("spike", "shop", "warning")
        assert told.key.dimension in {"page", "element"}
        assert told.key.value.startswith(PAGE)
        assert BAD <= told.fired_at < BAD + 20 * 60_000
        assert told.numbers.sessions >= 5
        assert told.numbers.baseline_rate < 0.06 < told.numbers.rate
        assert 1 <= len(told.moments) <= 3
        assert over.id == told.id
        assert over.resolved_at is not None
        assert over.resolved_at > BAD + HOUR_MS

    def test_calm_days_are_calm(self) -> None:
        assert run(by_time(calm_days(Site(2), days=4)), SPIKE) == []

    def test_one_visitor_is_one_visitor(self) -> None:
        site = Site()
        items = calm_days(site)
        session_id, activities = site.visit(BAD, PAGE)
        items += activities
        items += [site.complaint(session_id, BAD + number * 100, PAGE) for number in range(2_000)]
        assert run(by_time(items), SPIKE) == []

    def test_more_visitors_of_a_page_are_no_complaint(self) -> None:
        site = Site()
        items = calm_days(site)
        items += site.traffic(BAD, 2, PAGE, 0.02, every_ms=2_000)
        assert run(by_time(items), SPIKE) == []

    def test_what_was_told_long_ago_is_not_told_again(self) -> None:
        site = Site()
        items = by_time(calm_days(site))
        again = [item for item in items if not isinstance(item, Activity)][:500]
        core = AlertCore([SPIKE], AlertLimits())
        assert run([*items, *again], core=core) == []

    def test_an_unknown_project_is_known_first(self) -> None:
        assert run(list(Site().traffic(START_MS, 5, PAGE, 0.9)), SPIKE) == []

    def test_ids_in_addresses_make_no_keys(self) -> None:
        site = Site()
        core = AlertCore([SPIKE], AlertLimits())
        for number in range(300):
            t = START_MS + number * 1_000
            session_id, activities = site.visit(t, f"{OTHER}/{number + 10_000}")
            for item in joined(activities, site.complaint(session_id, t, f"{OTHER}/{number + 10_000}")):
                core.feed(item, t)
        (state,) = (project.state for project in core._projects.values())
        assert [key for key in state.tracked if " page " in key] == [f"rage_click page {OTHER}/*"]

    def test_releases_are_bounded(self) -> None:
        site, core = Site(), AlertCore([SPIKE], AlertLimits())
        for number in range(MAX_RELEASES + 10):
            for item in site.visit(START_MS + number, PAGE, release=f"r{number}")[1]:
                core.feed(item, item.t)
        assert len(core.state("shop").releases) == MAX_RELEASES

    def test_values_beyond_the_bound_share_a_key(self) -> None:
        site = Site()
        core = AlertCore([SPIKE], AlertLimits(max_keys=20))
        for number in range(500):
            t = START_MS + number * 1_000
            word = "".join(chr(97 + int(digit)) for digit in str(number))
            session_id, activities = site.visit(t, f"{OTHER}-{word}")
            for item in joined(activities, site.complaint(session_id, t, f"{OTHER}-{word}")):
                core.feed(item, t)
        (state,) = (project.state for project in core._projects.values())
        assert state.folded
        assert len(state.tracked) <= 20 + len(("page", "element"))
        assert len(state.bases) <= 40


class TestOtherRules:
    def test_a_new_error_is_told_at_the_third_session(self) -> None:
        rule = Rule(name="new", kind="new_error", detectors=("js_error",), dimensions=("error",), min_sessions=3)
        site = Site()
        items = by_time(calm_days(site))
        for number in range(5):
            t = BAD + number * 60_000
            session_id, activities = site.visit(t, PAGE)
            items += [*activities, site.complaint(session_id, t + 1, PAGE, "js_error", "fresh")]
        (alert,) = fired(run(items, rule))
        assert alert.key.value == "fresh"
        assert alert.fired_at == BAD + 2 * 60_000 + 1

    def test_a_resolved_error_is_back_with_a_release_after_that(self) -> None:
        rule = Rule(name="back", kind="regression", detectors=("js_error",), dimensions=("error",), min_sessions=2)
        site, core = Site(), AlertCore([rule], AlertLimits())

        def happens(t: int, release: str) -> None:
            session_id, activities = site.visit(t, PAGE, release)
            signal = site.complaint(session_id, t + 1, PAGE, "js_error", "old")
            for item in joined(activities, signal):
                core.feed(item, t + 1)

        happens(START_MS, "1.0")
        core.feed(ErrorResolved("shop", "old", START_MS + 1_000), START_MS + 1_000)
        for number in range(5):
            happens(START_MS + 5_000 + number, "1.0")
        assert core.take() == []

        def signal_of(t: int, release: str) -> None:
            session_id, activities = site.visit(t, PAGE, release)
            for item in activities:
                core.feed(item, t)
            signal = site.complaint(session_id, t, PAGE, "js_error", "old")
            signal.attributes["release"] = release
            core.feed(signal, t)

        for number in range(3):
            signal_of(START_MS + 20_000 + number, "1.1")
        (alert,) = core.take()
        assert (alert.rule, alert.key.value) == ("back", "old")

    def test_visitors_who_stay_away_are_missed(self) -> None:
        rule = Rule(name="gone", kind="absence", warm_up_ms=8 * DAY_MS)
        site = Site()
        items = list(site.traffic(START_MS, 24 * 9, PAGE, 0, 120_000))
        items += site.traffic(START_MS + 9 * DAY_MS + 2 * HOUR_MS, 1, PAGE, 0)
        gone, back = run(by_time(items), rule)
        assert gone.fired_at < START_MS + 9 * DAY_MS + HOUR_MS
        assert gone.key.detector == ""
        assert gone.numbers.baseline_rate > 25
        assert back.resolved_at is not None

    def test_time_alone_tells_of_visitors_who_stay_away(self) -> None:
        core = AlertCore([Rule(name="gone", kind="absence", warm_up_ms=8 * DAY_MS)], AlertLimits())
        assert run(list(Site().traffic(START_MS, 24 * 9, PAGE, 0, 120_000)), core=core) == []
        end = START_MS + 9 * DAY_MS
        for minute in range(60):
            core.tick(end + minute * 60_000)
        (alert,) = core.take()
        assert end < alert.fired_at < end + 45 * 60_000

    @pytest.mark.parametrize(
        ("kind", "threshold", "sessions"), [("sessions", 9.0, 10), ("signals", 19.0, 10), ("share", 0.3, 5)]
    )
    def test_thresholds(self, kind: str, threshold: float, sessions: int) -> None:
        rule = Rule(name="many", kind=kind, threshold=threshold, dimensions=("page",), min_sessions=5)  # type: ignore[arg-type]  # one of the kinds
        site = Site()
        items: list[Item] = []
        for number in range(12):
            t = START_MS + number * 1_000
            session_id, activities = site.visit(t, PAGE)
            items += [*activities, site.complaint(session_id, t, PAGE), site.complaint(session_id, t + 1, PAGE)]
        (alert,) = fired(run(by_time(items), rule))
        assert alert.numbers.sessions == sessions

    def test_what_is_graver_is_told_by_itself(self) -> None:
        chat = Rule(name="chat", kind="sessions", threshold=3, dimensions=("page",), min_sessions=3, severity="info")
        pager = Rule(name="pager", kind="sessions", threshold=9, dimensions=("page",), severity="critical")
        items = by_time(list(Site().traffic(START_MS, 0.5, PAGE, 1.0, every_ms=20_000)))
        alerts = fired(run(items, chat, pager))
        assert [(alert.rule, alert.severity) for alert in alerts] == [("chat", "info"), ("pager", "critical")]

    @pytest.mark.parametrize("changes", [{"severity": "critical"}, {"routes": ("pager",)}])
    def test_a_spike_joins_what_tells_the_same_people_only(self, changes: dict[str, Any]) -> None:
        few = Rule(name="few", kind="sessions", threshold=1, dimensions=("page",), min_sessions=1)
        site = Site()
        items = calm_days(site)
        items += site.traffic(BAD, 1, PAGE, 0.9)
        assert "spike" not in {alert.rule for alert in fired(run(by_time(items), few, SPIKE))}
        other = msgspec.structs.replace(SPIKE, **changes)
        assert "spike" in {alert.rule for alert in fired(run(by_time(items), few, other))}

    def test_a_threshold_is_over_when_it_is_not_reached_any_more(self) -> None:
        rule = Rule(name="many", kind="sessions", threshold=4, dimensions=("page",))
        site = Site()
        items = by_time(list(site.traffic(START_MS, 1, PAGE, 1.0)))
        core, end = AlertCore([rule], AlertLimits()), items[-1].t
        assert [alert.resolved_at for alert in run(items, core=core)] == [None]
        for minute in range(end, end + 20 * 60_000, 60_000):
            core.tick(minute)
        (over,) = core.take()
        assert end < (over.resolved_at or 0) <= end + 12 * 60_000

    def test_a_threshold_is_not_over_because_it_is_usual(self) -> None:
        rule = Rule(name="many", kind="share", threshold=0.1, dimensions=("page",))
        alerts = run(by_time(list(Site().traffic(START_MS, 48, PAGE, 0.5, every_ms=20_000))), rule)
        assert [alert.resolved_at for alert in alerts] == [None]

    def test_it_has_to_last(self) -> None:
        rule = Rule(name="many", kind="sessions", threshold=3, min_sessions=1, for_ms=5 * 60_000)
        site = Site()
        items = list(site.traffic(START_MS, 0.2, PAGE, 1.0, every_ms=20_000))
        (alert,) = fired(run(by_time(items), rule))
        assert alert.fired_at >= START_MS + 5 * 60_000

    def test_a_session_that_scores_is_told_once(self) -> None:
        rule = Rule(name="score", kind="score", threshold=25)
        site = Site()
        session_id, activities = site.visit(START_MS, PAGE)
        items = joined(activities, *(site.complaint(session_id, START_MS + number, PAGE) for number in range(20)))
        (alert,) = run(items, rule)
        assert alert.moments[0].session_id == session_id
        assert alert.numbers.rate >= 25

    def test_a_cart_that_is_left(self) -> None:
        thanks = "https://shop.example/thanks"
        rule = Rule(name="cart", kind="abandoned", page=PAGE, goal_page=thanks, window_ms=30 * 60_000)
        site, core = Site(), AlertCore([rule], AlertLimits())
        left, activities = site.visit(START_MS, PAGE)
        bought, more = site.visit(START_MS, PAGE)
        goal = Activity("goal", "page_start", "shop", bought, START_MS + 60_000, "w", thanks)
        for item in (*activities, *more, goal):
            core.feed(item, START_MS + 60_000)
        core.tick(START_MS + 29 * 60_000)
        assert core.take() == []
        core.tick(START_MS + 31 * 60_000)
        (alert,) = core.take()
        assert alert.moments[0].session_id == left

    def test_what_was_withdrawn_is_shown_to_nobody(self) -> None:
        rule = Rule(name="many", kind="sessions", threshold=3, min_sessions=1)
        site, core = Site(), AlertCore([rule], AlertLimits())
        ids: list[str] = []
        for number in range(6):
            if number == 3:
                core.feed(Activity("gone", "session_withdrawn", "shop", ids[0], START_MS), START_MS)
            session_id, activities = site.visit(START_MS + number, PAGE)
            ids.append(session_id)
            for item in joined(activities, site.complaint(session_id, START_MS + number, PAGE)):
                core.feed(item, START_MS + number)
        stored = Stored()
        stored.save(Parts(core.state("shop")))
        held = b"".join(stored.parts) + msgspec.msgpack.encode(read_parts(stored.parts))
        assert b"\xa6" + ids[0].encode() not in held
        assert b"v" + ids[0].encode() not in stored.parts
        (alert,) = core.take()
        assert ids[0] not in {moment.session_id for moment in alert.moments}


Step = tuple[int, int, int]
"""How long after the one before a visitor comes (ms), to which page, and how often they complain."""

HISTORIES = st.lists(
    st.tuples(st.sampled_from([1, 1_000, 60_000, HOUR_MS]), st.integers(0, 1), st.integers(0, 3)),
    min_size=1,
    max_size=60,
)


def items_of(steps: list[Step]) -> list[Item]:
    site, items, t = Site(), list[Item](), START_MS
    for wait_ms, page, complaints in steps:
        t += wait_ms
        session_id, activities = site.visit(t, (PAGE, OTHER)[page])
        items += activities
        items += [site.complaint(session_id, t, (PAGE, OTHER)[page], "js_error", "e1") for _ in range(complaints)]
    return items


RULES = (
    Rule(name="sessions", kind="sessions", threshold=2, min_sessions=1, dimensions=("project", "page", "element")),
    Rule(name="spike", kind="spike", dimensions=("page", "error"), warm_up_ms=0, evidence=3, min_sessions=2),
    Rule(name="new", kind="new_error", dimensions=("error",), warm_up_ms=0, min_sessions=2),
)


class Restarting(AlertCore):
    """Forgets all it is not told again by what a store has, before the item with a number."""

    def __init__(self, restart_before: int) -> None:
        super().__init__(RULES, AlertLimits())
        self._left = restart_before
        self._stored = Stored()
        self._parts = Parts(self.state("shop"))

    def feed(self, item: Item, now_ms: int) -> None:
        if self._left == 0:
            self._stored.save(self._parts)
            self._projects.clear()
            self.adopt("shop", read_parts(self._stored.parts))
        self._left -= 1
        super().feed(item, now_ms)


class TestForEveryInput:
    @given(HISTORIES)
    def test_what_comes_twice_counts_once(self, steps: list[Step]) -> None:
        items = items_of(steps)
        assert run([again for item in items for again in (item, item)], *RULES) == run(items, *RULES)

    @given(HISTORIES, st.data())
    def test_a_restart_changes_nothing(self, steps: list[Step], data: st.DataObject) -> None:
        items = items_of(steps)
        cut = data.draw(st.integers(0, len(items)))
        assert run(items, core=Restarting(cut)) == run(items, *RULES)

    @given(HISTORIES)
    def test_alerts_end_only_once_and_after_they_fired(self, steps: list[Step]) -> None:
        items = items_of(steps)
        core = AlertCore(RULES, AlertLimits())
        alerts = run(items, core=core)
        core.tick(items[-1].t + 3 * DAY_MS)
        alerts += core.take()
        told = [alert.id for alert in fired(alerts)]
        over = {alert.id: alert.resolved_at for alert in alerts if alert.resolved_at is not None}
        assert len(told) == len(set(told))
        assert sorted(over) == sorted(told)
        assert all((end or 0) >= alert.fired_at for alert in fired(alerts) for end in [over[alert.id]])
