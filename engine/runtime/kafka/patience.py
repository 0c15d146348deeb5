"""Offers the same work again, for as long as what it needs is full or away."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from engine.errors import Saturated, Unavailable
from engine.operate.logs import get_logger
from engine.operate.meters import Count
from engine.operate.registry import Meters
from engine.settings import WorkerSettings
from replay import errors as replay_errors

T = TypeVar("T")

_SATURATED: Final = (Saturated, replay_errors.Saturated)
PASSING: Final = (*_SATURATED, Unavailable, replay_errors.Unavailable)
"""What time may heal."""


class Patience:
    """Repeats with growing pauses. Nothing is given up: the input keeps what was not taken.

    `beat` is called with every attempt: who waits for a dependency is alive.
    """

    def __init__(self, settings: WorkerSettings, meters: Meters, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._first_ms = settings.retry_backoff_ms
        self._longest_ms = settings.max_retry_backoff_ms
        self._meters = meters

    async def insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return what `attempt` returns, once it raises nothing that passes. All else it raises is raised here."""
        tries = 0
        while True:
            self._beat()
            try:
                return await attempt()
            except PASSING as error:
                kind = "saturated" if isinstance(error, _SATURATED) else "unavailable"
                self._meters.count(Count.RETRIES, kind=kind)
                pause_ms = self.pause_ms(tries)
                get_logger().warning("work_offered_again", kind=kind, attempt=tries + 1, pause_ms=pause_ms, error=error)
                tries += 1
                await asyncio.sleep(pause_ms / 1_000)

    def pause_ms(self, tries: int) -> int:
        """Return how long to wait after so many tries before: some of it by chance, so that workers spread."""
        longest = min(self._first_ms << min(tries, 20), self._longest_ms)
        return longest // 2 + random.randint(0, longest // 2)  # noqa: S311 - chance spreads load, it guards nothing
