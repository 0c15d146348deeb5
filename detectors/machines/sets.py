"""Click sets: clicks with enough earlier ones around them, joined as long as each further click has enough, too."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.interactions import Click, DoubleClick
from detectors.machine import Machine, Report
from detectors.machines.gestures import Place, finding
from detectors.targets import describe

MAX_CLICKS: Final = 256
"""Clicks kept of a window; more in five seconds is no person."""


class SetRule(msgspec.Struct, frozen=True, kw_only=True):
    """A click with `earlier` clicks at most `window_ms` before it and `radius_px` away makes or extends a set."""

    rule: str
    earlier: int
    window_ms: int
    radius_px: float


class Past(msgspec.Struct, gc=False, array_like=True):
    """An earlier click: epoch ms, viewport coordinates (px)."""

    t: int
    x: float
    y: float


class OpenSet(msgspec.Struct, gc=False):
    """A set that may go on: its first and last click (epoch ms) and its count."""

    t: int
    end_t: int
    count: int
    place: Place


class SetState(msgspec.Struct, gc=False):
    """The clicks of the last window, and the set that is open."""

    clicks: list[Past] = msgspec.field(default_factory=list)
    open: OpenSet | None = None


class ClickSets(Machine[SetState]):
    """Finds sets of clicks on one spot."""

    def __init__(self, rule: SetRule, report: Report) -> None:
        super().__init__(SetState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks; a recorder tells the double click as well."""
        return {Click: self._on_click, DoubleClick: self._on_click}

    def advance(self, t: int) -> None:
        """Report a set that cannot go on: at `t` (epoch ms) all its clicks are out of the window."""
        if self.deadline is not None and self.deadline <= t:
            self._close()

    def finish(self) -> None:
        """Report the open set: recordings are judged when they have ended."""
        self._close()
        self._state.clicks.clear()

    def _rearm(self) -> None:
        open_set = self._state.open
        self.deadline = None if open_set is None else open_set.end_t + self._rule.window_ms + 1

    def _on_click(self, click: Click | DoubleClick) -> None:
        if click.target is None:  # nothing is known of the page: the recording has not begun
            return
        state, rule = self._state, self._rule
        state.clicks = [past for past in state.clicks if click.t - past.t <= rule.window_ms][-MAX_CLICKS:]
        near = [past for past in state.clicks if self._is_near(past, click)]
        state.clicks.append(Past(click.t, click.x, click.y))
        if len(near) < rule.earlier:
            self._close()
        elif state.open is not None:
            state.open.end_t = click.t
            state.open.count += 1
        else:
            place = Place(click.page, describe(click.target))
            state.open = OpenSet(near[0].t, click.t, len(near), place)
        self._rearm()

    def _is_near(self, past: Past, click: Click | DoubleClick) -> bool:
        across, down = click.x - past.x, click.y - past.y
        return across * across + down * down <= self._rule.radius_px * self._rule.radius_px

    def _close(self) -> None:
        state, rule = self._state, self._rule
        found, state.open = state.open, None
        if found is not None:
            evidence = {"earlier_clicks": rule.earlier, "window_ms": rule.window_ms, "radius_px": rule.radius_px}
            self._report(finding(rule.rule, found.t, found.place, evidence, end_t=found.end_t, count=found.count))
        self._rearm()
