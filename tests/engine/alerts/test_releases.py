"""Releases are remembered within a bound: what had to be forgotten is not taken for new."""

import msgspec
import pytest

from engine.alerts.core import AlertCore, ErrorResolved
from engine.alerts.counting import GONE_MS, MAX_RELEASES
from engine.alerts.rules import AlertLimits, Rule
from tests.engine.alerts.site import DAY_MS, HOUR_MS, START_MS, Site, fired
from tests.engine.alerts.test_core import PAGE

BACK = Rule(name="back", kind="regression", dimensions=("error",), min_sessions=1)
RESOLVED = START_MS + HOUR_MS


class History:
    """A site whose visitors have releases."""

    def __init__(self) -> None:
        self.site, self.core = Site(), AlertCore([BACK], AlertLimits())

    def visit(self, t: int, release: str, *, fails: bool = False) -> None:
        session_id, items = self.site.visit(t, PAGE, release)
        if fails:
            signal = self.site.complaint(session_id, t, PAGE, "js_error", "e1")
            items.append(msgspec.structs.replace(signal, attributes={"release": release}))
        for item in items:
            self.core.feed(item, t)

    def flood(self, start: int, every_ms: int = 1) -> int:
        for number in range(MAX_RELEASES + 10):
            self.visit(start + number * every_ms, f"made-up-{start}-{number}")
        return start + (MAX_RELEASES + 10) * every_ms

    def is_told(self) -> bool:
        return bool(fired(self.core.take()))


def test_a_release_in_use_that_was_forgotten_is_not_new() -> None:
    history = History()
    history.visit(START_MS, "1.0", fails=True)
    history.core.feed(ErrorResolved("shop", "e1", RESOLVED), RESOLVED)
    history.flood(RESOLVED + HOUR_MS)
    assert "1.0" not in history.core.state("shop").releases
    history.visit(RESOLVED + 2 * HOUR_MS, "1.0", fails=True)
    assert not history.is_told()


def test_one_that_goes_on_being_seen_is_not_forgotten() -> None:
    history = History()
    history.visit(START_MS, "1.0", fails=True)
    for number in range(3):
        history.flood(START_MS + number * HOUR_MS)
        history.visit(START_MS + (number + 1) * HOUR_MS, "2.0")
        history.visit(START_MS + (number + 1) * HOUR_MS, "1.0")
    releases = history.core.state("shop").releases
    assert list(releases)[-2:] == ["2.0", "1.0"]
    assert len(releases) == MAX_RELEASES


@pytest.mark.parametrize("days", [4, 30])
def test_later_new_releases_are_new_again(days: int) -> None:
    history = History()
    history.visit(START_MS, "1.0", fails=True)
    over = history.flood(START_MS + HOUR_MS)
    assert history.core.state("shop").releases_doubtful_until <= over + GONE_MS
    history.core.feed(ErrorResolved("shop", "e1", START_MS + 2 * DAY_MS), START_MS + 2 * DAY_MS)
    history.visit(START_MS + days * DAY_MS, "3.0", fails=True)
    assert history.is_told()


def test_many_releases_over_the_years_cast_no_doubt() -> None:
    history = History()
    history.flood(START_MS, every_ms=2 * HOUR_MS)
    state = history.core.state("shop")
    assert state.releases_doubtful_until == 0
    assert len(state.releases) == MAX_RELEASES
