"""The four kinds of failure; the loop that drives the engine does one thing for each.

None of them ever carries content of a message: their texts go to logs and dead letters.
"""

from engine.reasons import Reason


class WinceError(Exception):
    """Root of our errors; raise one of the four below, so that the loop knows what to do."""


class Saturated(WinceError):
    """Not now: the message was not taken; offer the same one again later."""


class Poison(WinceError):
    """This message can never succeed; dead-letter it under its `reason` and go on."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason

    def __reduce__(self) -> tuple[type["Poison"], tuple[Reason]]:
        return type(self), (self.reason,)


class Unavailable(WinceError):
    """A dependency is down; back off and retry, never dead-letter."""


class Broken(WinceError):
    """Our own invariant failed; stop the worker and let the group take over."""
