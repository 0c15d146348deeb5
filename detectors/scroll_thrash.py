"""Scroll thrash: a page scrolled up and down, up and down, as who looks for something that isn't there.

Our rule: the direction in which the page scrolls turns `turns` times within `window_ms`, each leg between two turns at
least `leg_px` long. Readers scroll back a paragraph now and then, and endless lists go one way. One burst is one
signal, closed when `window_ms` have passed without a turn, or with the page. Scrolling parts of a page don't count.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.default_settings import ScrollThrashSettings
from detectors.interactions import Navigation, Scroll
from detectors.machine import NEVER, Report
from detectors.reactions import scrolls_page
from detectors.series import Incident, SeriesMachine
from detectors.stored import annotate

RULE: Final = "wince/scroll_thrash@1"


@dataclass(slots=True)
class ScrollThrashState:
    """The leg at hand, from `leg_y` to `y` (px), and when the page turned lately (epoch ms, oldest first).

    `down` is 1 or -1, 0 before the first leg. `found_t` is the first turn of a burst that fulfils the rule.
    """

    y: float = 0.0
    leg_y: float = 0.0
    down: int = 0
    page: str = ""
    turns: list[int] = field(default_factory=list)
    found_t: int = NEVER
    last_t: int = NEVER
    count: int = 0


annotate(ScrollThrashState, turns=list[int])


class ScrollThrash(SeriesMachine[ScrollThrashState]):
    """Finds pages that are scrolled to and fro."""

    name = "scroll_thrash"
    rule = RULE

    def __init__(self, settings: ScrollThrashSettings, report: Report) -> None:
        evidence = {"window_ms": settings.window_ms, "needed_turns": settings.turns, "leg_px": settings.leg_px}
        super().__init__(ScrollThrashState(), report, evidence)
        self._settings = settings

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Scrolls, and page loads: a new page starts at its top."""
        return {Scroll: self._on_scroll, Navigation: self._on_navigation}

    def _rearm(self) -> None:
        state = self._state
        self.deadline = None if state.found_t == NEVER else state.last_t + self._settings.window_ms

    def _on_scroll(self, scroll: Scroll) -> None:
        if not scrolls_page(scroll):
            return
        state = self._state
        step = scroll.y - state.y
        state.y = scroll.y
        if step * state.down >= 0:
            state.down = state.down or (step > 0) - (step < 0)
            return
        long_enough = abs(scroll.y - step - state.leg_y) >= self._settings.leg_px
        state.leg_y, state.down = scroll.y - step, -state.down
        if long_enough:
            self._turn(scroll)
        elif state.found_t == NEVER:
            state.turns.clear()

    def _turn(self, scroll: Scroll) -> None:
        state, settings, t = self._state, self._settings, scroll.t
        state.last_t = t
        if state.found_t != NEVER:
            state.count += 1
            self._rearm()
            return
        state.turns = [turn for turn in state.turns if t - turn < settings.window_ms]
        state.turns.append(t)
        if len(state.turns) >= settings.turns:
            state.found_t, state.count, state.page = state.turns[0], len(state.turns), scroll.page
            self._rearm()

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._close()

    def _take(self) -> Incident | None:
        state = self._state
        incident = None
        if state.found_t != NEVER:
            incident = Incident(state.found_t, state.last_t, state.page, state.count)
        state.y = state.leg_y = 0.0
        state.down = state.count = 0
        state.page = ""
        state.turns.clear()
        state.found_t = state.last_t = NEVER
        return incident
