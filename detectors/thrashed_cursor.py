"""Thrashed cursor: the pointer is shaken.

Our rule: the pointer turns back `turns` times on one axis (left and right, or up and down) within `window_ms`, each
leg at least `leg_px` long. People who aim turn once or twice; a shaking hand turns six to twelve times a second. What
is drawn, dragged or selected with a pressed button does not count. One shaking is one signal, closed when `window_ms`
have passed without a turn.

Sources: Amplitude counts turns on each axis by itself (20 in 2 s); Splunk asks for long, quick paths.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.default_settings import ThrashedCursorSettings
from detectors.interactions import MouseMove, Navigation, Press, Release
from detectors.machine import NEVER, Report
from detectors.series import Incident, SeriesMachine
from detectors.stored import annotate

RULE: Final = "wince/thrashed_cursor@1"

LONGEST_HOLD_MS: Final = 10_000
"""A press whose release was not recorded is over after this."""


@dataclass(slots=True)
class Axis:
    """One coordinate (px): where it is, where its leg began, its direction (1, -1, 0), when it turned (epoch ms)."""

    now: float = 0.0
    leg: float = 0.0
    way: int = 0
    turns: list[int] = field(default_factory=list)

    def clear(self) -> None:
        """Forget where the pointer was."""
        self.now = self.leg = 0.0
        self.way = 0
        self.turns.clear()


annotate(Axis, turns=list[int])


@dataclass(slots=True)
class ThrashedCursorState:
    """Both axes, the press that may still be held, and the shaking that was found and may go on."""

    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    pressed_t: int = NEVER
    found_t: int = NEVER
    last_t: int = NEVER
    count: int = 0
    page: str = ""


class ThrashedCursor(SeriesMachine[ThrashedCursorState]):
    """Finds a shaken pointer."""

    name = "thrashed_cursor"
    rule = RULE

    def __init__(self, settings: ThrashedCursorSettings, report: Report) -> None:
        evidence = {"window_ms": settings.window_ms, "needed_turns": settings.turns, "leg_px": settings.leg_px}
        super().__init__(ThrashedCursorState(), report, evidence)
        self._turns, self._window_ms, self._leg_px = settings.turns, settings.window_ms, settings.leg_px

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Moves, and presses: who holds a button down, draws or drags."""
        return {
            MouseMove: self._on_move,
            Press: self._on_press,
            Release: self._on_release,
            Navigation: self._on_navigation,
        }

    def finish(self) -> None:
        """Close the shaking, forget the rest."""
        self._close()
        state = self._state
        state.x.clear()
        state.y.clear()
        state.pressed_t = state.last_t = NEVER
        state.count, state.page = 0, ""

    def _rearm(self) -> None:
        state = self._state
        self.deadline = None if state.found_t == NEVER else state.last_t + self._window_ms

    def _on_press(self, press: Press) -> None:
        self._state.pressed_t = press.t

    def _on_release(self, _release: Release) -> None:
        self._state.pressed_t = NEVER

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self.finish()

    def _on_move(self, move: MouseMove) -> None:
        state = self._state
        if move.t - state.pressed_t <= LONGEST_HOLD_MS:
            state.x.clear()
            state.y.clear()
            return
        x_axis, y_axis, leg_px = state.x, state.y, self._leg_px
        x_now, x_way, y_now, y_way = x_axis.now, x_axis.way, y_axis.now, y_axis.way
        for t, x, y in move.positions:
            # Most moves go on as they went: one comparison of signs each.
            if (x - x_now) * x_way <= 0 and x != x_now:
                x_way = 1 if x > x_now else -1
                if _turns(x_axis, x_now, x_way, leg_px):
                    self._turn(x_axis, t, move)
            x_now = x
            if (y - y_now) * y_way <= 0 and y != y_now:
                y_way = 1 if y > y_now else -1
                if _turns(y_axis, y_now, y_way, leg_px):
                    self._turn(y_axis, t, move)
            y_now = y
        x_axis.now, y_axis.now = x_now, y_now

    def _turn(self, axis: Axis, t: int, move: MouseMove) -> None:
        state = self._state
        t = max(0, min(t, move.t))
        if state.found_t != NEVER:
            state.count += 1
            state.last_t = max(t, state.last_t)
            self._rearm()
            return
        turns = axis.turns
        turns.append(t)
        if len(turns) > self._turns:
            del turns[0]
        if len(turns) == self._turns and 0 <= t - turns[0] < self._window_ms:
            state.found_t, state.last_t, state.count, state.page = turns[0], t, len(turns), move.page
            self._rearm()

    def _take(self) -> Incident | None:
        state = self._state
        if state.found_t == NEVER:
            return None
        incident = Incident(state.found_t, state.last_t, state.page, state.count)
        state.found_t = NEVER
        state.x.turns.clear()
        state.y.turns.clear()
        return incident


def _turns(axis: Axis, before: float, way: int, leg_px: int) -> bool:
    """Let an axis set out or turn at `before`, now going this `way`; tell whether a long enough leg ended there."""
    had_way, length = axis.way, before - axis.leg
    axis.way, axis.leg = way, before
    if not had_way:
        return False
    if length >= leg_px or -length >= leg_px:
        return True
    axis.turns.clear()
    return False
