"""Visitors of three projects who go on coming, and, counted apart from the engine, what must be known of them."""

import asyncio
import random
from collections import defaultdict
from typing import NamedTuple

from engine.alerts.core import Item
from schemas.activity import Activity
from schemas.signals import Signal
from tests.alerts.site import AlertSite, now_ms
from tests.engine.alerts.site import Site

PROJECTS = ("shop", "news", "bank")
PAGES = tuple(f"https://site.example/{name}" for name in ("cart", "home", "search", "terms", "help", "login", "end"))
AT_ONCE = 40
PAUSE_SECONDS = 0.15
ENOUGH = 5


class Known(NamedTuple):
    """Of a project: distinct sessions and signals by page, and distinct sessions that were on a page."""

    concerned: dict[str, set[str]]
    signals: dict[str, set[str]]
    visited: dict[str, set[str]]


class Load:
    """Sends until it is stopped; some of it twice, and always each session on one page only."""

    def __init__(
        self, site: AlertSite, seed: int, at_once: int = AT_ONCE, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        self._site = site
        self._at_once = at_once
        self._pause_seconds = pause_seconds
        self._rng = random.Random(seed)
        self._visitors = {name: Site(seed, name) for name in PROJECTS}
        self._stopped = False
        self.sent: list[Item] = []

    async def run(self) -> None:
        while not self._stopped:
            items = [item for _ in range(self._at_once) for item in self._visit()]
            again = self._rng.sample(self.sent, min(len(self.sent), self._at_once // 4))
            await self._site.send([*items, *again])
            self.sent += items
            await asyncio.sleep(self._pause_seconds)

    def stop(self) -> None:
        self._stopped = True

    @property
    def is_stopped(self) -> bool:
        return self._stopped

    def _visit(self) -> list[Item]:
        visitors, page = self._visitors[self._rng.choice(PROJECTS)], self._rng.choice(PAGES)
        session_id, activities = visitors.visit(now_ms(), page)
        complaints = self._rng.choice((0, 0, 0, 1, 3))
        return [*activities, *(visitors.complaint(session_id, now_ms(), page) for _ in range(complaints))]

    def known(self, project_id: str) -> Known:
        """Count what was sent of a project."""
        known = Known(defaultdict(set), defaultdict(set), defaultdict(set))
        for item in self.sent:
            match item:
                case Signal(project_id=of) if of == project_id:
                    known.concerned[item.page].add(item.session_id)
                    known.signals[item.page].add(item.id)
                    known.visited[item.page].add(item.session_id)
                case Activity(project_id=of, page=str(page)) if of == project_id:
                    known.visited[page].add(item.session_id)
        return known


async def verify(site: AlertSite, load: Load) -> None:
    """Compare what is stored with what was sent."""
    for project_id in PROJECTS:
        known, state = load.known(project_id), (await site.stored(project_id)).state
        tracked = {each.key.value: each for each in state.tracked.values() if each.key.dimension == "page"}
        assert {page: each.sessions.total for page, each in tracked.items()} == _counts(known.concerned)
        assert {page: each.signals.total for page, each in tracked.items()} == _counts(known.signals)
        bases = {name.removeprefix("page:"): base for name, base in state.bases.items() if name.startswith("page:")}
        assert {page: base.total for page, base in bases.items()} == _counts(known.visited)
        assert state.late == 0
        alerts = await site.alerts(project_id)
        told = sorted(alert.key.value for alert in alerts)
        assert told == sorted(page for page, ids in known.concerned.items() if len(ids) >= ENOUGH)
        assert {alert.numbers.sessions for alert in alerts} <= {ENOUGH}


def _counts(found: dict[str, set[str]]) -> dict[str, int]:
    return {page: len(ids) for page, ids in found.items()}
