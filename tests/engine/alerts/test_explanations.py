"""What is no spike, though it looks like one, and what is told sooner or by a better name."""

import random
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.alerts.core import AlertCore, ErrorResolved, Item
from engine.alerts.keys import OTHER
from engine.alerts.rules import AlertLimits, Rule
from engine.alerts.rules_file import default_rules
from engine.alerts.state import Traffic
from engine.alerts.traffic import judge, started, usual
from schemas.activity import Activity
from tests.engine.alerts.site import DAY_MS, HOUR_MS, SPIKE, START_MS, Site, fired, run

CALM_PAGE = "https://shop.example/"
BAD_PAGE = "https://shop.example/search"
NEW_ERROR = Rule(name="new", kind="new_error", detectors=("js_error",), dimensions=("error",), min_sessions=3)
MINUTE_MS = 60_000


def mixed(site: Site, start: int, hours: float, *, bad_every: int, every_ms: int = 30_000) -> Iterator[Item]:
    """Visitors of a page nobody complains of; every so many go to another, of which a fifth do."""
    for number, t in enumerate(range(start, start + int(hours * HOUR_MS), every_ms)):
        page = BAD_PAGE if number % bad_every == 0 else CALM_PAGE
        session_id, activities = site.visit(t, page)
        yield from activities
        if page == BAD_PAGE and site.rng.random() < 0.2:
            yield site.complaint(session_id, t + 1_000, page)


class TestCampaigns:
    def test_more_visitors_of_a_bad_page_are_no_spike_of_the_project(self) -> None:
        site = Site()
        items = [
            *mixed(site, START_MS, 72, bad_every=20),
            *mixed(site, START_MS + 3 * DAY_MS, 3, bad_every=2, every_ms=10_000),
        ]
        assert fired(run(items, SPIKE)) == []


class TestBases:
    def test_pages_that_are_not_told_of_are_measured_by_all_sessions(self) -> None:
        site, items = Site(), list[Item]()
        for number in range(3 * 24 * 30):
            t = START_MS + number * 2 * MINUTE_MS
            session_id, activities = site.visit(t, CALM_PAGE)
            items += activities
            if number % 50 == 0 or number > 3 * 24 * 30 - 30:
                items.append(site.complaint(session_id, t + 1_000, "https://shop.example/untold"))
        (alert,) = fired(run(items, Rule(name="spike", kind="spike", dimensions=("page",))))
        assert alert.fired_at > START_MS + 71 * HOUR_MS

    def test_releases_that_only_signals_name_have_no_spike(self) -> None:
        site, items = Site(), list[Item]()
        for number in range(4 * 24 * 30):
            t = START_MS + number * 2 * MINUTE_MS
            items.append(Activity(f"s{number}", "session_start", "shop", f"v{number}", t))
            if number % 10 == 0:
                complaint = site.complaint(f"v{number}", t + 1_000, CALM_PAGE)
                items.append(replace(complaint, attributes={"release": f"1.{number // 240}"}))
        assert fired(run(items, SPIKE)) == []

    def test_pages_nobody_goes_to_any_more_make_room(self) -> None:
        site = Site()
        core = AlertCore([SPIKE], AlertLimits(max_keys=50))
        crowd = [
            item
            for number in range(200)
            for item in site.visit(START_MS + number * 1_000, f"https://shop.example/{_word(number)}")[1]
        ]
        run(crowd, core=core)
        assert core.state("shop").folded
        run(site.visit(START_MS + DAY_MS, "https://shop.example/later")[1], core=core)
        run(site.visit(START_MS + DAY_MS + HOUR_MS, "https://shop.example/again")[1], core=core)
        assert "page:https://shop.example/again" in core.state("shop").bases
        assert not any(key.endswith(OTHER) for key in core.state("shop").visits[f"shop-{site.count}"].bases)


class TestEvidence:
    @pytest.mark.parametrize(("every_ms", "is_told"), [(120_000, True), (2_000, False)])
    def test_larger_sites_need_more_of_it(self, every_ms: int, is_told: bool) -> None:  # noqa: FBT001 - a parameter
        site = Site()
        items = list(site.traffic(START_MS, 25, CALM_PAGE, 0.0, every_ms=every_ms))
        for number in range(3):
            t = START_MS + 25 * HOUR_MS + number
            session_id, activities = site.visit(t, CALM_PAGE)
            items += [*activities, site.complaint(session_id, t, CALM_PAGE)]
        rule = Rule(name="spike", kind="spike", dimensions=("page",), min_sessions=3, evidence=14)
        assert bool(fired(run(items, rule))) is is_told


class TestNames:
    def test_a_release_all_run_is_not_the_name_of_what_all_have(self) -> None:
        site, items = Site(), list[Item]()
        for number in range(3 * 24 * 60 + 120):
            t = START_MS + number * MINUTE_MS
            page = f"https://shop.example/{_word(number % 40)}"
            session_id, activities = site.visit(t, page)
            items += activities
            if number % 50 == 0 or (number > 3 * 24 * 60 and number % 2 == 0):
                items.append(site.complaint(session_id, t + 1_000, page))
        (alert,) = fired(run(items, SPIKE))
        assert alert.key.dimension == "project"


class TestErrors:
    def error(self, site: Site, t: int, name: str) -> list[Item]:
        session_id, activities = site.visit(t, CALM_PAGE)
        return [*activities, site.complaint(session_id, t + 1_000, CALM_PAGE, "js_error", name)]

    def test_a_rare_error_that_may_always_have_been_there_is_not_new(self) -> None:
        site = Site()
        items = list(site.traffic(START_MS, 36, CALM_PAGE, 0.0, every_ms=600_000))
        for hour in range(36, 60, 8):
            items += self.error(site, START_MS + hour * HOUR_MS, "rare")
            items += site.traffic(START_MS + hour * HOUR_MS + 2_000, 7.9, CALM_PAGE, 0.0, every_ms=600_000)
        assert fired(run(items, NEW_ERROR)) == []

    def test_an_error_that_was_gone_for_days_is_new_again_and_told_once(self) -> None:
        site = Site()
        items = list(site.traffic(START_MS, 24, CALM_PAGE, 0.0))
        for number in range(5):
            items += self.error(site, START_MS + DAY_MS + number * 1_000, "old")
        items += site.traffic(START_MS + DAY_MS + HOUR_MS, 96, CALM_PAGE, 0.0)
        for number in range(5):
            items += self.error(site, START_MS + 6 * DAY_MS + number * HOUR_MS, "old")
            items += site.traffic(START_MS + 6 * DAY_MS + number * HOUR_MS + 2_000, 0.9, CALM_PAGE, 0.0)
        first, again = fired(run(items, NEW_ERROR))
        assert first.fired_at < START_MS + 2 * DAY_MS
        assert again.fired_at == START_MS + 6 * DAY_MS + 2 * HOUR_MS + 1_000

    def test_a_rare_error_that_was_quiet_for_days_is_not_new(self) -> None:
        site = Site()
        items = list(site.traffic(START_MS, 48, CALM_PAGE, 0.0))
        for hour, hours in ((48, 30), (78, 30), (108, 30), (138, 96), (234, 1), (235, 1), (236, 1)):
            items += self.error(site, START_MS + hour * HOUR_MS, "rare")
            items += site.traffic(START_MS + hour * HOUR_MS + 2_000, hours - 0.1, CALM_PAGE, 0.0)
        assert fired(run(items, NEW_ERROR)) == []

    def test_old_tabs_do_not_make_a_regression_with_those_of_a_new_release(self) -> None:
        site, rule = Site(), next(rule for rule in default_rules().rules if rule.kind == "regression")
        items: list[Item] = [
            *site.traffic(START_MS, 1, CALM_PAGE, 0.0),
            *self.error(site, START_MS + HOUR_MS, "e"),
            ErrorResolved("shop", "e", START_MS + HOUR_MS + 5_000),
        ]
        for number in range(5):
            items += self.error(site, START_MS + 2 * HOUR_MS + number * 1_000, "e")
        assert fired(run(items, rule)) == []


class TestAbsence:
    @pytest.mark.parametrize(("left", "day"), [(0.0, 3), (0.25, 3), (0.0, 8), (0.25, 8)])
    def test_visitors_are_missed_from_the_third_working_day_on(self, left: float, day: int) -> None:
        rng, traffic = random.Random(1), Traffic()
        highest = 0.0
        for minute in range(day * 1_440 + 14 * 60):
            t = START_MS + minute * MINUTE_MS
            share = left if minute >= day * 1_440 + 12 * 60 else 1.0
            for _ in range(2):
                if rng.random() < share * (0.3 if minute % 1_440 < 360 else 0.9):
                    started(traffic, t)
            judge(traffic, t + MINUTE_MS - 1)
            if share == 1.0:
                highest = max(highest, traffic.evidence)
        assert highest < 12 <= traffic.evidence

    def test_nothing_is_known_of_a_first_weekend_that_is_quiet_from_the_start(self) -> None:
        traffic = Traffic()
        for minute in range(7 * 1_440):
            t = START_MS + minute * MINUTE_MS
            if minute < 5 * 1_440 + 60:
                started(traffic, t)
            judge(traffic, t)
        assert usual(traffic, START_MS + 6 * DAY_MS) == 0.0


def _word(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))
