"""Visitors of a site, one after the other: the activities and signals they leave, in order of time."""

import heapq
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from engine.alerts.change import worse_share
from engine.alerts.simulation.incidents import Happening
from engine.alerts.simulation.world import (
    COUNTRIES,
    DAY_MS,
    DETECTORS,
    DEVICES,
    MINUTE_MS,
    START_MS,
    Site,
    sessions_a_minute,
)  # fmt: skip
from schemas.activity import Activity
from schemas.signals import Signal, Target

ELEMENTS: Final = 6
ERROR_SHARE: Final = 0.03
BOT_SIGNALS: Final = 2_000
LEFT_OF_HALF: Final = 0.4

Item = Signal | Activity

KNOWABLE: Final = 11.5
"""An incident can be known of once it is 100,000 times likelier than its absence to who knows what to look for."""


class Visitor(msgspec.Struct, frozen=True):
    """One session and what it runs on."""

    session_id: str
    attributes: dict[str, str]


class Oracle:
    """Knows what is normal and what happens; says from when on anyone could have known."""

    def __init__(self) -> None:
        self._sums: dict[Happening, float] = {}
        self.knowable_at: dict[Happening, int] = {}

    def saw(self, happening: Happening, usual: float, worse: float, *, is_concerned: bool, t: int) -> None:
        """Take a trial into account."""
        ratio = worse / usual if is_concerned else (1 - worse) / (1 - usual)
        total = self._sums[happening] = self._sums.get(happening, 0.0) + float(np.log(ratio))
        if total >= KNOWABLE:
            self.knowable_at.setdefault(happening, t)


def visits(site: Site, happenings: Sequence[Happening], days: int, seed: int, oracle: Oracle) -> Iterator[Item]:
    """Give what the visitors of some days leave, in order of time; some of it twice, some late."""
    waiting: list[tuple[int, int, Item]] = []
    crowd = _Crowd(site, [each for each in happenings if each.project_id == site.project_id], seed, oracle)
    number = 0
    for minute in range(days * 1_440):
        t = START_MS + minute * MINUTE_MS
        for at, item in crowd.minute(t):
            number += 1
            heapq.heappush(waiting, (at, number, item))
        while waiting and waiting[0][0] < t + MINUTE_MS:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


class _Crowd:
    def __init__(self, site: Site, happenings: Sequence[Happening], seed: int, oracle: Oracle) -> None:
        self._site = site
        self._happenings = sorted(happenings, key=lambda each: each.start)
        self._rng = np.random.default_rng(seed)
        self._oracle = oracle
        self._count = 0
        self._signals = 0
        self._kept: list[tuple[int, Item]] = []

    def minute(self, t: int) -> Iterator[tuple[int, Item]]:
        """Give what the visitors who come in this minute leave, and when it is heard of."""
        now = [each for each in self._happenings if each.covers(t)]
        number = self._rng.poisson(sessions_a_minute(self._site, t) * _more(now))
        for _ in range(number):
            yield from self._session(t + int(self._rng.integers(0, MINUTE_MS)), now)
        for each in now:
            if each.kind == "bot" and each.start <= t < each.start + MINUTE_MS:
                yield from self._bot(t, each)
            if each.kind == "replay" and t >= each.end - MINUTE_MS:
                yield from ((t, item) for at, item in self._kept[-500:] if at < t)

    def _session(self, t: int, now: Sequence[Happening]) -> Iterator[tuple[int, Item]]:
        rng, site = self._rng, self._site
        self._count += 1
        session_id = f"{site.project_id}-{self._count}"
        attributes = self._attributes(t, now)
        visitor = Visitor(session_id, attributes)
        yield t, Activity(f"{session_id}-s", "session_start", site.project_id, session_id, t, attributes=attributes)
        campaign = next((each for each in now if each.kind in {"campaign", "night_mail"}), None)
        paths = any(each.kind == "paths" for each in now)
        for visit in range(1 + rng.poisson(2.0)):
            place = int(rng.choice(len(site.pages), p=site.popularity))
            page = site.pages[place]
            if campaign is not None and visit == 0 and rng.random() < 0.8:  # noqa: PLR2004 - most come for it
                page, place = campaign.value, site.pages.index(campaign.value)
            shown = f"{page}/{rng.integers(10_000, 10_000_000)}" if paths else page
            yield (
                t,
                Activity(
                    f"{session_id}-p{visit}",
                    "page_start",
                    site.project_id,
                    session_id,
                    t,
                    "w",
                    shown,
                    attributes=attributes,
                ),
            )
            for at, signal in self._complaints(visitor, place, shown, t, now):
                self._keep(at, signal)
                late = int(rng.exponential(2_000))
                yield at + late, signal
                if rng.random() < 0.02:  # noqa: PLR2004 - some come twice
                    yield at + late + 5_000, signal
            t += int(rng.exponential(40_000)) + 3_000

    def _attributes(self, t: int, now: Sequence[Happening]) -> dict[str, str]:
        rng = self._rng
        release = f"1.{(t - START_MS) // (2 * DAY_MS)}.0"
        deploy = next((each for each in now if each.kind in {"release", "calm_deploy"}), None)
        if deploy is not None and rng.random() < 0.6:  # noqa: PLR2004 - old tabs live long
            release = deploy.value if deploy.kind == "release" else f"9.{deploy.start % 1_000}"
        device = str(rng.choice(DEVICES, p=(0.6, 0.33, 0.07)))
        return {"release": release, "device": device, "country": str(rng.choice(COUNTRIES))}

    def _complaints(
        self, visitor: Visitor, place: int, page: str, t: int, now: Sequence[Happening]
    ) -> Iterator[tuple[int, Signal]]:
        rng, site = self._rng, self._site
        for column, detector in enumerate(DETECTORS):
            usual = share = float(site.complaints[place, column])
            element = int(rng.integers(0, ELEMENTS))
            concerning = []
            for each in now:
                if each.detector == detector and _hits(each, site.pages[place], visitor.attributes):
                    ramp = min(1.0, (t - each.start) / (each.end - each.start)) if each.kind == "ramp" else 1.0
                    share = worse_share(share, 1.0 + (each.odds - 1.0) * ramp)
                    concerning.append(each)
                    element = 1 if each.kind == "element" else element
            is_concerned = bool(rng.random() < share)
            for each in concerning:
                self._oracle.saw(each, usual, share, is_concerned=is_concerned, t=t)
            for repeat in range(int(rng.geometric(0.6)) if is_concerned else 0):
                place_on_page = f"main > button.b{element}"
                yield t + 2_000 + repeat * 1_500, self._signal(detector, visitor, page, place_on_page, t)
        for each in now:
            if each.kind == "new_error" and rng.random() < ERROR_SHARE:
                self._oracle.saw(each, 1e-4, 1.0, is_concerned=True, t=t)
                yield t + 2_000, self._signal("js_error", visitor, page, each.value, t)

    def _signal(self, detector: str, visitor: Visitor, page: str, what: str, t: int) -> Signal:
        """Make a signal about an element, by its selector, or about a new error, by its fingerprint."""
        self._signals += 1
        is_element = what.startswith("main")
        fingerprint = f"error-{zlib.crc32((page + what).encode()) % 7}" if is_element else what
        is_error = detector in {"js_error", "error_click"}
        return Signal(
            id=f"{visitor.session_id}-{self._signals}",
            detector=detector,
            session_id=visitor.session_id,
            window_id="w",
            project_id=self._site.project_id,
            t=t + 2_000,
            end_t=t + 2_800,
            page=page,
            target=None if detector == "js_error" else Target(1, what, "button", "Button"),
            rule=f"{detector}@1",
            evidence={"fingerprint": fingerprint} if is_error else {},
            attributes=visitor.attributes,
        )

    def _bot(self, t: int, bot: Happening) -> Iterator[tuple[int, Item]]:
        visitor = Visitor(f"bot-{bot.start}", {})
        for number in range(BOT_SIGNALS):
            at = t + number * 50
            yield at, self._signal(bot.detector, visitor, bot.value, "main > button.b1", at)

    def _keep(self, at: int, item: Item) -> None:
        self._kept.append((at, item))
        del self._kept[:-1_000]


def _more(now: Sequence[Happening]) -> float:
    more = 1.0
    for each in now:
        match each.kind:
            case "absence":
                more *= 0.03
            case "half_absence":
                more *= LEFT_OF_HALF
            case "night_mail":
                more *= 5.0
            case "surge":
                more *= 3.0
            case "campaign" | "crowd":
                more *= 1.8
            case _:
                pass
    return more


def _hits(each: Happening, page: str, attributes: dict[str, str]) -> bool:
    match each.kind:
        case "page" | "element" | "ramp" | "burst" | "rare_page":
            return each.value == page
        case "release" | "device" | "country":
            return attributes[each.kind] == each.value
        case "project":
            return True
        case _:
            return False
