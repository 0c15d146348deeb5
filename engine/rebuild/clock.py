"""The clock of one window: event times that never fall, whatever the sender's clock does."""

from typing import Final, Literal

import msgspec

BACKWARD_TOLERANCE_MS: Final = 5_000
"""Events of frames and workers interleave within seconds; what falls further back is a clock that was set."""

Step = Literal["on", "idle", "reset"]


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
        if self.now < 0:
            self.now = t
            return "on"
        if t >= self.now:
            silent = t - self.now > self.idle_timeout_ms
            self.now = t
            return "idle" if silent else "on"
        if self.now - t <= BACKWARD_TOLERANCE_MS:
            return "on"
        self.offset += self.now - t
        return "reset"
