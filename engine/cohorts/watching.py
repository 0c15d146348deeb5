"""What is measured of cohorts while a process works on them again and again."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from engine.cohorts.destinations import Receiver
from engine.cohorts.events import Batch
from engine.cohorts.file import Declared
from engine.cohorts.jobs import RunReport
from engine.cohorts.keeping import Clock
from engine.cohorts.state import CohortState, cohort_keys
from engine.delivery.posting import Posted
from engine.operate.meters import Count, Gauge
from engine.operate.registry import Meters
from replay.errors import Saturated, StoreError
from replay.redis_client import RedisClient

MEASURE_SECONDS: Final = 5.0


class CohortMeters:
    """Counts what becomes of cohorts; `refresh` sets what grows by time passing alone."""

    def __init__(self, meters: Meters, clock_ms: Clock) -> None:
        self._meters = meters
        self._clock_ms = clock_ms
        self._oldest: dict[str, int | None] = {}
        meters.refresh_with(self.refresh)

    def sent(self, batch: Batch, posted: Posted) -> None:
        """Take note of a batch that was sent, and what came of it."""
        self._meters.count(Count.COHORT_BATCHES, outcome=posted.outcome)
        if posted.outcome == "accepted":
            for event in batch.events:
                self._meters.count(Count.COHORT_EVENTS, event=event.event)

    def ran(self, report: RunReport | None) -> None:
        """Take note of a run that ended, or failed."""
        outcome = "failed" if report is None else "done" if report.is_done else "waiting"
        self._meters.count(Count.COHORT_RUNS, outcome=outcome)

    def untold(self, users: int) -> None:
        """Take note of users who were forgotten before anybody was told that they left."""
        self._meters.count(Count.COHORT_UNTOLD, users)

    def retried(self, error: Exception) -> None:
        """Take note that Redis or Kafka could not do something, which is tried again."""
        self._meters.count(Count.RETRIES, kind="saturated" if isinstance(error, Saturated) else "unavailable")

    def measured(self, cohort: str, members: int, waiting: int, oldest_ms: int | None) -> None:
        """Take note of how many are in a cohort, of how many something waits, and since when (epoch ms)."""
        self._meters.set(Gauge.COHORT_MEMBERS, members, cohort=cohort)
        self._meters.set(Gauge.COHORT_WAITING, waiting, cohort=cohort)
        self._oldest[cohort] = oldest_ms

    def refresh(self) -> None:
        """Set how long changes wait."""
        now_ms = self._clock_ms()
        for cohort, oldest_ms in self._oldest.items():
            lag_ms = 0 if oldest_ms is None else max(now_ms - oldest_ms, 0)
            self._meters.set(Gauge.COHORT_LAG_SECONDS, lag_ms / 1_000, cohort=cohort)


class CountedReceiver:
    """A receiver whose answers are counted."""

    def __init__(self, inner: Receiver, meters: CohortMeters) -> None:
        self.batch_users = inner.batch_users
        self.pause_ms = inner.pause_ms
        self._inner = inner
        self._meters = meters

    async def take(self, batch: Batch) -> Posted:
        """Hand a batch over."""
        posted = await self._inner.take(batch)
        self._meters.sent(batch, posted)
        return posted


async def measure_always(client: RedisClient, prefix: str, wanted: Sequence[Declared], meters: CohortMeters) -> None:
    """Look at cohorts again and again, until cancelled; who works on them is not disturbed."""
    while True:
        for declared in wanted:
            state = CohortState(client, cohort_keys(prefix, declared.source), "")
            with suppress(StoreError):
                counts, oldest_ms = await state.counts(), await state.oldest_due_ms()
                meters.measured(declared.source.cohort, counts.members, counts.due, oldest_ms)
        await asyncio.sleep(MEASURE_SECONDS)
