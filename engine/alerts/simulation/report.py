"""How good alerters are on traffic whose incidents are known."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from engine.alerts.backtest import play
from engine.alerts.core import AlertCore
from engine.alerts.history import HOUR_MS
from engine.alerts.rules import RulesFile
from engine.alerts.simulation.incidents import Happening, plan
from engine.alerts.simulation.rivals import Binned, Told
from engine.alerts.simulation.traffic import Oracle, visits
from engine.alerts.simulation.world import DAY_MS, START_MS, Site, make_site, sessions_a_minute
from schemas.activity import Activity
from schemas.signals import Signal

SITES: Final = (("shop", 3_000.0, 40), ("news", 5_000.0, 30), ("tool", 800.0, 20))
AFTER_MS: Final = HOUR_MS // 2
"""An alarm so long after the end of an incident may still be about it."""

ABSENCE_SESSIONS: Final = {"absence": 15.0, "half_absence": 50.0}
"""An absence can be known of once so many sessions should have come: more of them where some do."""

SHIFT_MS: Final = 5 * HOUR_MS
_WEEK_MS: Final = 7 * DAY_MS


class Quality(msgspec.Struct):
    """How one alerter did: shares, seconds after an incident could be known of, and alarms for nothing."""

    name: str
    incidents: int = 0
    detected: int = 0
    by_chance: int = 0
    delays_s: list[float] = []
    false_alarms: int = 0
    trap_alarms: int = 0
    repeats: int = 0
    project_weeks: float = 0.0
    kinds: dict[str, list[int]] = {}
    traps: dict[str, int] = {}

    @property
    def recall(self) -> float:
        """The share of incidents that were detected."""
        return self.detected / max(self.incidents, 1)

    @property
    def precision(self) -> float:
        """The share of alarms that were about an incident."""
        true = self.detected + self.repeats
        return true / max(true + self.false_alarms + self.trap_alarms, 1)


def simulate(rules: RulesFile, *, days: int, seeds: Sequence[int], console: Console | None) -> list[Quality]:
    """Run rules and their rivals over simulated days and print how they did; as JSON without a console.

    Each seed makes other traffic; what is told is of all of them together.
    """
    qualities = [Quality("these rules"), Quality("fixed threshold"), Quality("three sigma")]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("simulating", total=days * len(SITES) * len(seeds))
        for seed in seeds:
            _simulate(rules, days, seed, qualities, lambda: progress.advance(task))
    if console is None:
        sys.stdout.write(msgspec.json.encode([_row(each) for each in qualities]).decode() + "\n")
    else:
        _print(console, qualities)
    return qualities


def _simulate(rules: RulesFile, days: int, seed: int, qualities: Sequence[Quality], on_day: Callable[[], None]) -> None:
    rng = np.random.default_rng(seed)
    sites = [make_site(name, number, pages, rng) for name, number, pages in SITES]
    happenings = plan(sites, days, rng)
    for number, site in enumerate(sites):
        oracle = Oracle()
        traffic = visits(site, happenings, days, seed + number, oracle)
        told = _run(traffic, rules, on_day)
        known = _knowable(site, happenings, oracle)
        for quality, alarms in zip(qualities, told, strict=True):
            _judge(quality, alarms, [each for each in happenings if each.project_id == site.project_id], known)
            quality.project_weeks += days * DAY_MS / _WEEK_MS


def _run(traffic: Iterator[Signal | Activity], rules: RulesFile, on_day: Callable[[], None]) -> list[list[Told]]:
    core, rivals = AlertCore(rules.rules, rules.bounds), (Binned(is_fixed=True), Binned(is_fixed=False))
    alerts = play(_overheard(traffic, rivals, on_day), core)
    fired = [each for each in alerts if each.resolved_at is None]
    ours = [Told(each.project_id, each.key, each.fired_at) for each in fired]
    return [ours, *(rival.told for rival in rivals)]


def _overheard(
    traffic: Iterator[Signal | Activity], rivals: Sequence[Binned], on_day: Callable[[], None]
) -> Iterator[Signal | Activity]:
    now = day = START_MS
    for item in traffic:
        now = max(now, item.t)
        for rival in rivals:
            rival.feed(item, now)
        while now >= day + DAY_MS:
            day += DAY_MS
            on_day()
        yield item


def _knowable(site: Site, happenings: Sequence[Happening], oracle: Oracle) -> dict[Happening, int]:
    known = dict(oracle.knowable_at)
    for each in happenings:
        if each.project_id == site.project_id and each.kind in ABSENCE_SESSIONS:
            at = each.start + int(ABSENCE_SESSIONS[each.kind] / sessions_a_minute(site, each.start) * 60_000)
            if at < each.end:
                known[each] = at
    return known


def _judge(quality: Quality, alarms: list[Told], happenings: list[Happening], known: dict[Happening, int]) -> None:
    claimed: set[int] = set()
    for each in happenings:
        about = [place for place, alarm in enumerate(alarms) if _is_about(alarm, each, 0)]
        claimed.update(about)
        if each.is_trap:
            quality.trap_alarms += len(about)
            if about:
                quality.traps[each.kind] = quality.traps.get(each.kind, 0) + len(about)
        elif each in known:
            quality.incidents += 1
            quality.detected += bool(about)
            quality.by_chance += any(_is_about(alarm, each, SHIFT_MS) for alarm in alarms)
            quality.repeats += max(len(about) - 1, 0)
            of_kind = quality.kinds.setdefault(each.kind, [0, 0])
            of_kind[0] += bool(about)
            of_kind[1] += 1
            if about:
                quality.delays_s.append((alarms[about[0]].fired_at - known[each]) / 1000)
    quality.false_alarms += len(alarms) - len(claimed)


def _is_about(alarm: Told, happening: Happening, shift_ms: int) -> bool:
    t = alarm.fired_at + shift_ms
    is_then = happening.start <= t < happening.end + AFTER_MS
    return is_then and (happening.is_trap or alarm.key.detector in {"", happening.detector, "js_error"})


def _row(quality: Quality) -> dict[str, object]:
    delays = quality.delays_s or [0.0]
    return {
        "alerter": quality.name,
        "incidents": quality.incidents,
        "detected": round(quality.recall, 3),
        "precision": round(quality.precision, 3),
        "by_chance": round(quality.by_chance / max(quality.incidents, 1), 3),
        "delay_median_s": round(float(np.median(delays))),
        "delay_p95_s": round(float(np.percentile(delays, 95))),
        "false_per_project_week": round(quality.false_alarms / max(quality.project_weeks, 1e-9), 2),
        "trap_alarms": quality.trap_alarms,
        "repeats_per_incident": round(quality.repeats / max(quality.incidents, 1), 2),
        "kinds": {kind: f"{found} of {total}" for kind, (found, total) in sorted(quality.kinds.items())},
        "traps": dict(sorted(quality.traps.items())),
    }


def _print(console: Console, qualities: Sequence[Quality]) -> None:
    rows = [_row(each) for each in qualities]
    table = Table("", *(str(row["alerter"]) for row in rows))
    for name in rows[0]:
        if name not in {"alerter", "kinds", "traps"}:
            table.add_row(name.replace("_", " "), *(str(row[name]) for row in rows))
    console.print(table)
    console.print("Found by these rules, by kind:", rows[0]["kinds"])
    console.print("Traps these rules fell into, with alarms:", rows[0]["traps"])
