"""What was counted: lately, in minutes, and long ago, in hours that fade.

The recent past is kept out of what is called normal, so that an incident does not teach it.
"""

from typing import Final

import msgspec

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000

LAG_HOURS: Final = 6
"""So many hours, beside the one that runs, are too recent to be normal."""

HALF_LIFE_HOURS: Final = 96.0
"""After four days an hour counts half: a week is remembered, a month is forgotten."""

_DECAY: Final = 0.5 ** (1 / HALF_LIFE_HOURS)
_LONG_AGO_HOURS: Final = 24 * 60


class Lagged(msgspec.Struct, gc=False):
    """A count that is normal only after a while: `settled` fades with its half life, the last hours wait before it."""

    hour: int = -1
    running: float = 0.0
    waiting: list[float] = []
    settled: float = 0.0

    def add(self, hour: int, number: float) -> None:
        """Count in an hour (epoch hours); what comes for an hour before counts in the one that runs."""
        if hour > self.hour:
            self.settle(hour)
        self.running += number

    def settle(self, hour: int) -> None:
        """Let time pass up to an hour."""
        passed = hour - self.hour
        if self.hour < 0 or passed > _LONG_AGO_HOURS:
            self.hour, self.running, self.waiting, self.settled = hour, 0.0, [], 0.0
            return
        while self.hour < hour:
            if not (self.running or self.waiting):
                self.settled *= _DECAY ** (hour - self.hour)
                break
            self.waiting.append(self.running)
            self.running = 0.0
            oldest = self.waiting.pop(0) if len(self.waiting) > LAG_HOURS else 0.0
            self.settled = self.settled * _DECAY + oldest
            self.hour += 1
            if not any(self.waiting):
                self.waiting = []
        self.hour = max(self.hour, hour)


class Minutes(msgspec.Struct, gc=False):
    """A count by minute, over at most the longest window that is asked for."""

    minutes: list[int] = []
    counts: list[int] = []
    total: int = 0

    def add(self, t: int, keep_ms: int, number: int = 1) -> None:
        """Count at a moment (epoch ms) and forget what is older than `keep_ms`.

        What comes late is counted in the latest minute: it was heard of then.
        """
        minute = t // MINUTE_MS
        if self.minutes and minute <= self.minutes[-1]:
            self.counts[-1] += number
        else:
            self.minutes.append(minute)
            self.counts.append(number)
        self.total += number
        if minute - self.minutes[0] > keep_ms // MINUTE_MS:
            self._forget(minute - keep_ms // MINUTE_MS)

    def since(self, t: int) -> int:
        """Count from a moment (epoch ms) on, in whole minutes."""
        first = t // MINUTE_MS
        total = 0
        for place in range(len(self.minutes) - 1, -1, -1):
            if self.minutes[place] < first:
                break
            total += self.counts[place]
        return total

    def _forget(self, before: int) -> None:
        gone = 0
        while gone < len(self.minutes) and self.minutes[gone] < before:
            gone += 1
        self.total -= sum(self.counts[:gone])
        del self.minutes[:gone], self.counts[:gone]
