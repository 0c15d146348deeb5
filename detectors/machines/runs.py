"""Action runs: consecutive clicks on one path, ended by any other action; what they were is flagged on the run.

Source: New Relic's `user-actions-aggregator.js` and `aggregated-user-action.js`.
"""

from collections.abc import Callable, Mapping
from typing import Final, get_args

import msgspec

from detectors.elements import Element
from detectors.interactions import (
    AuxClick,
    Click,
    Failure,
    Interaction,
    KeyDown,
    Mutation,
    Navigation,
    PageExit,
    RequestEnd,
    RequestStart,
    Scroll,
    Visibility,
    WindowFocus,
)
from detectors.machine import Machine, Report
from detectors.machines.gestures import MAX_LISTED, Place, finding, place_of
from schemas.signals import EvidenceValue

ENDS: Final = (AuxClick, KeyDown, Scroll, WindowFocus)
"""Other actions: each ends a run."""
SIGNS: Final = (Mutation, RequestStart, Navigation, Visibility)
"""Signs of life: each cancels the wait for one."""


class RunRule(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers; `is_eligible` targets can be dead or blamed, `path` names what belongs to one run."""

    preset: str
    version: int
    count: int
    window_ms: int
    wait_ms: int
    sources: frozenset[str]
    path: Callable[[Element], str]
    is_eligible: Callable[[Element], bool]


class ActionRun(msgspec.Struct, gc=False):
    """Clicks on one path since `t` (epoch ms); `waits` as long as its first click may turn out dead."""

    path: str
    place: Place
    t: int
    last: list[int]
    times: list[int]
    total: int = 1
    is_rage: bool = False
    is_eligible: bool = False
    waits: bool = False
    has_error: bool = False


class RunState(msgspec.Struct, gc=False):
    """The run that goes on, and the last moment seen (epoch ms)."""

    run: ActionRun | None = None
    last_t: int = 0


class ActionRuns(Machine[RunState]):
    """Finds rage, dead and error clicks in runs of clicks."""

    def __init__(self, rule: RunRule, report: Report) -> None:
        super().__init__(RunState())
        self.name = f"{rule.preset}/actions"
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map everything: the moment of the last event of all is when a run ends at the latest."""
        return {
            **dict.fromkeys(get_args(Interaction), self._on_anything),
            **dict.fromkeys(ENDS, self._on_end),
            **dict.fromkeys(SIGNS, self._on_sign),
            RequestEnd: self._on_request_end,
            PageExit: self._on_end,
            Click: self._on_click,
            Failure: self._on_failure,
        }

    def advance(self, t: int) -> None:
        """Decide about the first click when its wait is over at `t` (epoch ms)."""
        run = self._state.run
        if run is not None and self.deadline is not None and self.deadline <= t:
            run.waits = False
            self._tell("dead_click", run, self.deadline, run.t, wait_ms=self._rule.wait_ms)
            self._rearm()

    def finish(self) -> None:
        """End the run with the session."""
        self._end(self._state.last_t)

    def _rearm(self) -> None:
        run = self._state.run
        self.deadline = run.t + self._rule.wait_ms if run is not None and run.waits else None

    def _on_anything(self, interaction: Interaction) -> None:
        self._state.last_t = interaction.t

    def _on_end(self, interaction: Interaction) -> None:
        self._state.last_t = interaction.t
        self._end(interaction.t)

    def _on_sign(self, interaction: Interaction) -> None:
        self._state.last_t = interaction.t
        if isinstance(interaction, Navigation) and interaction.nav == "load":
            self._end(interaction.t)
        elif self._state.run is not None:
            self._state.run.waits = False
            self._rearm()

    def _on_request_end(self, request: RequestEnd) -> None:
        """A request that began since the run did is a sign of life, if it is told only now."""
        self._state.last_t = request.t
        run = self._state.run
        if run is not None and run.t <= request.start_t < request.t:
            run.waits = False
            self._rearm()

    def _on_click(self, click: Click) -> None:
        state, rule, element = self._state, self._rule, click.target
        state.last_t = click.t
        if element is None:
            return
        path, run = rule.path(element), state.run
        if run is None or run.path != path:
            self._end(click.t)
            eligible = rule.is_eligible(element)
            place = place_of(click, element)
            state.run = ActionRun(path, place, click.t, [click.t], [click.t], is_eligible=eligible, waits=eligible)
        else:
            run.total += 1
            run.last = [*run.last, click.t][-rule.count :]
            if len(run.times) < MAX_LISTED:
                run.times.append(click.t)
            if len(run.last) == rule.count and run.last[-1] - run.last[0] < rule.window_ms:
                run.is_rage = True
        self._rearm()

    def _on_failure(self, failure: Failure) -> None:
        self._state.last_t = failure.t
        run = self._state.run
        if run is None or run.has_error or not run.is_eligible or failure.source not in self._rule.sources:
            return
        if failure.t - run.t < self._rule.wait_ms:
            run.has_error = True
            self._tell("error_click", run, failure.t, run.t, error_t=failure.t, window_ms=self._rule.wait_ms)

    def _end(self, t: int) -> None:
        run, self._state.run = self._state.run, None
        if run is not None and run.is_rage:
            rule = self._rule
            evidence: dict[str, EvidenceValue] = {"needed_clicks": rule.count, "window_ms": rule.window_ms}
            self._tell("rage_click", run, t, run.times[-1], click_times=list(run.times), **evidence)
        self._rearm()

    def _tell(self, detector: str, run: ActionRun, decided_t: int, end_t: int, **measured: EvidenceValue) -> None:
        name = f"{self._rule.preset}/{detector}@{self._rule.version}"
        evidence: dict[str, EvidenceValue] = {"decided_t": decided_t, **measured}
        count = run.total if detector == "rage_click" else None
        self._report(finding(name, run.t, run.place, evidence, end_t=end_t, count=count))
