"""A small site for tests: visitors come at even pace, complain at a known share, leave activities and signals."""

import random
from collections.abc import Iterator

from engine.alerts.backtest import play
from engine.alerts.core import AlertCore, Item
from engine.alerts.rules import AlertLimits, Rule
from schemas.activity import Activity
from schemas.alerts import Alert
from schemas.signals import Signal, Target

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
START_MS = 1_767_571_200_000
ALL = ("project", "page", "element", "error", "release", "device", "country")
SPIKE = Rule(name="spike", kind="spike", dimensions=ALL)  # type: ignore[arg-type]  # a tuple of dimensions


class Site:
    """Makes items; every session and signal has an id of its own."""

    def __init__(self, seed: int = 1, project_id: str = "shop") -> None:
        self.rng = random.Random(seed)
        self.project_id = project_id
        self.count = 0

    def visit(self, t: int, page: str, release: str = "1.0") -> tuple[str, list[Item]]:
        self.count += 1
        session_id = f"{self.project_id}-{self.count}"
        runs_on = {"release": release, "device": "phone"}
        start = Activity(f"{session_id}-s", "session_start", self.project_id, session_id, t, attributes=runs_on)
        shown = Activity(f"{session_id}-p", "page_start", self.project_id, session_id, t, "w", page, attributes=runs_on)
        return session_id, [start, shown]

    def complaint(self, session_id: str, t: int, page: str, detector: str = "rage_click", error: str = "") -> Signal:
        self.count += 1
        return Signal(
            id=f"signal-{self.count}", detector=detector, session_id=session_id, window_id="w",
            project_id=self.project_id, t=t, end_t=t + 500, page=page, target=Target(1, "main > a", "a", "Pay"),
            rule="test@1", evidence={"fingerprint": error} if error else {}, attributes={"release": "1.0"},
        )  # fmt: skip

    def traffic(self, start: int, hours: float, page: str, share: float, every_ms: int = 60_000) -> Iterator[Item]:
        for t in range(start, start + int(hours * HOUR_MS), every_ms):
            session_id, activities = self.visit(t, page)
            yield from activities
            if self.rng.random() < share:
                yield self.complaint(session_id, t + 2_000, page)


def run(items: Iterator[Item] | list[Item], *rules: Rule, core: AlertCore | None = None) -> list[Alert]:
    """Feed items to a core in their order and give all alerts."""
    return list(play(items, core or AlertCore(rules, AlertLimits())))


def fired(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.resolved_at is None]


def joined(activities: list[Item], *more: Item) -> list[Item]:
    return [*activities, *more]
