"""What a server tells its operator. The lists of metrics and of log fields are kept elsewhere; this is the door."""

from typing import Final, Literal, Protocol

EXPOSITION_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

BreakReason = Literal["stalled", "unreadable", "too_slow"]
"""The client took nothing for too long, the store could not be read any further, too much waited for a follower."""


class Operations(Protocol):
    """Takes note of requests and of what they did, and tells metrics."""

    def started(self) -> None:
        """Take note of a request that came."""
        ...

    def finished(self, route: str, method: str, status: int, seconds: float, sent_bytes: int) -> None:
        """Take note of a request that ended: `route` is the template of its path, so nothing secret is in it."""
        ...

    def audited(self, action: str, token: str, *, is_kept: bool) -> None:
        """Log what was done, by the id of a token or share; `is_kept` is false if the audit log took no entry."""
        ...

    def broken_off(self, reason: BreakReason) -> None:
        """Take note of an answer that ended before it was whole."""
        ...

    def exposition(self) -> bytes:
        """Give all metrics in the text format of Prometheus."""
        ...


class Silent:
    """Tells nobody."""

    def started(self) -> None:
        """Ignore it."""

    def finished(self, route: str, method: str, status: int, seconds: float, sent_bytes: int) -> None:
        """Ignore it."""

    def audited(self, action: str, token: str, *, is_kept: bool) -> None:
        """Ignore it."""

    def broken_off(self, reason: BreakReason) -> None:
        """Ignore it."""

    def exposition(self) -> bytes:
        """Give nothing: there are no metrics."""
        return b""
