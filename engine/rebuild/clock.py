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
    """The clock was set back."""


class WindowClock(msgspec.Struct, gc=False):
    """`now` is the window's time in epoch ms; `offset` is added to what a reset clock says so that time goes on.

    Small steps back are held at `now`. A larger one is taken for a clock that was set back: from then on event times
    are read relative to it. A step forward beyond `idle_timeout_ms` is silence.
    """

    idle_timeout_ms: int
    now: int = -1
    offset: int = 0

    def advance(self, timestamp: float) -> Step:
        """Move on to an event's time; tell whether the window was silent before it, or its clock was set back."""
        t = int(timestamp) + self.offset
        now = self.now
        if t >= now:
            self.now = t
            return Step.ON if t - now <= self.idle_timeout_ms or now < 0 else Step.IDLE
        if self.now - t <= BACKWARD_TOLERANCE_MS:
            return Step.ON
        self.offset += self.now - t
        return Step.RESET
