"""Rapid reload: the visitor loads the same page again and again.

Our rule: the same address is loaded again `reloads` times within `window_ms`, without a touch of the page in between
(pointer moves aside). One reload, or two, is how people look for news; a page that was touched was of some use, and
forms load their page again when they are sent. One series is one signal, closed when the window has passed without
another reload.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.default_settings import RapidReloadSettings
from detectors.hands import Hands
from detectors.interactions import Navigation, PageShown, Scroll
from detectors.machine import Report
from detectors.moments import At
from detectors.page_trips import RESTORED_MS, Stop, nowhere, shown, was_touched
from detectors.series import Incident, SeriesMachine
from detectors.stored import annotate

RULE: Final = "wince/rapid_reload@1"


@dataclass(slots=True)
class RapidReloadState:
    """The page at hand and when it was loaded again lately (epoch ms, oldest first).

    `count` is that of a series that fulfils the rule, 0 before.
    """

    here: Stop = field(default_factory=nowhere)
    reloads: list[int] = field(default_factory=list)
    count: int = 0


annotate(RapidReloadState, reloads=list[int])


class RapidReload(SeriesMachine[RapidReloadState]):
    """Finds pages that are loaded again and again."""

    name = "rapid_reload"
    rule = RULE

    def __init__(self, settings: RapidReloadSettings, hands: Hands, report: Report) -> None:
        evidence = {"window_ms": settings.window_ms, "needed_reloads": settings.reloads}
        super().__init__(RapidReloadState(), report, evidence)
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
        state = self._state
        # A series ends with the first touch; without one nobody waits for it.
        self._hands.tell_at_once(self._on_touch if state.reloads else None)
        self.deadline = state.reloads[-1] + self._settings.window_ms if state.count else None

    def _on_touch(self, interaction: At) -> None:
        if not isinstance(interaction, Scroll) or interaction.t - self._state.here.t >= RESTORED_MS:
            self._close()

    def _on_address(self, interaction: Navigation | PageShown) -> None:
        now = shown(interaction)
        if now is None:
            return
        url, how = now
        here = self._state.here
        if how == "load" and url == here.url and not was_touched(here, self._hands, self._touches):
            self._reloaded(interaction.t)
        else:
            self._close()
        self._state.here, self._touches = Stop(url, interaction.t), self._hands.touches

    def _reloaded(self, t: int) -> None:
        state, settings = self._state, self._settings
        if state.count:
            state.count += 1
            state.reloads[-1] = t
        else:
            state.reloads = [reload_t for reload_t in state.reloads if t - reload_t < settings.window_ms]
            state.reloads.append(t)
            if len(state.reloads) >= settings.reloads:
                state.count = len(state.reloads)
        self._rearm()

    def _take(self) -> Incident | None:
        state = self._state
        reloads, count = state.reloads, state.count
        state.reloads, state.count = [], 0
        return Incident(reloads[0], reloads[-1], state.here.url, count) if count else None
