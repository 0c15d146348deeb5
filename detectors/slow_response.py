"""Slow response: a click that was answered, but only after a long wait.

Our rule: either a request that a click caused (see `detectors.blame`) succeeded after `slow_ms` or more; or nothing at
all answered a click on something that asks to be clicked for so long, and then content came that is not the page's
own doing, before the visitor did anything else. Nobody knows that an answer is slow before it is there: it is reported
at that moment. Further slow answers to the same control within `slow_ms` belong to the same signal.

Sources: Sentry calls a click slow when its answer takes three seconds. Jakob Nielsen, Usability Engineering, 1993: the
flow of thought holds for one second, attention for ten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.aim import Aims
from detectors.blame import CausingClick, cause, remember
from detectors.default_settings import SlowResponseSettings
from detectors.hands import Hands
from detectors.interactions import Click, Mutation, Navigation, RequestEnd
from detectors.machine import Machine, Report
from detectors.protocol import Finding
from detectors.reactions import LONGEST_WAIT_MS, Reactions
from detectors.stored import annotate

RULE: Final = "wince/slow_response@1"


@dataclass(slots=True)
class SlowAnswer:
    """A slow answer that came at `end_t` (epoch ms), `waited_ms` after the click."""

    click: CausingClick
    end_t: int
    waited_ms: int
    answer: str
    count: int = 1


@dataclass(slots=True)
class SlowResponseState:
    """Clicks that requests may be the work of; the click that waits for any answer; the slow answer found last."""

    clicks: list[CausingClick] = field(default_factory=list)
    waiting: bool = False
    found: SlowAnswer | None = None


annotate(SlowResponseState, clicks=list[CausingClick], found=SlowAnswer | None)


class SlowResponse(Machine[SlowResponseState]):
    """Finds clicks that were answered late; `reactions` must have seen each interaction first."""

    name = "slow_response"

    def __init__(
        self, settings: SlowResponseSettings, reactions: Reactions, aims: Aims, hands: Hands, report: Report
    ) -> None:
        super().__init__(SlowResponseState())
        self._slow_ms = settings.slow_ms
        self._reactions = reactions
        self._aims = aims
        self._hands = hands
        self._deeds = hands.deeds
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Clicks and answers; whether the visitor went on to something else is noted by the hands."""
        return {
            Click: self._on_click,
            Mutation: self._on_mutation,
            RequestEnd: self._on_request_end,
            Navigation: self._on_navigation,
        }

    def advance(self, t: int) -> None:
        """Report the slow answer if no further one can join it at `t` (epoch ms)."""
        if self.deadline is not None and self.deadline <= t:
            self._close()

    def finish(self) -> None:
        """Report the slow answer, forget who waits."""
        self._state.waiting = False
        self._close()

    def _settle(self) -> None:
        self._state.waiting = self._waits()

    def _waits(self) -> bool:
        """Tell whether the latest click still waits: the visitor did nothing else since."""
        return self._state.waiting and self._hands.deeds == self._deeds

    def _rearm(self) -> None:
        found = self._state.found
        self.deadline = None if found is None else found.end_t + self._slow_ms

    def _on_click(self, click: Click) -> None:
        state = self._state
        aim = self._aims.of(click)
        remember(state.clicks, click, aim)
        state.waiting = bool(state.clicks) and aim is not None and aim.candidate(click.page) is not None
        self._deeds = self._hands.deeds

    def _on_navigation(self, navigation: Navigation) -> None:
        state = self._state
        state.waiting = False
        if navigation.nav == "load":
            state.clicks.clear()

    def _on_mutation(self, mutation: Mutation) -> None:
        state = self._state
        if not state.waiting:
            return
        if not self._waits():
            state.waiting = False
            return
        waited_ms = mutation.t - state.clicks[-1].t
        if waited_ms >= LONGEST_WAIT_MS:
            state.waiting = False
        elif waited_ms >= self._slow_ms and self._reactions.is_late_answer(mutation):
            state.waiting = False
            self._answered(state.clicks[-1], mutation.t, waited_ms, "content")

    def _on_request_end(self, request: RequestEnd) -> None:
        if request.failed or request.t - request.start_t < self._slow_ms:
            return
        click = cause(self._state.clicks, request.start_t)
        if click is not None:
            self._state.waiting = False
            self._answered(click, request.t, request.t - click.t, "request")

    def _answered(self, click: CausingClick, t: int, waited_ms: int, answer: str) -> None:
        found = self._state.found
        if found is not None and found.click.place == click.place:
            found.count += 1
            found.end_t = t
        else:
            self._close()
            self._state.found = SlowAnswer(click, t, waited_ms, answer)
        self._rearm()

    def _close(self) -> None:
        found, self._state.found = self._state.found, None
        self._rearm()
        if found is not None:
            self._report(
                Finding(
                    detector=self.name,
                    t=found.click.press_t,
                    end_t=found.end_t,
                    page=found.click.page,
                    target=found.click.target,
                    rule=RULE,
                    evidence={"waited_ms": found.waited_ms, "slow_ms": self._slow_ms, "answer": found.answer},
                    count=found.count,
                )
            )
