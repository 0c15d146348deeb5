"""What happens in the simulation: incidents that somebody should be told of, and traps, of which nobody should."""

from typing import Literal, get_args

import msgspec
import numpy as np

from engine.alerts.simulation.world import COUNTRIES, DAY_MS, DETECTORS, DEVICES, HOUR_MS, MINUTE_MS, START_MS, Site

IncidentKind = Literal[
    "page",
    "element",
    "new_error",
    "release",
    "device",
    "country",
    "project",
    "absence",
    "half_absence",
    "ramp",
    "burst",
    "rare_page",
]
TrapKind = Literal["surge", "campaign", "bot", "paths", "replay", "calm_deploy", "crowd", "night_mail"]

BURST_MS = 20 * MINUTE_MS
BURST_ODDS = 80.0
COMMON_PAGES = 12
NIGHT_MS = 2 * HOUR_MS


class Happening(msgspec.Struct, frozen=True):
    """An incident or a trap: where, from when to when (epoch ms), and how much worse or more it makes things.

    `value` is a page, an error's fingerprint, a release, a device or a country. `odds` multiplies the
    odds of a complaint.
    """

    kind: str
    project_id: str
    start: int
    end: int
    value: str = ""
    detector: str = ""
    odds: float = 1.0
    is_trap: bool = False

    def covers(self, t: int) -> bool:
        """Whether it goes on at a moment."""
        return self.start <= t < self.end


def plan(sites: list[Site], days: int, rng: np.random.Generator) -> list[Happening]:
    """Choose what happens, at moments that are apart, after a first week in which nothing does."""
    happenings: list[Happening] = []
    kinds = (*get_args(IncidentKind), *get_args(TrapKind))
    for site in sites:
        slots = [START_MS + (7 * 24 + 9 * slot) * HOUR_MS for slot in range((days - 7) * 24 // 9)]
        wanted = kinds * (len(slots) // len(kinds) + 1)
        order = rng.permutation(len(wanted))[: len(slots)]
        for slot, place in zip(slots, order, strict=True):
            start = slot + int(rng.uniform(0, 3) * HOUR_MS)
            happenings.append(_happening(wanted[place], site, start, rng))
    return happenings


def _happening(kind: str, site: Site, start: int, rng: np.random.Generator) -> Happening:
    end = start + int(rng.uniform(1.0, 3.0) * HOUR_MS)
    value = site.pages[int(rng.integers(0, min(COMMON_PAGES, len(site.pages))))]
    detector = DETECTORS[int(rng.integers(0, len(DETECTORS)))]
    odds = float(rng.choice([4.0, 8.0, 20.0]))
    match kind:
        case "burst":
            value, end, odds = site.pages[0], start + BURST_MS, BURST_ODDS
        case "rare_page":
            value, odds = site.pages[int(rng.integers(len(site.pages) // 2, len(site.pages)))], BURST_ODDS
        case "new_error":
            value, detector, odds = f"error-{start}", "js_error", 1.0
        case "release":
            value = f"2.{(start - START_MS) // DAY_MS}.{start % 97}"
        case "device":
            value = str(rng.choice(DEVICES[1:]))
        case "country":
            value = str(rng.choice(COUNTRIES))
        case "night_mail":
            start += DAY_MS - start % DAY_MS + NIGHT_MS
            end = start + NIGHT_MS
        case _:
            pass
    return Happening(kind, site.project_id, start, end, value, detector, odds, is_trap=kind in get_args(TrapKind))
