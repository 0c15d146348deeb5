"""Unanswered clicks: a click that owes an answer, and the wait in which none came."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from detectors.elements import Element
from detectors.interactions import AuxClick, Click, Interaction, Navigation, PageExit
from detectors.machine import NEVER, Machine, Report
from detectors.machines.gestures import Place, Pointer, finding, place_of, press_time

MAX_PENDING: Final = 64
"""Clicks waiting at a time; while so many wait, further ones are not judged."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What answers a click: interactions for which `counts` holds, at the moment that `when` gives (epoch ms).

    It answers from `before_ms` before the click on (`None`: only what comes after it in the stream), until the wait is
    over; the very end of the wait still counts if `at_end`.
    """

    counts: Callable[[Interaction], bool] = lambda _interaction: True
    when: Callable[[Interaction], int] = lambda interaction: interaction.t
    before_ms: int | None = None
    at_end: bool = False


class WaitRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which clicks wait how long for what, and when they are looked at.

    `find` gives the element a click is about, `None` where nothing owes an answer. A click is looked at when its wait
    is over (`own`), at the first of the moments `wait_ms` apart from the first waiting click on that is late enough
    (`cycle`), or at the next answer or click (`next`): then an answer that comes too late is none. With
    `one_at_a_time` clicks made while another waits are not judged. What `ends` holds for takes an earlier click's place
    without one of its own.
    """

    rule: str
    wait_ms: int
    examined: Literal["own", "cycle", "next"]
    answers: Mapping[type, Answer]
    counted: Literal["press", "click"] = "click"
    one_at_a_time: bool = False
    outlives_page: bool = False
    find: Callable[[Pointer, Element], Element | None]
    ends: Callable[[Pointer, Element], bool] = lambda _click, _element: False


class Waiting(msgspec.Struct, gc=False):
    """A click that waits since `t` (epoch ms); `at_once` others on its element do since the same millisecond."""

    t: int
    end_t: int
    place: Place
    is_answered: bool = False
    at_once: int = 0


class WaitState(msgspec.Struct, gc=False):
    """Clicks that wait, oldest first; the last answer of each kind; when the clicks are next looked at (`cycle`).

    `busy` is the time in which a click last waited, from press to decision.
    """

    pending: list[Waiting] = msgspec.field(default_factory=list)
    answered_t: dict[str, int] = msgspec.field(default_factory=dict)
    next_t: int = NEVER
    busy: tuple[int, int] = (NEVER, NEVER)


class UnansweredClicks(Machine[WaitState]):
    """Finds clicks without an answer by one rule."""

    def __init__(self, rule: WaitRule, report: Report) -> None:
        super().__init__(WaitState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report
        self._late_ms = 1 if any(answer.at_end for answer in rule.answers.values()) else 0

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks, answers, and the end of a page."""
        handlers: dict[type, Callable[..., None]] = dict.fromkeys(self._rule.answers, self._on_answer)
        handlers[Click] = self._on_click
        if self._rule.counted == "press":
            handlers[AuxClick] = self._on_click
        if not self._rule.outlives_page:
            handlers[Navigation] = self._on_navigation
            handlers[PageExit] = self._on_exit
        return handlers

    def advance(self, t: int) -> None:
        """Look at the clicks that are due at `t` (epoch ms)."""
        while self.deadline is not None and self.deadline <= t:
            if self._rule.examined == "own":
                click = self._state.pending.pop(0)
                self._decide(click, click.t + self._rule.wait_ms)
            else:
                self._examine(self.deadline)
            self._rearm()

    def finish(self) -> None:
        """Forget what waits: nothing is proved."""
        self._state.pending.clear()
        self._rearm()

    def _rearm(self) -> None:
        state = self._state
        self.deadline = None
        if state.pending and self._rule.examined == "own":
            self.deadline = state.pending[0].t + self._rule.wait_ms + self._late_ms
        elif state.pending and self._rule.examined == "cycle":
            self.deadline = state.next_t

    def _examine(self, now: int) -> None:
        state, wait_ms = self._state, self._rule.wait_ms
        state.next_t = now + wait_ms
        waiting, state.pending = state.pending, []
        for click in waiting:
            if now - click.t >= wait_ms:
                self._decide(click, now)
            else:
                state.pending.append(click)

    def _decide(self, click: Waiting, decided_t: int) -> None:
        self._state.busy = (click.t, decided_t)
        if not click.is_answered:
            evidence = {"decided_t": decided_t, "wait_ms": self._rule.wait_ms}
            key = str(click.at_once) if click.at_once else ""
            self._report(finding(self._rule.rule, click.t, click.place, evidence, end_t=click.end_t, key=key))

    def _on_navigation(self, navigation: Navigation) -> None:
        answer = self._rule.answers.get(Navigation)
        if answer is not None and answer.counts(navigation):
            self._on_answer(navigation)
        if navigation.nav == "load":
            self.finish()

    def _on_exit(self, _exit: PageExit) -> None:
        self.finish()

    def _on_answer(self, interaction: Interaction) -> None:
        answer = self._rule.answers[type(interaction)]
        if not answer.counts(interaction):
            return
        t, state = answer.when(interaction), self._state
        state.answered_t[type(interaction).__name__] = t
        if self._rule.examined == "next":
            self._answer_next(t)
            return
        for click in state.pending:
            if self._is_in_time(answer, click.t, t):
                click.is_answered = True
        if self._rule.one_at_a_time and state.pending:
            state.busy = (state.pending[0].t, t)
            state.pending.clear()
            self._rearm()

    def _is_in_time(self, answer: Answer, click_t: int, t: int) -> bool:
        age_ms, wait_ms = t - click_t, self._rule.wait_ms
        if age_ms < 0 and (answer.before_ms is None or age_ms < -answer.before_ms):
            return False
        return self._rule.examined == "cycle" or age_ms < wait_ms or (answer.at_end and age_ms == wait_ms)

    def _answer_next(self, t: int) -> None:
        pending, self._state.pending = self._state.pending, []
        for click in pending:
            click.is_answered = t - click.t < self._rule.wait_ms
            self._decide(click, t)

    def _on_click(self, click: Pointer) -> None:
        element, rule, state = click.target, self._rule, self._state
        if element is None:
            return
        ends = rule.examined == "next" and rule.ends(click, element)
        found = rule.find(click, element)
        if ends or (found is not None and rule.examined == "next"):
            self._answer_next(click.t)
        if found is None or len(state.pending) >= MAX_PENDING:
            return
        t = press_time(click) if rule.counted == "press" else click.t
        if rule.one_at_a_time and (state.pending or state.busy[0] <= t < state.busy[1]):
            return
        if not state.pending:
            state.next_t = t + rule.wait_ms
        waiting = Waiting(t, click.t, place_of(click, found), self._is_answered_already(t, click.t))
        if waiting.is_answered and rule.one_at_a_time:
            return
        waiting.at_once = sum(other.t == t and other.place.node_id == found.node_id for other in state.pending)
        state.pending.append(waiting)
        self._rearm()

    def _is_answered_already(self, t: int, told_t: int) -> bool:
        """Tell whether an answer came before the click, or between its press at `t` and the click at `told_t`."""
        for kind, answer in self._rule.answers.items():
            answered_t = self._state.answered_t.get(kind.__name__)
            if answered_t is None:
                continue
            if (answer.before_ms is not None and answered_t >= t - answer.before_ms) or t <= answered_t < told_t:
                return True
        return False
