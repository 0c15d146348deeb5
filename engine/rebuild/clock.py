"""The clock of one window: event times that never fall, whatever the sender's clock does."""

import enum
from typing import Final

import msgspec

BACKWARD_TOLERANCE_MS: Final = 5_000
"""Events of frames and workers interleave within seconds; what falls further back is a clock that was set."""


class Step(enum.Enum):
    """What an event's time says about the window."""

    ON = "on"
    IDLE = "idle"
    """The window was silent for longer than a session may be."""
    RESET = "reset"
    """The clock was set: back, or so far ahead that no session lasts so long."""


class WindowClock(msgspec.Struct, gc=False):
    """`now` is the window's time in epoch ms; `offset` is added to what a reset clock says so that time goes on.

    Small steps back are held at `now`. A larger one is taken for a clock that was set back: from then on event times
    are read relative to it. A step forward beyond `idle_timeout_ms` is silence; one beyond `leap_ms` is a clock that
    was set ahead (one wrong event must not end its session), and is read as no time at all.
    """

    idle_timeout_ms: int
    leap_ms: int
    now: int = -1
    offset: int = 0

    def advance(self, timestamp: float) -> Step:
        """Move on to an event's time; tell whether the window was silent before it, or its clock was set."""
        t = int(timestamp) + self.offset
        now = self.now
        step = t - now
        if 0 <= step <= self.leap_ms or now < 0:
            self.now = t
            return Step.ON if step <= self.idle_timeout_ms or now < 0 else Step.IDLE
        if -BACKWARD_TOLERANCE_MS <= step < 0:
            return Step.ON
        self.offset -= step
        return Step.RESET
