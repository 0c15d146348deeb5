"""What many alerters do, to compare with: a fixed threshold, and three standard deviations over the day before."""

import math
from collections import deque
from typing import Final

import msgspec

from engine.alerts.history import MINUTE_MS
from engine.alerts.keys import keys_of
from schemas.activity import Activity
from schemas.alerts import AlertKey
from schemas.signals import Signal

BIN_MS: Final = 5 * MINUTE_MS
THRESHOLD: Final = 5
SIGMAS: Final = 3.0
DAY_BINS: Final = 288
_DIMENSIONS: Final = frozenset({"project", "page"})


class Told(msgspec.Struct, frozen=True):
    """An alarm of any alerter."""

    project_id: str
    key: AlertKey
    fired_at: int


class Binned:
    """Counts signals of a page or project in bins of five minutes, and judges each bin when it is over."""

    def __init__(self, *, is_fixed: bool) -> None:
        self.told: list[Told] = []
        self._is_fixed = is_fixed
        self._bin = 0
        self._counts: dict[tuple[str, AlertKey], int] = {}
        self._before: dict[tuple[str, AlertKey], deque[tuple[int, int]]] = {}

    def feed(self, item: Signal | Activity, now_ms: int) -> None:
        """Count a signal; it counts when it is heard of."""
        if now_ms // BIN_MS > self._bin:
            self._close()
            self._bin = now_ms // BIN_MS
        if isinstance(item, Signal):
            for key in keys_of(item):
                if key.dimension in _DIMENSIONS:
                    place = (item.project_id, key)
                    self._counts[place] = self._counts.get(place, 0) + 1

    def _close(self) -> None:
        for (project_id, key), count in self._counts.items():
            if self._is_too_many((project_id, key), count):
                self.told.append(Told(project_id, key, (self._bin + 1) * BIN_MS))
        self._counts.clear()

    def _is_too_many(self, place: tuple[str, AlertKey], count: int) -> bool:
        if self._is_fixed:
            return count > THRESHOLD
        before = self._before.setdefault(place, deque())
        while before and before[0][0] < self._bin - DAY_BINS:
            before.popleft()
        mean = sum(each for _, each in before) / DAY_BINS
        variance = max(sum(each * each for _, each in before) / DAY_BINS - mean * mean, 0.0)
        before.append((self._bin, count))
        return len(before) > 1 and count > mean + SIGMAS * math.sqrt(variance)
