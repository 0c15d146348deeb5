"""Network error: a click whose request failed.

Our rule: a request that began at most a second after a click (see `detectors.blame`) ended with a status of 500 and
above, 408 or 429, or without any answer. Other statuses are answers: a wrong password, a name that is taken, nothing
found. Requests that the page gave up itself did not fail, and what succeeds when it is tried again within
`retry_ms` is mended before anybody minds. Failures that no click caused (polling, measuring) are nobody's grief.
Requests to the same address after clicks on the same control are one signal, until none has failed for `retry_ms`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from detectors.aim import Aims
from detectors.blame import CausingClick, cause, is_broken, remember
from detectors.default_settings import NetworkErrorSettings
from detectors.interactions import Click, Navigation, RequestEnd
from detectors.machine import Machine, Report
from detectors.measuring import is_measuring
from detectors.protocol import Finding
from detectors.stored import annotate

RULE: Final = "wince/network_error@1"

MAX_FAILURES: Final = 16
"""Failures that wait for a retry; the oldest is reported for one more."""

ADDRESS_MAX_CHARACTERS: Final = 200


@dataclass(slots=True)
class FailedRequest:
    """Failures of requests to `address` after clicks on one control; the last ended at `end_t` (epoch ms)."""

    click: CausingClick
    address: str
    status: int
    end_t: int
    delay_ms: int
    count: int = 1


@dataclass(slots=True)
class NetworkErrorState:
    """Clicks that may be blamed, and failures that may be mended, the one heard of last at the end."""

    clicks: list[CausingClick] = field(default_factory=list)
    failures: list[FailedRequest] = field(default_factory=list)


annotate(NetworkErrorState, clicks=list[CausingClick], failures=list[FailedRequest])


class NetworkError(Machine[NetworkErrorState]):
    """Finds clicks whose request failed."""

    name = "network_error"

    def __init__(self, settings: NetworkErrorSettings, aims: Aims, report: Report) -> None:
        super().__init__(NetworkErrorState())
        self._retry_ms = settings.retry_ms
        self._aims = aims
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Clicks, ends of requests, and page loads: a new page's requests are its own."""
        return {Click: self._on_click, RequestEnd: self._on_request_end, Navigation: self._on_navigation}

    def advance(self, t: int) -> None:
        """Report the failures that were not mended in time at `t` (epoch ms)."""
        failures = self._state.failures
        while failures and failures[0].end_t + self._retry_ms <= t:
            self._report(self._finding(failures.pop(0)))
        self._rearm()

    def finish(self) -> None:
        """Report what was not mended."""
        failures, self._state.failures = self._state.failures, []
        self._rearm()
        for failure in failures:
            self._report(self._finding(failure))

    def _rearm(self) -> None:
        failures = self._state.failures
        self.deadline = failures[0].end_t + self._retry_ms if failures else None

    def _on_click(self, click: Click) -> None:
        remember(self._state.clicks, click, self._aims.of(click))

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._state.clicks.clear()

    def _on_request_end(self, request: RequestEnd) -> None:
        state = self._state
        if not state.failures and not request.failed:
            return
        address = request.url.partition("?")[0][:ADDRESS_MAX_CHARACTERS]
        if not request.failed:
            state.failures = [failure for failure in state.failures if failure.address != address]
            self._rearm()
        elif is_broken(request.status) and not is_measuring(address):
            click = cause(state.clicks, request.start_t)
            if click is not None:
                self._failed(click, address, request)

    def _failed(self, click: CausingClick, address: str, request: RequestEnd) -> None:
        failures = self._state.failures
        for index, failure in enumerate(failures):
            if failure.address == address and failure.click.place == click.place:
                failure.count += 1
                failure.end_t = request.t
                failures.append(failures.pop(index))
                self._rearm()
                return
        failures.append(FailedRequest(click, address, request.status, request.t, request.t - click.t))
        if len(failures) > MAX_FAILURES:
            self._report(self._finding(failures.pop(0)))
        self._rearm()

    def _finding(self, failure: FailedRequest) -> Finding:
        click = failure.click
        return Finding(
            detector=self.name,
            t=click.press_t,
            end_t=failure.end_t,
            page=click.page,
            target=click.target,
            rule=RULE,
            evidence={
                "url": failure.address,
                "status": failure.status,
                "delay_ms": failure.delay_ms,
                "retry_ms": self._retry_ms,
            },
            count=failure.count,
            key=failure.address,
        )
