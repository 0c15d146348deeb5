"""Follows cohorts live: looks at each session that is touched, and tells who came and who left as it happens."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple, Protocol, TypeVar

from engine.cohorts.feed import Touched
from engine.cohorts.keeping import Clock
from engine.cohorts.opening import Parts
from engine.cohorts.running import reconcile
from engine.cohorts.sending import Next, Sender, Sleep
from engine.errors import Unavailable
from engine.operate.logs import get_logger
from engine.runtime.ending import end_tasks
from replay import errors as replay_errors
from replay.exclusions import Exclusions

T = TypeVar("T")

POLL_MS: Final = 500
LINGER_MS: Final = 1_000
"""A change is sent when it is this old: until then the session is listed, by which it is checked once more."""

RECONCILE_EVERY_MS: Final = 3_600_000
"""All sessions are looked at this often, for what no topic tells: new judgements by `wince reprocess`, expiry."""

LEAST_BETWEEN_MS: Final = 60_000
"""Between two looks at all sessions, however many users are being excluded."""

_REFRESH_EVERY_MS: Final = 2_000
_SESSIONS_AT_ONCE: Final = 500
_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_PASSING: Final = (Unavailable, replay_errors.Unavailable, replay_errors.Saturated)


class Listening(Protocol):
    """Hears which sessions are touched; see `engine.cohorts.feed.Feed`."""

    async def touched(self, wait_ms: int) -> list[Touched]:
        """Give sessions that were touched."""
        ...

    async def has_grown(self) -> bool:
        """Say whether it has to be begun anew."""
        ...


Listen = Callable[[], AbstractAsyncContextManager[Listening]]


class KnownExclusions(Exclusions):
    """Excluded users, and how often that changed."""

    __slots__ = ("changes",)

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0

    def replace(self, digests: Collection[str]) -> None:
        """Take these instead of those before."""
        super().replace(digests)
        self.changes += 1


class Followed(NamedTuple):
    """A cohort, and what sends its events."""

    parts: Parts
    sender: Sender


class Surroundings(NamedTuple):
    """What following needs of the world: time, news of touched sessions and excluded users, somebody to tell.

    `withdrawn` gives sessions that were deleted since it was asked last, whether or not Kafka tells of them. `tell` is
    given what somebody should know: that a receiver did not take something, or Kafka is not there, and why. `heard` is
    called whenever Kafka was asked, `retried` is told of what is tried again, `untold` of users who were forgotten
    before it was told that they left.
    """

    clock_ms: Clock
    sleep: Sleep
    listen: Listen
    exclusions: KnownExclusions
    refresh: Callable[[], Awaitable[None]]
    withdrawn: Callable[[], Awaitable[Sequence[Touched]]]
    tell: Callable[[str], None]
    heard: Callable[[], None] = lambda: None
    retried: Callable[[Exception], None] = lambda _: None
    untold: Callable[[int], None] = lambda _: None


class Following:
    """Follows some cohorts until it is cancelled, which may be at any time: every step can be broken off.

    Raises NotOwnerError if another process took a cohort over; Broken.
    """

    def __init__(self, cohorts: Sequence[Followed], around: Surroundings) -> None:
        self._cohorts = cohorts
        self._around = around
        self._of_project: dict[str, list[Parts]] = defaultdict(list)
        for each in cohorts:
            self._of_project[each.parts.declared.source.project_id].append(each.parts)
        self._reconciled_ms = self._refreshed_ms = 0
        self._seen_changes = 0
        self._deleted: list[Touched] = []

    async def run(self) -> None:
        """Follow, and send."""
        working = [self._follow(), *(self._send(each) for each in self._cohorts)]
        tasks = [asyncio.create_task(each) for each in working]
        waiting: set[asyncio.Task[None]] = set(tasks)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            await end_tasks(tasks)

    async def _follow(self) -> None:
        tries = 0
        while True:
            try:
                async with self._around.listen() as listening:
                    tries = 0
                    await self._listen(listening)
            except Unavailable as error:
                self._around.tell(str(error))
                await self._pause(tries, error)
                tries += 1

    async def _listen(self, listening: Listening) -> None:
        """Look at all sessions once, then at those that are touched, until new partitions are found."""
        await self._insist(self._reconcile)
        while True:
            touched = await listening.touched(POLL_MS)
            self._around.heard()
            await self._insist(lambda touched=touched: self._look(touched))  # type: ignore[misc]
            for parts in self._parts():
                await self._insist(parts.keeping.expire)
            if self._is_time_to_reconcile():
                await self._insist(self._reconcile)
                if await listening.has_grown():
                    return

    def _parts(self) -> Iterable[Parts]:
        return (each.parts for each in self._cohorts)

    async def _look(self, touched: Sequence[Touched]) -> None:
        """Look at touched sessions; doing it again changes nothing."""
        deleted = await self._refresh()
        of_project: dict[str, list[str]] = defaultdict(list)
        for project_id, session_id in (*touched, *deleted):
            if project_id in self._of_project:
                of_project[project_id].append(session_id)
        for project_id, ids in of_project.items():
            for start in range(0, len(ids), _SESSIONS_AT_ONCE):
                for parts in self._of_project[project_id]:
                    await parts.keeping.look(ids[start : start + _SESSIONS_AT_ONCE])
        self._deleted.clear()

    async def _refresh(self) -> Sequence[Touched]:
        """Learn who is excluded, and which sessions were deleted."""
        now_ms = self._around.clock_ms()
        if not 0 <= now_ms - self._refreshed_ms < _REFRESH_EVERY_MS:
            await self._around.refresh()
            self._deleted += await self._around.withdrawn()
            self._refreshed_ms = now_ms
        return self._deleted

    def _is_time_to_reconcile(self) -> bool:
        passed_ms = self._around.clock_ms() - self._reconciled_ms
        is_news = self._around.exclusions.changes != self._seen_changes
        return passed_ms >= (LEAST_BETWEEN_MS if is_news else RECONCILE_EVERY_MS)

    async def _reconcile(self) -> None:
        await self._around.refresh()
        self._seen_changes = self._around.exclusions.changes
        for parts in self._parts():
            untold = parts.keeping.untold
            tally = await reconcile(parts.keeping, parts.matching, self._around.clock_ms)
            self._around.untold(parts.keeping.untold - untold)
            counts, cohort = await parts.keeping.counts(), parts.declared.source.cohort
            get_logger().info("cohort_reconciled", cohort=cohort, sessions=tally.sessions, members=counts.members)
        self._reconciled_ms = self._around.clock_ms()

    async def _send(self, followed: Followed) -> None:
        """Send what is due, for good; a receiver that wants nothing any more is left alone until a restart."""
        cohort, sender = followed.parts.declared.source.cohort, followed.sender
        failures = 0
        while True:
            step = await self._insist(sender.step)
            if sender.sent.failures > failures:
                failures = sender.sent.failures
                self._around.tell(f"cohort {cohort}: not taken: {sender.sent.note}")
            if step.ending == "gone":
                return
            await self._around.sleep(_wait_seconds(step))

    async def _insist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            try:
                return await attempt()
            except _PASSING as error:
                await self._pause(tries, error)
                tries += 1

    async def _pause(self, tries: int, error: Exception) -> None:
        get_logger().warning("work_offered_again", attempt=tries + 1, error=error)
        self._around.retried(error)
        await self._around.sleep(_PAUSES_SECONDS[min(tries, len(_PAUSES_SECONDS) - 1)])


def _wait_seconds(step: Next) -> float:
    if step.ending == "refused":
        return LEAST_BETWEEN_MS / 1_000
    return (POLL_MS if step.ending == "done" else step.wait_ms) / 1_000
