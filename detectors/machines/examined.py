"""Examined candidates: clicks and swipes looked at every second, until a sign of life or a late one decides.

Source: PostHog's `dead-clicks-autocapture.ts`. Of changes of the page and of selections only the latest is known, so
that a late one hides an early one; that is the rule, not an accident of ours.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.elements import Element
from detectors.interactions import (
    Click,
    Mutation,
    Navigation,
    PageExit,
    Scroll,
    Selection,
    TouchEnd,
    TouchStart,
    Visibility,
    WindowFocus,
)
from detectors.machine import NEVER, Machine, Report
from detectors.machines.gestures import Place, finding
from detectors.targets import describe
from schemas.signals import EvidenceValue

MAX_CANDIDATES: Final = 64
"""Candidates held at a time; while there are so many, no others are taken."""

PERIOD_MS: Final = 1_000
SAME_NODE_MS: Final = 1_000
LIVENESS_MS: Final = 1_000
"""So near a change of visibility or focus a click is what brought the tab back, or opened another."""

SCROLL_STEP_MS: Final = 50
"""With the vendor's fault scrolls are noted at multiples of this only."""


class ExamineRule(msgspec.Struct, frozen=True, kw_only=True):
    """The waits, and what cannot be a candidate. `is_click` and `is_swipe` judge targets."""

    preset: str
    version: int
    mutation_ms: int
    scroll_ms: int
    selection_ms: int
    swipe_px: float
    max_swipes: int
    takes_clicks: bool
    takes_swipes: bool
    takes_modified_clicks: bool
    skips_scrolls: bool
    is_click: Callable[[Element], bool]
    is_swipe: Callable[[Element], bool]
    hides_answers: Callable[[Element], bool]


class Candidate(msgspec.Struct, gc=False):
    """A click or swipe at `t` (epoch ms) that may be dead, with the delays of what came after it so far (ms)."""

    t: int
    place: Place
    direction: str = ""
    distance_px: int = 0
    mutation_ms: int | None = None
    scroll_ms: int | None = None
    is_live: bool = False


class Touch(msgspec.Struct, gc=False, array_like=True):
    """Where and when a finger went down; `is_open` if something there answers without a trace."""

    t: int
    x: float
    y: float
    hides_answers: bool


class ExamineState(msgspec.Struct, gc=False):
    """Candidates, the next examination, and when each sign was last seen (epoch ms)."""

    candidates: list[Candidate] = msgspec.field(default_factory=list)
    next_t: int = NEVER
    mutation_t: int = NEVER
    scroll_t: int = NEVER
    selection_t: int = NEVER
    visibility_t: int = NEVER
    focus_t: int = NEVER
    touch: Touch | None = None
    swipes: int = 0


class ExaminedCandidates(Machine[ExamineState]):
    """Finds dead clicks and dead swipes."""

    def __init__(self, rule: ExamineRule, report: Report) -> None:
        super().__init__(ExamineState())
        self.name = f"{rule.preset}/dead"
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks, touches, signs of life, and the end of a page."""
        handlers: dict[type, Callable[..., None]] = {
            Mutation: self._on_mutation,
            Scroll: self._on_scroll,
            Selection: self._on_selection,
            Visibility: self._on_visibility,
            WindowFocus: self._on_focus,
            Navigation: self._on_navigation,
            PageExit: self._on_exit,
        }
        if self._rule.takes_clicks:
            handlers[Click] = self._on_click
        if self._rule.takes_swipes:
            handlers.update({TouchStart: self._on_touch_start, TouchEnd: self._on_touch_end})
        return handlers

    def advance(self, t: int) -> None:
        """Make the examinations due at `t` (epoch ms)."""
        while self.deadline is not None and self.deadline <= t:
            self._examine(self.deadline)

    def finish(self) -> None:
        """Forget the candidates: their page is gone, and its clock with it."""
        self._state.candidates.clear()
        self._state.touch = None
        self._rearm()

    def _rearm(self) -> None:
        self.deadline = self._state.next_t if self._state.candidates else None

    # -- signs ----------------------------------------------------------------------------------------------------

    def _on_mutation(self, mutation: Mutation) -> None:
        self._state.mutation_t = mutation.t

    def _on_selection(self, selection: Selection) -> None:
        if not selection.collapsed:
            self._state.selection_t = selection.t

    def _on_scroll(self, scroll: Scroll) -> None:
        self._state.scroll_t = scroll.t
        if self._rule.skips_scrolls and scroll.t % SCROLL_STEP_MS:
            return
        for candidate in self._state.candidates:
            if candidate.scroll_ms is None:
                candidate.scroll_ms = scroll.t - candidate.t

    def _on_visibility(self, visibility: Visibility) -> None:
        self._state.visibility_t = visibility.t
        self._note_life(visibility.t)

    def _on_focus(self, focus: WindowFocus) -> None:
        self._state.focus_t = focus.t
        self._note_life(focus.t)

    def _note_life(self, t: int) -> None:
        for candidate in self._state.candidates:
            candidate.is_live = candidate.is_live or t - candidate.t < LIVENESS_MS

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state = ExamineState()
            self._rearm()

    def _on_exit(self, _exit: PageExit) -> None:
        self.finish()

    # -- candidates -----------------------------------------------------------------------------------------------

    def _on_click(self, click: Click) -> None:
        element = click.target
        if element is None or (click.modifiers and not self._rule.takes_modified_clicks):
            return
        if self._rule.is_click(element):
            self._take(Candidate(click.t, Place(click.page, describe(element))))

    def _on_touch_start(self, touch: TouchStart) -> None:
        """Begin a swipe; a second finger, told by its number or by its going down before the first went up, ends it."""
        hides = touch.target is not None and self._rule.hides_answers(touch.target)
        is_alone = touch.touches == 1 and self._state.touch is None
        self._state.touch = Touch(touch.t, touch.x, touch.y, hides) if is_alone else None

    def _on_touch_end(self, touch: TouchEnd) -> None:
        state, rule = self._state, self._rule
        start, state.touch = state.touch, None
        if start is None or touch.target is None or start.hides_answers or state.swipes >= rule.max_swipes:
            return
        dx, dy = touch.x - start.x, touch.y - start.y
        if dx * dx + dy * dy < rule.swipe_px * rule.swipe_px or not rule.is_swipe(touch.target):
            return
        if max(state.mutation_t, state.scroll_t, state.selection_t) >= start.t:
            return
        place = Place(touch.page, describe(touch.target))
        self._take(Candidate(touch.t, place, _direction(dx, dy), round((dx * dx + dy * dy) ** 0.5)))

    def _take(self, candidate: Candidate) -> None:
        state = self._state
        for other in state.candidates:
            same = other.place.node_id == candidate.place.node_id and bool(other.direction) == bool(candidate.direction)
            if same and candidate.t - other.t < SAME_NODE_MS:
                return
        if len(state.candidates) >= MAX_CANDIDATES:
            return
        candidate.is_live = candidate.t - max(state.visibility_t, state.focus_t) < LIVENESS_MS
        if not state.candidates:
            state.next_t = candidate.t + PERIOD_MS
        state.candidates.append(candidate)
        self._rearm()

    # -- examining ------------------------------------------------------------------------------------------------

    def _examine(self, now: int) -> None:
        state = self._state
        state.next_t = now + PERIOD_MS
        examined, state.candidates = state.candidates, []
        for candidate in examined:
            if self._waits_on(candidate, now):
                state.candidates.append(candidate)
        self._rearm()

    def _waits_on(self, candidate: Candidate, now: int) -> bool:
        """Decide about a candidate; return whether it has to be looked at again."""
        state, rule = self._state, self._rule
        if candidate.mutation_ms is None and state.mutation_t >= candidate.t:
            candidate.mutation_ms = state.mutation_t - candidate.t
        selection_ms = state.selection_t - candidate.t if state.selection_t >= candidate.t else None
        signs = (
            (candidate.scroll_ms, rule.scroll_ms),
            (candidate.mutation_ms, rule.mutation_ms),
            (selection_ms, rule.selection_ms),
        )
        age_ms = now - candidate.t
        if candidate.is_live or any(delay_ms is not None and delay_ms < limit for delay_ms, limit in signs):
            return False
        late = any(delay_ms is not None for delay_ms, _ in signs)
        if late or age_ms * 10 >= rule.mutation_ms * 11:
            self._tell(candidate, now)
            return False
        return age_ms < rule.mutation_ms

    def _tell(self, candidate: Candidate, now: int) -> None:
        rule, state = self._rule, self._state
        detector = "dead_swipe" if candidate.direction else "dead_click"
        evidence: dict[str, EvidenceValue] = {"decided_t": now, "wait_ms": rule.mutation_ms}
        if candidate.direction:
            if state.swipes >= rule.max_swipes:
                return
            state.swipes += 1
            evidence.update(direction=candidate.direction, distance_px=candidate.distance_px)
        name = f"{rule.preset}/{detector}@{rule.version}"
        self._report(finding(name, candidate.t, candidate.place, evidence))


def _direction(dx: float, dy: float) -> str:
    if abs(dx) >= abs(dy):
        return "right" if dx >= 0 else "left"
    return "down" if dy >= 0 else "up"
