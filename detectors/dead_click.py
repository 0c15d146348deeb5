"""Dead click: a click on something that asks to be clicked, and nothing came of it.

Our rule: within `wait_ms` after the click (and from its press on: menus open on press) nothing answered, where
everything counts that a recording can show: a change of the page that is neither its own doing nor an undone ripple
(see `detectors.reactions`), navigation, scroll, selection, input, focus of a field, a request that succeeded, media,
canvas, a new window, the tab or page left. Which elements owe an answer, and which are exempt: `detectors.interactive`.

An uncaught error is no answer either, but no riddle: it is blamed on the latest click, as error clicks are, and what
still waits on that click's target is not called dead.

Not dead is what can have nothing to say: a click on what is chosen already (a tab, the page one is on), a click so soon
after an answered one on the same control (a stepper at its end), and sending a form again that answered before:
frameworks that show the same message again change nothing.

A dead click needs proof that the recording lived on: it is reported only when the stream has reached the end of its
wait. What is undecided at the end is forgotten, since the last seconds of a killed tab never arrive. Clicks on a target
that follow a dead one within `wait_ms` belong to it and are not reported again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.aim import Aim, Aims
from detectors.form_elements import sends_form
from detectors.interactions import Click, Failure, Navigation
from detectors.interactive import Candidate, is_chosen
from detectors.machine import NEVER, Machine, Report
from detectors.protocol import Finding
from detectors.reactions import Reactions
from detectors.settings import DeadClickSettings
from detectors.stored import annotate
from detectors.targets import describe, place_of
from detectors.tuning import Tuning
from schemas.signals import Target

RULE: Final = "wince/dead_click@1"

MAX_PENDING: Final = 32
"""Clicks waiting for an answer; while so many wait, further ones are not judged."""

QUICK_MS: Final = 1_000
"""Clicks that follow each other so soon are one use of a control; an answer to the first of them is one to that use."""

MAX_RECENT: Final = 16
"""Targets remembered as dead, so that a burst on one of them is reported once."""


@dataclass(init=False, slots=True)
class PendingClick:
    """A click at `t` after a press at `press_t` (epoch ms), to be answered within `wait_ms`.

    `press` is the press's number, `sign` why its target asks for clicks.

    `place` knows its target again when the page replaces it; `sends` says that it sends a form.
    """

    press_t: int
    t: int
    press: int
    page: str
    target: Target
    sign: str
    place: str
    wait_ms: int
    sends: bool

    def __init__(self, click: Click, press: int, press_t: int, found: Candidate, aim: Aim) -> None:
        own = found.element is aim.control
        self.press_t = press_t
        self.t = click.t
        self.press = press
        self.page = click.page
        self.target = aim.target() if own else describe(found.element)
        self.sign = found.sign
        self.place = aim.place() if own else place_of(found.element, self.target.text)
        self.wait_ms = 0
        self.sends = sends_form(found.element)


@dataclass(slots=True)
class DeadClickState:
    """Undecided clicks, oldest first, and the last click (epoch ms) of each place lately found dead.

    `blamable` is the place of the latest click of all, if that one is undecided: an error would be blamed on it.
    `sent` are places that sent a form of this page and were answered, `lively` those lately answered, and when.
    """

    pending: list[PendingClick] = field(default_factory=list)
    recent: dict[str, int] = field(default_factory=dict)
    blamable: str | None = None
    sent: list[str] = field(default_factory=list)
    lively: dict[str, int] = field(default_factory=dict)


annotate(
    DeadClickState,
    pending=list[PendingClick],
    recent=dict[str, int],
    blamable=str | None,
    sent=list[str],
    lively=dict[str, int],
)


class DeadClick(Machine[DeadClickState]):
    """Finds clicks that nothing answered; `reactions` must have seen each interaction first."""

    name = "dead_click"

    def __init__(
        self, settings: DeadClickSettings, tuning: Tuning, reactions: Reactions, aims: Aims, report: Report
    ) -> None:
        super().__init__(DeadClickState())
        self._wait_ms = settings.wait_ms
        self._tuning = tuning
        self._reactions = reactions
        self._aims = aims
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Clicks, and the errors they end in: what answers them is watched by the reactions."""
        return {Click: self._on_click, Failure: self._on_failure, Navigation: self._on_navigation}

    def advance(self, t: int) -> None:
        """Decide the clicks whose wait is over at `t` (epoch ms)."""
        state = self._state
        pending, state.pending = state.pending, []
        for click in pending:
            if click.t + click.wait_ms > t:
                state.pending.append(click)
            elif self._reactions.alive_since(click.press):
                self._answered(click)
            else:
                self._found(click)
        self._rearm()

    def finish(self) -> None:
        """Forget what is undecided: silence proves nothing here."""
        self._state.pending.clear()
        self._rearm()

    def _rearm(self) -> None:
        nearest: int | None = None
        for click in self._state.pending:
            due = click.t + click.wait_ms
            if nearest is None or due < nearest:
                nearest = due
        self.deadline = nearest

    def _on_click(self, click: Click) -> None:
        if click.button or not click.is_primary:
            return
        state = self._state
        state.blamable = None
        aim = self._aims.of(click)
        if aim is None or click.modifiers or len(state.pending) >= MAX_PENDING:
            return
        found = aim.candidate(click.page)
        if found is None or aim.is_ignored() or is_chosen(found.element):
            return
        press = self._reactions.current
        waiting = PendingClick(click, press, self._reactions.press_t(press), found, aim)
        waiting.wait_ms = self._wait_ms
        if self._tuning:
            waiting.wait_ms = self._tuning.dead_click_wait_ms(aim.element, self._wait_ms)
        state.pending.append(waiting)
        state.blamable = waiting.place
        self._rearm()

    def _on_failure(self, failure: Failure) -> None:
        state = self._state
        if state.blamable is not None and failure.source != "console_error":
            state.pending = [click for click in state.pending if click.place != state.blamable]
            self._rearm()

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state.sent.clear()
            self._state.lively.clear()

    def _answered(self, click: PendingClick) -> None:
        state = self._state
        state.lively.pop(click.place, None)
        state.lively[click.place] = click.t
        if len(state.lively) > MAX_RECENT:
            del state.lively[next(iter(state.lively))]
        if click.sends and click.place not in state.sent:
            state.sent.append(click.place)
            if len(state.sent) > MAX_RECENT:
                del state.sent[0]

    def _found(self, click: PendingClick) -> None:
        state = self._state
        if click.sends and click.place in state.sent:
            return
        if click.t - state.lively.get(click.place, NEVER) <= QUICK_MS:
            state.lively[click.place] = click.t
            return
        recent = state.recent
        last_t = recent.pop(click.place, None)
        recent[click.place] = click.t
        if len(recent) > MAX_RECENT:
            del recent[next(iter(recent))]
        if last_t is None or click.t - last_t >= click.wait_ms:
            self._report(self._finding(click))

    def _finding(self, click: PendingClick) -> Finding:
        return Finding(
            detector=self.name,
            t=click.press_t,
            end_t=click.t,
            page=click.page,
            target=click.target,
            rule=RULE,
            evidence={"wait_ms": click.wait_ms, "sign": click.sign},
        )
