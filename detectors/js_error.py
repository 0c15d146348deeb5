"""JavaScript errors: one signal for each different error and burst of it.

Our rule: errors with the same fingerprint (see `detectors.fingerprints`) are one; a burst is closed when `quiet_ms`
have passed without another. A browser tells an uncaught error twice, as an event and on the console: the two are
joined by fingerprint, or by their messages where the console's stack differs. An error object that only the console
shows counts as well (an application that catches and prints), a mere text on it does not; the evidence names the
sources, and the click before the first of them, if there was one within `CLICK_MS` on the same page. When an error was
seen for the first time, and whether it is back, is for whoever knows all sessions: its fingerprint is the same in all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.aim import Aims
from detectors.fingerprints import Identified, identify
from detectors.interactions import Click, Failure, Navigation
from detectors.machine import NEVER, Machine, Report
from detectors.protocol import Finding
from detectors.settings import JsErrorSettings
from detectors.stored import annotate

NAME: Final = "js_error"
RULE: Final = "wince/js_error@1"

CLICK_MS: Final = 10_000
"""A click longer ago has nothing to do with an error."""

MAX_ERRORS: Final = 32
"""Different errors open at a time; the quietest is closed for one more."""

JOIN_MS: Final = 100
"""The two reports of one error are at most this far apart."""

JOIN_MIN_CHARACTERS: Final = 12
"""Shorter messages are too common to join two errors by."""


@dataclass(slots=True)
class OpenError:
    """A burst of one error from `t` to `end_t` (epoch ms); `by_source` counts its reports.

    `clicked` is the selector of the element that was clicked `click_delay_ms` before it.
    """

    t: int
    end_t: int
    page: str
    identified: Identified
    by_source: dict[str, int]
    clicked: str = ""
    click_delay_ms: int | None = None

    def count(self) -> int:
        """Give the number of errors: what the console says comes on top only where it says more."""
        console = self.by_source.get("console_error", 0)
        return max(console, sum(self.by_source.values()) - console)


annotate(OpenError, by_source=dict[str, int], click_delay_ms=int | None)


@dataclass(slots=True)
class JsErrorState:
    """Open bursts by fingerprint, the one that spoke last at the end; the last click (epoch ms) and its selector."""

    errors: dict[str, OpenError] = field(default_factory=dict)
    click_t: int = NEVER
    clicked: str = ""


annotate(JsErrorState, errors=dict[str, OpenError])


class JsError(Machine[JsErrorState]):
    """Groups JavaScript errors."""

    name = NAME

    def __init__(self, settings: JsErrorSettings, aims: Aims, report: Report) -> None:
        super().__init__(JsErrorState())
        self._aims = aims
        self._quiet_ms = settings.quiet_ms
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Failures, and the clicks before them."""
        return {Failure: self._on_failure, Click: self._on_click, Navigation: self._on_navigation}

    def advance(self, t: int) -> None:
        """Close the bursts that have been quiet for long enough at `t` (epoch ms)."""
        errors = self._state.errors
        while errors and (first := next(iter(errors.values()))).end_t + self._quiet_ms <= t:
            self._close(first.identified.fingerprint)
        self._rearm()

    def finish(self) -> None:
        """Close everything: silence closes a burst."""
        for fingerprint in list(self._state.errors):
            self._close(fingerprint)
        self._rearm()

    def _rearm(self) -> None:
        first = next(iter(self._state.errors.values()), None)
        self.deadline = None if first is None else first.end_t + self._quiet_ms

    def _on_failure(self, failure: Failure) -> None:
        if not failure.error_type:
            return
        errors = self._state.errors
        found = identify(failure)
        known = errors.pop(found.fingerprint, None) or self._other_report(failure, found)
        if known is None:
            known = OpenError(failure.t, failure.t, failure.page, found, {}, *self._click_before(failure.t))
        known.end_t = failure.t
        known.by_source[failure.source] = known.by_source.get(failure.source, 0) + 1
        errors[known.identified.fingerprint] = known
        if len(errors) > MAX_ERRORS:
            self._close(next(iter(errors)))
        self._rearm()

    def _on_click(self, click: Click) -> None:
        aim = self._aims.of(click)
        known = aim is not None and not aim.is_ignored()
        self._state.click_t, self._state.clicked = (click.t, aim.target().selector) if aim and known else (NEVER, "")

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state.click_t = NEVER

    def _click_before(self, t: int) -> tuple[str, int | None]:
        delay_ms = t - self._state.click_t
        return (self._state.clicked, delay_ms) if delay_ms <= CLICK_MS else ("", None)

    def _other_report(self, failure: Failure, found: Identified) -> OpenError | None:
        """Take out the open error that `failure` tells for the second time, under the name the page gave it."""
        errors = self._state.errors
        for fingerprint in reversed(errors):
            known = errors[fingerprint]
            if failure.t - known.end_t > JOIN_MS:
                return None
            if not _same_error(failure.source, found, known):
                continue
            del errors[fingerprint]
            if failure.source != "console_error":
                known.identified = found
            return known
        return None

    def _close(self, fingerprint: str) -> None:
        error = self._state.errors.pop(fingerprint)
        self._report(
            Finding(
                detector=self.name,
                t=error.t,
                end_t=error.end_t,
                page=error.page,
                target=None,
                rule=RULE,
                evidence={
                    "fingerprint": error.identified.fingerprint,
                    "error_type": error.identified.error_type,
                    "message": error.identified.message,
                    "top_frame": error.identified.top_frame,
                    "sources": sorted(error.by_source),
                    "clicked": error.clicked,
                    "click_delay_ms": error.click_delay_ms,
                },
                count=error.count(),
                key=error.identified.fingerprint,
            )
        )


def _same_error(source: str, found: Identified, known: OpenError) -> bool:
    if (source == "console_error") == ("console_error" in known.by_source and len(known.by_source) == 1):
        return False  # two of a kind are two errors
    shorter, longer = sorted((found.message, known.identified.message), key=len)
    return len(shorter) >= JOIN_MIN_CHARACTERS and shorter in longer
