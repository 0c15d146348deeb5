"""What happens in the simulation: incidents that somebody should be told of, and traps, of which nobody should."""

from typing import Literal

import msgspec
import numpy as np

from engine.alerts.simulation.world import COUNTRIES, DAY_MS, DETECTORS, DEVICES, HOUR_MS, START_MS, Site

IncidentKind = Literal["page", "element", "new_error", "release", "device", "country", "project", "absence", "ramp"]
TrapKind = Literal["surge", "campaign", "bot", "paths", "replay", "calm_deploy", "crowd"]


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
    kinds: tuple[IncidentKind, ...] = (
        "page",
        "element",
        "new_error",
        "release",
        "device",
        "country",
        "project",
        "absence",
        "ramp",
    )
    traps: tuple[TrapKind, ...] = ("surge", "campaign", "bot", "paths", "replay", "calm_deploy", "crowd")
    for site in sites:
        slots = [START_MS + (7 * 24 + 9 * slot) * HOUR_MS for slot in range((days - 7) * 24 // 9)]
        wanted = [*kinds, *traps] * (len(slots) // len((*kinds, *traps)) + 1)
        order = rng.permutation(len(wanted))[: len(slots)]
        for slot, place in zip(slots, order, strict=True):
            start = slot + int(rng.uniform(0, 3) * HOUR_MS)
            happenings.append(_happening(wanted[place], site, start, rng))
    return happenings


def _happening(kind: str, site: Site, start: int, rng: np.random.Generator) -> Happening:
    length = int(rng.uniform(1.0, 3.0) * HOUR_MS)
    page = site.pages[int(rng.integers(0, min(12, len(site.pages))))]
    detector = DETECTORS[int(rng.integers(0, len(DETECTORS)))]
    odds = float(rng.choice([4.0, 8.0, 20.0]))
    made = Happening(kind, site.project_id, start, start + length, "", detector, odds)
    match kind:
        case "page" | "element" | "ramp":
            return msgspec.structs.replace(made, value=page)
        case "new_error":
            return msgspec.structs.replace(made, value=f"error-{start}", detector="js_error", odds=1.0)
        case "release":
            return msgspec.structs.replace(made, value=f"2.{(start - START_MS) // DAY_MS}.{start % 97}")
        case "device" | "country":
            values = DEVICES[1:] if kind == "device" else COUNTRIES
            return msgspec.structs.replace(made, value=str(rng.choice(values)))
        case "project" | "absence":
            return made
        case _:
            return msgspec.structs.replace(made, value=page, is_trap=True)
