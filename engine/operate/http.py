"""What the HTTP server tells its operator: metrics of requests, and a line in the log for each."""

from typing import Final

from engine.operate.logs import get_logger
from engine.operate.meters import HTTP_AREAS, HTTP_STATUSES, Count, Gauge, Histogram
from engine.operate.registry import Meters
from replay.server.operations import BreakReason

_BROKEN: Final = 500

_QUIET: Final = frozenset({"health", "page"})
"""Asked for all the time: such requests are logged at debug level, unless they fail."""

_BUNDLE: Final = ("/events", "/bundle", "/blocks", "/data", "/index")
_BY_END: Final = {"/live": "live", "/exports": "export", **dict.fromkeys(_BUNDLE, "bundle")}
_BY_START: Final = {
    "/api/v1/projects": "list",
    "/api/v1/sessions": "session",
    "/api/v1/shared": "session",
    "/livez": "health",
    "/readyz": "health",
    "/metrics": "health",
}
_PAGES: Final = frozenset({"/", "/s", "/p", "/overview", "/login", "/assets"})


def area_of(route: str) -> str:
    """Return what part of the server a route (the template of a path) is of: one of `HTTP_AREAS`."""
    if route in _PAGES:
        return "page"
    by_end = _BY_END.get(route[route.rfind("/") :])
    if by_end is not None:
        return by_end
    return next((area for start, area in _BY_START.items() if route.startswith(start)), HTTP_AREAS[-1])


def status_of(status: int) -> str:
    """Return what a status is counted as: one of `HTTP_STATUSES`."""
    exact = str(status)
    return exact if exact in HTTP_STATUSES else f"{exact[0]}xx"


class HttpOperations:
    """The `Operations` of a server that counts and logs. Routes are templates of paths: no id or secret is told."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._in_progress = 0

    def started(self) -> None:
        """Count a request that came."""
        self._in_progress += 1
        self._meters.set(Gauge.HTTP_IN_PROGRESS, self._in_progress)

    def finished(self, route: str, method: str, status: int, seconds: float, sent_bytes: int) -> None:
        """Count and log a request that ended."""
        area = area_of(route)
        self._in_progress -= 1
        self._meters.set(Gauge.HTTP_IN_PROGRESS, self._in_progress)
        self._meters.count(Count.HTTP_REQUESTS, area=area, status=status_of(status))
        self._meters.count(Count.HTTP_SENT_BYTES, sent_bytes)
        self._meters.observe(Histogram.HTTP_REQUEST, seconds, area=area)
        logger = get_logger()
        log = logger.warning if status >= _BROKEN else logger.debug if area in _QUIET else logger.info
        duration_ms = round(seconds * 1_000)
        log("request_answered", method=method, route=route, status=status, duration_ms=duration_ms, bytes=sent_bytes)

    def audited(self, action: str, token: str, *, is_kept: bool) -> None:
        """Log what was done, by the id of a token or share; `is_kept` is false if the audit log took no entry."""
        if is_kept:
            get_logger().info("audit_entry", action=action, token=token)
        else:
            get_logger().warning("audit_entry_lost", action=action, token=token)

    def broken_off(self, reason: BreakReason) -> None:
        """Count an answer that ended before it was whole."""
        self._meters.count(Count.HTTP_BROKEN_OFF, reason=reason)

    def exposition(self) -> bytes:
        """Give all metrics in the text format of Prometheus."""
        return self._meters.exposition()
