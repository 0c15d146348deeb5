"""Error click: a click, and an error right after it.

Our rule: the first error (uncaught, rejected promise, or one printed on the console; a mere text there only if it
comes at once, or when a request of a click ends) at most `window_ms` after
the latest click is blamed on it and uses it up; a later one, if it comes within `REQUEST_MS` of the end of a request
that the click caused (see `detectors.blame`): what waits for an answer fails when the answer does. Errors that came
in peace before are the page's own, and blamed on nobody. Further clicks on
the target with the same error belong to the same signal as long as each error follows the one before within
`window_ms` and the wait for the next click: one burst, one signal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.aim import Aims
from detectors.blame import CAUSED_MS, MAX_CLICKS, CausingClick
from detectors.fingerprints import Identified, identify
from detectors.hands import Hands
from detectors.interactions import Click, Failure, Navigation, RequestEnd
from detectors.machine import NEVER, Machine, Report
from detectors.protocol import Finding
from detectors.settings import ErrorClickSettings
from detectors.stored import annotate

RULE: Final = "wince/error_click@1"


REQUEST_MS: Final = 100
"""Code that waited for a request goes on at once when that ends."""

PEACE_MS: Final = 3_000
"""What fails so long after the last click or key, and after what a click had asked for came, fails by itself."""

MAX_OWN: Final = 16
"""Errors remembered as the page's own; the oldest is forgotten for one more."""

_HARMLESS: Final = ("ResizeObserver loop ", "Warning: ")
"""How messages begin by which browsers say that all is well (layout goes on in the next frame), and frameworks warn."""


@dataclass(slots=True)
class ErrorBurst:
    """Clicks on one target that each led to the same error; the first at `click`, the last error at `end_t`."""

    click: CausingClick
    end_t: int
    delay_ms: int
    source: str
    identified: Identified
    count: int = 1


@dataclass(slots=True)
class ErrorClickState:
    """The click that an error would be blamed on, and the burst that may go on.

    `request_t` is the end of the last request that the click caused (epoch ms).

    `own` are fingerprints of errors that came in peace: scripts that fail by themselves do it again, click or not.
    `clicks` are the times of the latest clicks, `clicked_t` the latest of all, `worked_t` the latest key or end of a
    request that began right after a click (epoch ms): forms are sent with keys as well.
    """

    click: CausingClick | None = None
    burst: ErrorBurst | None = None
    own: list[str] = field(default_factory=list)
    clicks: list[int] = field(default_factory=list)
    clicked_t: int = NEVER
    worked_t: int = NEVER
    request_t: int = NEVER


annotate(ErrorClickState, click=CausingClick | None, burst=ErrorBurst | None, own=list[str], clicks=list[int])


class ErrorClick(Machine[ErrorClickState]):
    """Finds clicks that led to an error."""

    name = "error_click"

    def __init__(self, settings: ErrorClickSettings, aims: Aims, hands: Hands, report: Report) -> None:
        super().__init__(ErrorClickState())
        self._aims = aims
        self._hands = hands
        self._window_ms = settings.window_ms
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Clicks, errors, requests, and page loads: a new page's errors are its own. Keys are noted by the hands."""
        return {
            Click: self._on_click,
            Failure: self._on_failure,
            RequestEnd: self._on_request_end,
            Navigation: self._on_navigation,
        }

    def advance(self, t: int) -> None:
        """Close the burst if no further click can join it at `t` (epoch ms)."""
        if self.deadline is not None and self.deadline <= t:
            self.finish()

    def finish(self) -> None:
        """Close the burst: silence ends it."""
        state = self._state
        burst, state.burst = state.burst, None
        self._rearm()
        if burst is not None:
            self._report(self._finding(burst))

    def _settle(self) -> None:
        self._state.worked_t = max(self._state.worked_t, self._hands.typed_t)

    def _rearm(self) -> None:
        burst, click = self._state.burst, self._state.click
        if burst is None:
            self.deadline = None
        elif click is not None and click.place == burst.click.place:
            self.deadline = max(burst.end_t, click.t) + self._window_ms + 1
        else:
            self.deadline = burst.end_t + self._window_ms + 1

    def _on_click(self, click: Click) -> None:
        state = self._state
        if click.button or not click.is_primary:
            return
        state.clicked_t = click.t
        state.clicks.append(click.t)
        if len(state.clicks) > MAX_CLICKS:
            del state.clicks[0]
        aim = self._aims.of(click)
        if aim is None or aim.is_ignored():
            state.click = None
        else:
            state.click = aim.causing(click)
            state.request_t = NEVER
        if state.burst is not None:
            self._rearm()

    def _on_failure(self, failure: Failure) -> None:
        state = self._state
        if failure.message.startswith(_HARMLESS) or not (failure.error_type or failure.message):
            return
        found = identify(failure)
        if self._comes_by_itself(failure) and found.fingerprint not in state.own:
            self._disown(found)
        if found.fingerprint in state.own:
            return
        click, state.click = state.click, None
        if click is None:
            return
        if failure.t - click.t > self._window_ms and failure.t - state.request_t > REQUEST_MS:
            return
        burst = state.burst
        if burst is not None and _is_same(burst, click, found):
            burst.count += 1
            burst.end_t = failure.t
        else:
            self.finish()
            state.burst = ErrorBurst(click, failure.t, failure.t - click.t, failure.source, found)
        self._rearm()

    def _comes_by_itself(self, failure: Failure) -> bool:
        """Tell whether an error comes in peace, or is a text on the console that no handler is likely to have written.

        What a handler writes comes at once, or when a request of its click ends.
        """
        acted_t = max(self._state.clicked_t, self._state.worked_t, self._hands.typed_t)
        return failure.t - acted_t > (PEACE_MS if failure.error_type else REQUEST_MS)

    def _disown(self, found: Identified) -> None:
        state = self._state
        state.own.append(found.fingerprint)
        del state.own[:-MAX_OWN]
        if state.burst is not None and state.burst.identified.fingerprint == found.fingerprint:
            state.burst = None

    def _on_request_end(self, request: RequestEnd) -> None:
        state = self._state
        click = state.click
        if any(0 <= request.start_t - t <= CAUSED_MS for t in state.clicks):
            state.worked_t = request.t
        if click is not None and click.press_t <= request.start_t <= click.t + CAUSED_MS:
            state.request_t = request.t

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state.click = None
            if self._state.burst is not None:
                self._rearm()

    def _finding(self, burst: ErrorBurst) -> Finding:
        return Finding(
            detector=self.name,
            t=burst.click.press_t,
            end_t=burst.end_t,
            page=burst.click.page,
            target=burst.click.target,
            rule=RULE,
            evidence={
                "fingerprint": burst.identified.fingerprint,
                "error_type": burst.identified.error_type,
                "message": burst.identified.message,
                "source": burst.source,
                "delay_ms": burst.delay_ms,
                "window_ms": self._window_ms,
            },
            count=burst.count,
            key=burst.identified.fingerprint,
        )


def _is_same(burst: ErrorBurst, click: CausingClick, found: Identified) -> bool:
    return burst.click.place == click.place and burst.identified.fingerprint == found.fingerprint
