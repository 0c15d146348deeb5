"""Rapid reload: the visitor loads the same page again and again.

Our rule: the same address is loaded again `reloads` times within `window_ms`, without a touch of the page in between
(pointer moves aside). One reload, or two, is how people look for news; a page that was touched was of some use, and
forms load their page again when they are sent. One series is one signal, closed when the window has passed without
another reload.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.default_settings import RapidReloadSettings
from detectors.interactions import Interaction, Navigation, PageShown, Scroll
from detectors.machine import Report
from detectors.page_trips import NOWHERE, RESTORED_MS, Stop, shown, touch_handlers
from detectors.series import Incident, SeriesMachine

RULE: Final = "wince/rapid_reload@1"


class RapidReloadState(msgspec.Struct, gc=False):
    """The page at hand and when it was loaded again lately (epoch ms, oldest first).

    `count` is that of a series that fulfils the rule, 0 before.
    """

    here: Stop = msgspec.field(default_factory=lambda: Stop(*msgspec.structs.astuple(NOWHERE)))
    reloads: list[int] = msgspec.field(default_factory=list)
    count: int = 0


class RapidReload(SeriesMachine[RapidReloadState]):
    """Finds pages that are loaded again and again."""

    name = "rapid_reload"
    rule = RULE

    def __init__(self, settings: RapidReloadSettings, report: Report) -> None:
        evidence = {"window_ms": settings.window_ms, "needed_reloads": settings.reloads}
        super().__init__(RapidReloadState(), report, evidence)
        self._settings = settings

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Addresses, and touches of the page."""
        return touch_handlers(self._on_touch, self._on_scroll) | {
            Navigation: self._on_address,
            PageShown: self._on_address,
        }

    def _rearm(self) -> None:
        state = self._state
        self.deadline = state.reloads[-1] + self._settings.window_ms if state.count else None

    def _on_touch(self, _interaction: Interaction) -> None:
        here = self._state.here
        if not here.touched:
            here.touched = True
            self._close()

    def _on_scroll(self, scroll: Scroll) -> None:
        here = self._state.here
        if not here.touched and scroll.t - here.t >= RESTORED_MS:
            self._on_touch(scroll)

    def _on_address(self, interaction: Navigation | PageShown) -> None:
        now = shown(interaction)
        if now is None:
            return
        url, how = now
        here = self._state.here
        if how == "load" and url == here.url and not here.touched:
            self._reloaded(interaction.t)
        else:
            self._close()
        self._state.here = Stop(url, interaction.t)

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
