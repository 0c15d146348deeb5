"""Form error loop: a form is sent again and again, and refused each time.

Our rule (when a form is sent and refused: `detectors.forms`): `refusals` in a row on one form, at least one of which
was a failed request or marked a field as wrong: chats and lists that take one text after another answer with texts,
too. Editing in between is part of it. The signal comes when the form is over or nothing was refused for `QUIET_MS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.default_settings import FormErrorLoopSettings
from detectors.form_record import Form
from detectors.forms import MAX_FORMS
from detectors.machine import Machine, Report
from detectors.protocol import Finding
from detectors.stored import annotate
from schemas.signals import Target

RULE: Final = "wince/form_error_loop@1"

QUIET_MS: Final = 60_000
"""Correcting a form takes people less than a minute between two tries."""


@dataclass(slots=True)
class Loop:
    """A form refused from `t` to `end_t` (epoch ms)."""

    t: int
    end_t: int
    page: str
    target: Target
    count: int
    is_told: bool = False


@dataclass(slots=True)
class FormErrorLoopState:
    """Loops by their form's key, the one heard of last at the end."""

    loops: dict[int | str, Loop] = field(default_factory=dict)


annotate(FormErrorLoopState, loops=dict[int | str, Loop])


class FormErrorLoop(Machine[FormErrorLoopState]):
    """Reports the forms that `detectors.forms` sees refused over and over."""

    name = "form_error_loop"

    def __init__(self, settings: FormErrorLoopSettings, report: Report) -> None:
        super().__init__(FormErrorLoopState())
        self._refusals = settings.refusals
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Nothing: the watcher tells."""
        return {}

    def advance(self, t: int) -> None:
        """Report loops in which nothing was refused for long enough at `t` (epoch ms)."""
        for loop in self._state.loops.values():
            if not loop.is_told and loop.end_t + QUIET_MS <= t:
                self._tell(loop)
        self._rearm()

    def finish(self) -> None:
        """Report all loops: silence ends them."""
        loops, self._state.loops = self._state.loops, {}
        self._rearm()
        for loop in loops.values():
            self._tell(loop)

    def _rearm(self) -> None:
        waiting = [loop.end_t + QUIET_MS for loop in self._state.loops.values() if not loop.is_told]
        self.deadline = min(waiting, default=None)

    def refused(self, form: Form, t: int) -> None:
        """Take note of a refusal at `t` (epoch ms)."""
        if form.refusals < self._refusals or not form.is_marked:
            return
        loops = self._state.loops
        known = loops.pop(form.key, None)
        is_told = known is not None and known.is_told
        target = form.target if form.control is None else form.control
        loops[form.key] = Loop(form.refused_since, t, form.page, target, form.refusals, is_told)
        if len(loops) > MAX_FORMS:
            self._tell(loops.pop(next(iter(loops))))
        self._rearm()

    def left(self, form: Form, t: int, how: str) -> None:
        """A form that was left is told to be over as well."""

    def done(self, form: Form) -> None:
        """Report the loop of a form that is over."""
        loop = self._state.loops.pop(form.key, None)
        self._rearm()
        if loop is not None:
            self._tell(loop)

    def _tell(self, loop: Loop) -> None:
        if loop.is_told:
            return
        loop.is_told = True
        self._report(
            Finding(
                detector=self.name,
                t=loop.t,
                end_t=max(loop.t, loop.end_t),
                page=loop.page,
                target=loop.target,
                rule=RULE,
                evidence={"needed_refusals": self._refusals},
                count=loop.count,
            )
        )
