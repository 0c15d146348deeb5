"""Thrashed cursors: reversals of direction that come quickly, or fast movement with many turns in a small place."""

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.interactions import MouseMove, Navigation
from detectors.machine import NEVER, Machine, Report
from detectors.machines.gestures import finding

MAX_SAMPLES: Final = 256
"""Positions kept of a window; at the closest distance in time there are half as many in it."""

MIN_SAMPLES: Final = 3


class ReversalRule(msgspec.Struct, frozen=True, kw_only=True):
    """`count` reversals on one axis, last minus first less than `window_ms`; reported after `window_ms` of calm.

    A series begins with the oldest reversal on its axis that was still in the window when it had enough of them.
    """

    rule: str
    count: int
    window_ms: int


class Axis(msgspec.Struct, gc=False):
    """One axis: the way the cursor last went on it (-1, 0, 1), its reversals of late and when they began (epoch ms)."""

    way: int = 0
    changes: list[int] = msgspec.field(default_factory=list)
    first_t: int = NEVER


class ReversalState(msgspec.Struct, gc=False):
    """Both axes, the last position, and the series that goes on: its first and last reversal (epoch ms)."""

    axes: tuple[Axis, Axis] = msgspec.field(default_factory=lambda: (Axis(), Axis()))
    position: tuple[float, float] | None = None
    series_t: int = NEVER
    last_t: int = NEVER
    page: str = ""


class CursorReversals(Machine[ReversalState]):
    """Finds series of reversals."""

    def __init__(self, rule: ReversalRule, report: Report) -> None:
        super().__init__(ReversalState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map movements, and page loads, after which the page knows nothing of the old one's."""
        return {MouseMove: self._on_move, Navigation: self._on_navigation}

    def advance(self, t: int) -> None:
        """Report the series after which it has been calm at `t` (epoch ms)."""
        if self.deadline is not None and self.deadline <= t:
            self._tell(self.deadline)

    def finish(self) -> None:
        """Forget the series: its page is gone."""
        self._state.series_t = NEVER
        self._rearm()

    def _rearm(self) -> None:
        state = self._state
        self.deadline = None if state.series_t == NEVER else state.last_t + self._rule.window_ms

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state = ReversalState()
            self.deadline = None

    def _on_move(self, move: MouseMove) -> None:
        state = self._state
        for t, x, y in move.positions:
            before, state.position = state.position, (x, y)
            if before is None:
                continue
            if self.deadline is not None and self.deadline <= t:
                self._tell(self.deadline)
            for axis, step in zip(state.axes, (x - before[0], y - before[1]), strict=True):
                way = (step > 0) - (step < 0)
                if way and axis.way == -way:
                    state.page = move.page
                    self._on_reversal(axis, t)
                axis.way = way or axis.way
        self._rearm()

    def _on_reversal(self, axis: Axis, t: int) -> None:
        state = self._state
        axis.changes = [*axis.changes, t][-self._rule.count :]
        if axis.first_t == NEVER:
            axis.first_t = t
        starts = [one.first_t for one in state.axes if self._is_thrashed(one)]
        if starts:
            if state.series_t == NEVER:
                state.series_t = min(starts)
            state.last_t = t
        elif state.series_t != NEVER:
            self._tell(t)
        for one in state.axes:
            self._forget_old(one)
        self._rearm()

    def _forget_old(self, axis: Axis) -> None:
        """Leave out what is no longer in the window that ends with the axis' last reversal."""
        changes, window_ms = axis.changes, self._rule.window_ms
        if changes and changes[-1] - changes[0] >= window_ms:
            axis.changes = [t for t in changes if changes[-1] - t < window_ms]
            axis.first_t = axis.changes[0]

    def _is_thrashed(self, axis: Axis) -> bool:
        changes = axis.changes
        return len(changes) == self._rule.count and changes[-1] - changes[0] < self._rule.window_ms

    def _tell(self, decided_t: int) -> None:
        state, rule = self._state, self._rule
        evidence = {"decided_t": decided_t, "needed_reversals": rule.count, "window_ms": rule.window_ms}
        self._report(finding(rule.rule, state.series_t, None, evidence, end_t=state.last_t, page=state.page))
        for axis in state.axes:
            axis.changes, axis.first_t = [], NEVER
        state.series_t = NEVER
        self._rearm()


class ShakeRule(msgspec.Struct, frozen=True, kw_only=True):
    """Movement of the last `window_ms`: how far, how fast, how many turns, in how small a place, weighed to a score.

    Distances in px, speeds in px a second. Samples closer than `sample_ms` and steps faster than `max_speed` are left
    out; turns are those of at least `turn_degrees` between steps longer than `min_step_px`.
    """

    rule: str
    window_ms: int
    sample_ms: int
    max_speed: float
    min_path_px: float
    min_speed: float
    min_turns: int
    turn_degrees: float
    min_step_px: float
    place_px: float
    turn_weight: float
    speed_weight: float
    place_weight: float
    min_score: float
    is_ignored: Callable[[str], bool]


class ShakeState(msgspec.Struct, gc=False):
    """Samples `(t, x, y)` of the window, the last position, and when something was last sampled and found."""

    samples: list[tuple[int, float, float]] = msgspec.field(default_factory=list)
    position: tuple[float, float] | None = None
    sampled_t: int = NEVER
    found_t: int = NEVER


class ShakenCursors(Machine[ShakeState]):
    """Finds shaken cursors by a score."""

    def __init__(self, rule: ShakeRule, report: Report) -> None:
        super().__init__(ShakeState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map movements, and page loads, after which the page knows nothing of the old one's."""
        return {MouseMove: self._on_move, Navigation: self._on_navigation}

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state = ShakeState()

    def _on_move(self, move: MouseMove) -> None:
        for t, x, y in move.positions:
            if self._sample(t, x, y) and t - self._state.found_t >= self._rule.window_ms:
                self._judge(t, move.page)

    def _sample(self, t: int, x: float, y: float) -> bool:
        state, rule = self._state, self._rule
        if t - state.sampled_t < rule.sample_ms:
            return False
        state.sampled_t = t
        before, state.position = state.position, (x, y)
        if before is not None and state.samples:
            passed_ms = t - state.samples[-1][0]
            if passed_ms > 0 and math.dist(before, (x, y)) * 1_000 / passed_ms > rule.max_speed:
                return False
        kept = [sample for sample in state.samples if sample[0] >= t - rule.window_ms]
        state.samples = [*kept, (t, x, y)][-MAX_SAMPLES:]
        return True

    def _judge(self, t: int, page: str) -> None:
        rule, samples = self._rule, self._state.samples
        if len(samples) < MIN_SAMPLES:
            return
        path_px, speed, turns = _measure(samples, rule)
        if path_px < rule.min_path_px or speed < rule.min_speed or turns < rule.min_turns:
            return
        across, down = [sample[1] for sample in samples], [sample[2] for sample in samples]
        side = max(max(across) - min(across), max(down) - min(down))
        score = rule.turn_weight * min(turns / (2 * rule.min_turns), 1.0)
        score += rule.speed_weight * min(max((speed - rule.min_speed) / rule.min_speed, 0.0), 1.0)
        score += rule.place_weight / (1 + (side / rule.place_px) ** 2)
        if score >= rule.min_score:
            self._state.found_t = t
            if rule.is_ignored(page):
                return
            evidence = {"decided_t": t, "score": round(score, 3), "path_px": round(path_px, 1), "turns": turns}
            self._report(finding(rule.rule, samples[0][0], None, evidence, end_t=t, page=page))


def _measure(samples: list[tuple[int, float, float]], rule: ShakeRule) -> tuple[float, float, int]:
    """Give the length of the path (px), the mean of the steps' speeds (px a second), and the number of turns."""
    path_px, speeds, turns = 0.0, [], 0
    previous_angle: float | None = None
    for before, after in itertools.pairwise(samples):
        step_px = math.dist(before[1:], after[1:])
        path_px += step_px
        if after[0] > before[0]:
            speeds.append(step_px * 1_000 / (after[0] - before[0]))
        if step_px > rule.min_step_px:
            angle = math.degrees(math.atan2(after[2] - before[2], after[1] - before[1]))
            if previous_angle is not None:
                turn = abs(angle - previous_angle) % 360
                turns += min(turn, 360 - turn) >= rule.turn_degrees
            previous_angle = angle
    return path_px, sum(speeds) / len(speeds) if speeds else 0.0, turns


class JerkRule(msgspec.Struct, frozen=True, kw_only=True):
    """At moments `period_ms` apart: more than `turns` changes of horizontal direction since the last, and a gain.

    That of speed (px a ms) over the last `period_ms`, divided by it, has to be above `acceleration` (px a ms²).
    """

    rule: str
    period_ms: int
    turns: int
    acceleration: float


class JerkState(msgspec.Struct, gc=False):
    """The next moment (epoch ms), what was measured since the last one, and the speed then (px a ms)."""

    next_t: int = NEVER
    position: tuple[float, float] | None = None
    way: int = 0
    turns: int = 0
    path_px: float = 0.0
    speed: float = 0.0
    page: str = ""


class JerkedCursors(Machine[JerkState]):
    """Finds cursors that are suddenly jerked to and fro."""

    def __init__(self, rule: JerkRule, report: Report) -> None:
        super().__init__(JerkState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map movements, and page loads, with which the clock starts."""
        return {MouseMove: self._on_move, Navigation: self._on_navigation}

    def advance(self, t: int) -> None:
        """Measure at the moments due at `t` (epoch ms)."""
        while self.deadline is not None and self.deadline <= t:
            self._measure(self.deadline)

    def finish(self) -> None:
        """Forget what was measured."""
        self._state = JerkState()
        self._rearm()

    def _rearm(self) -> None:
        state = self._state
        is_moving = state.path_px > 0 or state.turns > 0 or state.speed > 0
        self.deadline = state.next_t if is_moving else None

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state = JerkState(next_t=navigation.t + self._rule.period_ms)
            self._rearm()

    def _on_move(self, move: MouseMove) -> None:
        state, period_ms = self._state, self._rule.period_ms
        state.page = move.page
        for t, x, y in move.positions:
            if state.next_t == NEVER:
                state.next_t = t + period_ms
            self.advance(t)
            if state.next_t <= t:  # nothing moved for a while
                state.next_t += ((t - state.next_t) // period_ms + 1) * period_ms
            before, state.position = state.position, (x, y)
            if before is not None:
                step = x - before[0]
                way = (step > 0) - (step < 0)
                state.turns += way != state.way
                state.way = way
                state.path_px += abs(step) + abs(y - before[1])
            self._rearm()

    def _measure(self, now: int) -> None:
        state, rule = self._state, self._rule
        speed = state.path_px / rule.period_ms
        gained = (speed - state.speed) / rule.period_ms
        if state.speed and state.turns > rule.turns and gained > rule.acceleration:
            evidence = {"decided_t": now, "turns": state.turns, "acceleration": round(gained, 5)}
            self._report(finding(rule.rule, now, None, evidence, page=state.page))
        if state.speed:
            state.path_px, state.turns = 0.0, 0
        state.speed = speed
        state.next_t = now + rule.period_ms
        self._rearm()
