"""Form abandonment: the visitor typed into a form, and left it undone.

Our rule (what a form is, and when it is sent, refused or accepted: `detectors.forms`): text was typed into at least
`fields` fields of a form, and it was left unsent, or after it was refused, by a link elsewhere, by the browser's back
within an application, or because the visitor was never seen again. Who leaves by a button went on with what they were
doing, and a page that is left without a press may have been left by the Enter key, which sends: neither is reported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from detectors.default_settings import FormAbandonmentSettings
from detectors.form_record import Form
from detectors.machine import Machine, Report
from detectors.protocol import Finding

RULE: Final = "wince/form_abandonment@1"


@dataclass(slots=True)
class Nothing:
    """No memory: forms are watched by `detectors.forms`."""


class FormAbandonment(Machine[Nothing]):
    """Reports the forms that `detectors.forms` sees left."""

    name = "form_abandonment"

    def __init__(self, settings: FormAbandonmentSettings, report: Report) -> None:
        super().__init__(Nothing())
        self._fields = settings.fields
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Nothing: the watcher tells."""
        return {}

    def left(self, form: Form, t: int, how: str) -> None:
        """Report a form that was left, at `t` (epoch ms)."""
        if len(form.fields) < self._fields:
            return
        last_t = max(form.input_t, form.refused_t)
        self._report(
            Finding(
                detector=self.name,
                t=last_t,
                end_t=max(last_t, t),
                page=form.page,
                target=form.target,
                rule=RULE,
                evidence={
                    "fields": len(form.fields),
                    "needed_fields": self._fields,
                    "last_field": form.last_field,
                    "refusals": form.refusals,
                    "left_by": how,
                },
            )
        )

    def refused(self, form: Form, t: int) -> None:
        """A form that was refused is not left yet."""

    def done(self, form: Form) -> None:
        """A form that is over was reported before, or was not left."""
