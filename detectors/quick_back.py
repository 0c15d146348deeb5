"""Quick back: the visitor opens a page, goes straight back, and does so again.

Our rule: a page is left for the one before it, by the browser's back, within `stay_ms` and without a touch (pointer
moves aside), and this happens `times` times, each soon after the one before. Once is how people learn where a link
leads; twice in a row, and the list does not tell them enough. Redirects, which come back by themselves at once, are
faster than `REDIRECT_MS`. One series is one signal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.default_settings import QuickBackSettings
from detectors.hands import Hands
from detectors.interactions import Navigation, PageShown
from detectors.machine import Report
from detectors.page_trips import Stop, nowhere, shown, was_touched
from detectors.series import Incident, SeriesMachine
from detectors.stored import annotate

RULE: Final = "wince/quick_back@1"

REDIRECT_MS: Final = 300
"""Nobody reads a page and finds the back button in less."""

SERIES_MS: Final = 15_000
"""Time between two returns of one series: reading a list again and choosing takes that long."""


@dataclass(slots=True)
class Trips:
    """Returns so far: the first page visited in vain was opened at `t`, the last return was at `end_t` (epoch ms)."""

    t: int
    end_t: int
    page: str
    count: int = 1


@dataclass(slots=True)
class QuickBackState:
    """The page at hand, the one before, and the series that may go on."""

    here: Stop = field(default_factory=nowhere)
    before: str = ""
    trips: Trips | None = None


annotate(QuickBackState, trips=Trips | None)


class QuickBack(SeriesMachine[QuickBackState]):
    """Finds pages that are left at once."""

    name = "quick_back"
    rule = RULE

    def __init__(self, settings: QuickBackSettings, hands: Hands, report: Report) -> None:
        evidence = {"stay_ms": settings.stay_ms, "needed_times": settings.times}
        super().__init__(QuickBackState(), report, evidence)
        self._settings = settings
        self._hands = hands
        self._touches = hands.touches

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Addresses; touches of the page are noted by the hands."""
        return {Navigation: self._on_address, PageShown: self._on_address}

    def _settle(self) -> None:
        here = self._state.here
        here.touched = was_touched(here, self._hands, self._touches)

    def _rearm(self) -> None:
        trips = self._state.trips
        self.deadline = None if trips is None else trips.end_t + SERIES_MS

    def _on_address(self, interaction: Navigation | PageShown) -> None:
        now = shown(interaction)
        if now is None:
            return
        state, here = self._state, self._state.here
        url, how = now
        if url == here.url:
            here.t, here.touched, self._touches = interaction.t, False, self._hands.touches
            return
        stay_ms = interaction.t - here.t
        if (
            url == state.before
            and how in {"load", "pop"}
            and REDIRECT_MS <= stay_ms <= self._settings.stay_ms
            and not was_touched(here, self._hands, self._touches)
        ):
            self._returned(here.t, interaction)
        state.before, state.here, self._touches = here.url, Stop(url, interaction.t), self._hands.touches

    def _returned(self, left_t: int, interaction: Navigation | PageShown) -> None:
        trips = self._state.trips
        if trips is None:
            self._state.trips = Trips(left_t, interaction.t, interaction.page)
        else:
            trips.count += 1
            trips.end_t = interaction.t
        self._rearm()

    def _take(self) -> Incident | None:
        trips, self._state.trips = self._state.trips, None
        if trips is None or trips.count < self._settings.times:
            return None
        return Incident(trips.t, trips.end_t, trips.page, trips.count)
