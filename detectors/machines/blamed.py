"""Blamed clicks: an error, and the click before it that is held responsible."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.elements import Element
from detectors.interactions import AuxClick, Click, Failure, Navigation
from detectors.machine import Machine, Report
from detectors.machines.gestures import Place, Pointer, finding, place_of, press_time

MAX_CLICKS: Final = 64
"""Clicks that can be blamed at a time; older ones are forgotten."""


MAX_UNBLAMED: Final = 8
"""Errors remembered for a gesture that is told when it ends."""


class BlameRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which clicks can be blamed for an error less than `window_ms` later (`at_end`: or exactly so much later).

    `find` gives the element that is blamed, `None` for a click that cannot be. The latest click has the blame; with
    `falls_back` an earlier one has it where later ones were blamed before.
    """

    rule: str
    window_ms: int
    at_end: bool = False
    falls_back: bool = False
    by_press: bool = False
    sources: frozenset[str]
    find: Callable[[Pointer, Element], Element | None]


class Suspect(msgspec.Struct, gc=False):
    """A click that can be blamed, at `t` (epoch ms)."""

    t: int
    end_t: int
    place: Place


class BlameState(msgspec.Struct, gc=False):
    """Clicks that can be blamed, the latest at the end, and the last errors nobody was blamed for (epoch ms)."""

    suspects: list[Suspect] = msgspec.field(default_factory=list)
    unblamed: list[int] = msgspec.field(default_factory=list)


class BlamedClicks(Machine[BlameState]):
    """Finds clicks that ended in an error, by one rule."""

    def __init__(self, rule: BlameRule, report: Report) -> None:
        super().__init__(BlameState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks, errors, and page loads, after which nothing of the old page can be blamed."""
        handlers: dict[type, Callable[..., None]] = {
            Click: self._on_click,
            Failure: self._on_failure,
            Navigation: self._on_navigation,
        }
        if self._rule.by_press:
            handlers[AuxClick] = self._on_click
        return handlers

    def finish(self) -> None:
        """Forget who could be blamed."""
        self._state.suspects.clear()

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self.finish()

    def _on_click(self, click: Pointer) -> None:
        element, rule, state = click.target, self._rule, self._state
        found = None if element is None else rule.find(click, element)
        if found is None:
            return
        t = press_time(click) if rule.by_press else click.t
        if not rule.falls_back:
            state.suspects.clear()
        suspect = Suspect(t, click.t, place_of(click, found))
        since_press = [error_t for error_t in state.unblamed if t <= error_t < min(click.t, t + rule.window_ms)]
        state.unblamed.clear()
        if since_press:
            self._blame(suspect, since_press[0])
            return
        state.suspects.append(suspect)
        del state.suspects[:-MAX_CLICKS]

    def _on_failure(self, failure: Failure) -> None:
        rule, state = self._rule, self._state
        if failure.source not in rule.sources:
            return
        if state.suspects:
            latest = state.suspects.pop()
            late_ms = failure.t - latest.t - rule.window_ms
            if late_ms < 0 or (late_ms == 0 and rule.at_end):
                self._blame(latest, failure.t)
                return
            state.suspects.clear()
        state.unblamed.append(failure.t)
        del state.unblamed[:-MAX_UNBLAMED]

    def _blame(self, suspect: Suspect, error_t: int) -> None:
        evidence = {"error_t": error_t, "decided_t": error_t, "window_ms": self._rule.window_ms}
        self._report(finding(self._rule.rule, suspect.t, suspect.place, evidence, end_t=suspect.end_t))
