"""Who sends what is due: any number of processes, each message once unless one dies between post and note.

Every route has its own lane, so a receiver that is slow or away holds up nobody else. What a receiver does never stops
the loop; while Redis is away it waits.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import msgspec

from engine.alerts.delivery.attempt import Attempt, Attempter
from engine.alerts.delivery.endpoints import Endpoint
from engine.alerts.delivery.lanes import Lane, Lanes
from engine.alerts.delivery.outbox import Claimed, Disabled, Entry, Held, Outbox
from engine.alerts.routes import RouteKind
from engine.delivery.backoff import backoff_ms
from engine.delivery.posting import Outcome, Posted
from engine.settings._units import DAY_MS, MINUTE_MS, SECOND_MS
from replay.errors import Saturated, StoreError, Unavailable

NOTE_MS: Final = 20 * SECOND_MS
LEASE_MS: Final = 10 * SECOND_MS + NOTE_MS
"""Longer than a usual post and the notes about it: another sends what is held for longer."""

SWEEP_MS: Final = 10 * SECOND_MS
"""How often all projects are looked at: what another process put in and did not send is found by that."""

TIDY_MS: Final = 10 * MINUTE_MS
"""How often what failed long ago is forgotten."""

TOO_MANY_FOR_MS: Final = 10 * MINUTE_MS
"""A message that was too many for its route for so long is left out."""

_DISABLED_EVERY_MS: Final = 2 * SECOND_MS
_NO_ROUTE_WAIT_MS: Final = MINUTE_MS
_LANE_WAIT_MS: Final = 500
_CLAIMED_AT_ONCE: Final = 20
_LONGEST_WAIT_MS: Final = SECOND_MS
_DRAIN_SECONDS: Final = 10.0
_NOTE_ATTEMPTS: Final = 60


class DeliveryObserver(Protocol):
    """Who wants to know how delivery goes."""

    def posted(self, kind: RouteKind, outcome: Outcome, seconds: float) -> None:
        """Take note of one attempt."""
        ...

    def arrived(self, seconds: float) -> None:
        """Take note of a message that arrived, so many seconds after it was put into the outbox."""
        ...

    def failed(self) -> None:
        """Take note of a message that will not be tried again."""
        ...

    def left_out(self) -> None:
        """Take note of a message that was too many for its route."""
        ...

    def unreadable(self, messages: int) -> None:
        """Take note of messages that this version cannot read; they are looked at again."""
        ...

    def looked(self, waiting: int, failed: int, disabled: int) -> None:
        """Take note of how many messages wait and have failed, and how many routes are disabled."""
        ...

    def unavailable(self, error: StoreError) -> None:
        """Take note that Redis could not do something; it is tried again."""
        ...


def wall_clock_ms() -> int:
    """Return the wall clock (epoch ms)."""
    return time.time_ns() // 1_000_000


class Sender:
    """Sends what is due, until it is cancelled. `chance` gives random numbers from 0 to 1."""

    def __init__(
        self,
        outbox: Outbox,
        attempter: Attempter,
        observer: DeliveryObserver,
        *,
        clock_ms: Callable[[], int] = wall_clock_ms,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._attempter = attempter
        self._observer = observer
        self._clock_ms = clock_ms
        self._chance = chance
        self._lanes = Lanes()
        self._due: dict[str, int] = {}
        self._disabled: dict[str, Disabled] = {}
        self._looked_ms = self._swept_ms = self._tidied_ms = -DAY_MS
        self._woken = asyncio.Event()
        self._posts: set[asyncio.Task[None]] = set()

    def use(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Send on these routes from now on."""
        self._lanes.use(endpoints)

    def wake(self, project_id: str) -> None:
        """Look at the outbox of a project at once: something was put in."""
        self._due[project_id] = 0
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; then posts under way may end, for some seconds. Raises Broken."""
        try:
            while True:
                wait_ms = await self._pass()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_ms / 1_000):
                        await self._woken.wait()
        finally:
            if self._posts:
                await asyncio.wait(self._posts, timeout=_DRAIN_SECONDS)
            for post in self._posts:
                post.cancel()

    async def _pass(self) -> int:
        """Look once; return how long to wait until the next look (ms)."""
        self._woken.clear()
        try:
            await self.send_due()
        except (Saturated, Unavailable) as error:
            self._observer.unavailable(error)
            return _LONGEST_WAIT_MS
        soonest_ms = min(self._due.values(), default=0) - self._clock_ms() if self._due else _LONGEST_WAIT_MS
        return min(max(soonest_ms, 10), _LONGEST_WAIT_MS)

    async def send_due(self) -> None:
        """Start to send all that is due now. Raises what RedisClient raises."""
        now_ms = self._clock_ms()
        if now_ms - self._looked_ms >= _DISABLED_EVERY_MS:
            self._disabled = await self._outbox.disabled()
            self._looked_ms = now_ms
        if now_ms - self._swept_ms >= SWEEP_MS:
            await self._sweep()
            self._swept_ms = now_ms
        for project_id in [each for each, due_ms in self._due.items() if due_ms <= now_ms]:
            # What is put in while we ask is told by `wake`, and must not be forgotten with the answer.
            del self._due[project_id]
            try:
                claimed = await self._outbox.claim(project_id, now_ms, LEASE_MS, _CLAIMED_AT_ONCE)
            except StoreError:
                self._look_at(project_id, now_ms)
                raise
            self._expect(project_id, claimed)
            if claimed.unreadable:
                self._observer.unreadable(claimed.unreadable)
            for held in claimed.held:
                await self._dispatch_surely(held, now_ms)

    async def settled(self) -> None:
        """Wait until no post is under way."""
        while self._posts:
            await asyncio.wait(self._posts)

    async def _sweep(self) -> None:
        projects = await self._outbox.projects()
        for project_id, due_ms in (await self._outbox.next_due(projects)).items():
            self._look_at(project_id, due_ms)
        waiting, failed = await self._outbox.waiting(projects)
        self._observer.looked(waiting, failed, sum(map(self._is_disabled, self._lanes.endpoints())))
        if not 0 <= self._clock_ms() - self._tidied_ms < TIDY_MS:
            await self._outbox.tidy(projects, self._clock_ms())
            self._tidied_ms = self._clock_ms()

    def _expect(self, project_id: str, claimed: Claimed) -> None:
        if claimed.next_due_ms is not None:
            self._look_at(project_id, claimed.next_due_ms)

    def _look_at(self, project_id: str, due_ms: int) -> None:
        self._due[project_id] = min(due_ms, self._due.get(project_id, due_ms))

    # -- one message ---------------------------------------------------------------------------------------------

    async def _dispatch_surely(self, held: Held, now_ms: int) -> None:
        try:
            await self._dispatch(held, now_ms)
        except (Saturated, Unavailable) as error:
            # We hold it; when the lease is over it is offered again.
            self._observer.unavailable(error)

    async def _dispatch(self, held: Held, now_ms: int) -> None:
        lane = self._lanes.of(held.entry.message.route)
        if lane is None:
            # The rules file of another process may have it already, or still.
            await self._put_off_or_fail(held, held.entry, now_ms + _NO_ROUTE_WAIT_MS, DAY_MS, "there is no such route")
        elif await self._is_turned_away(held, lane, now_ms):
            return
        elif lane.is_full:
            await self._postpone(held, held.entry, self._later(now_ms + _LANE_WAIT_MS))
        else:
            post = asyncio.create_task(self._send(held, lane))
            self._posts.add(post)
            post.add_done_callback(self._posts.discard)

    async def _is_turned_away(self, held: Held, lane: Lane, now_ms: int) -> bool:
        """Say whether nothing is sent on a route now; then the message has been put off, or has failed."""
        if self._is_disabled(lane.endpoint):
            # Somebody may have sent again since we looked, and that message must not fail by what was before.
            self._disabled = await self._outbox.disabled()
        if self._is_disabled(lane.endpoint):
            await self._fail(held, held.entry, "the route is disabled: its receiver answered 410")
            return True
        if lane.paused_until_ms > now_ms:
            await self._put_off_or_fail(held, held.entry, self._later(lane.paused_until_ms), _give_up_ms(lane))
            return True
        return False

    def _is_disabled(self, endpoint: Endpoint) -> bool:
        disabled = self._disabled.get(endpoint.route.name)
        return disabled is not None and disabled.url_hash == endpoint.url_hash

    def _later(self, at_ms: int) -> int:
        return at_ms + round(self._chance() * SECOND_MS)

    async def _has_room(self, lane: Lane, now_ms: int) -> bool:
        route = lane.endpoint.route
        try:
            return await self._outbox.may_send(route.name, route.max_per_minute, now_ms)
        except StoreError as error:
            # It is held already: better one too many than one that waits for a Redis that is away.
            self._observer.unavailable(error)
            return True

    async def _take_left_out(self, route: str) -> int:
        try:
            return await self._outbox.take_left_out(route)
        except StoreError as error:
            self._observer.unavailable(error)
            return 0

    async def _wait_for_room(self, held: Held, now_ms: int) -> None:
        entry = held.entry
        if now_ms - _since_ms(entry) < TOO_MANY_FOR_MS:
            next_minute_ms = (now_ms // MINUTE_MS + 1) * MINUTE_MS
            await self._postpone(held, entry, next_minute_ms + round(self._chance() * 5 * SECOND_MS))
            return
        await self._outbox.count_left_out(entry.message.route, 1)
        self._observer.left_out()
        await self._fail(held, entry, "too many messages for the route (max_per_minute)")

    async def _send(self, held: Held, lane: Lane) -> None:
        posted = None
        try:
            if not await lane.enter():
                await self._postpone(held, held.entry, self._later(self._clock_ms() + _LANE_WAIT_MS))
                return
            try:
                posted = await self._in_lane(held, lane)
            finally:
                lane.leave(posted, self._clock_ms(), self._chance())
        except StoreError as error:
            # Nobody knows what came of it: it is sent again when the lease is over.
            self._observer.unavailable(error)
        finally:
            self._woken.set()

    async def _in_lane(self, held: Held, lane: Lane) -> Posted | None:
        now_ms, route = self._clock_ms(), lane.endpoint.route
        if await self._is_turned_away(held, lane, now_ms):
            return None
        if not await self._has_room(lane, now_ms):
            await self._wait_for_room(held, now_ms)
            return None
        ours = await self._held_for(held, now_ms + route.timeout_ms + NOTE_MS // 2)
        if ours is None:
            return None
        left_out = await self._take_left_out(route.name)
        attempt = await self._attempter.send(
            lane.endpoint, ours.entry, messages_left_out=left_out, until_ms=ours.lease_ms
        )
        self._observer.posted(route.kind, attempt.posted.outcome, attempt.seconds)
        if left_out and attempt.posted.outcome != "accepted":
            await self._outbox.count_left_out(route.name, left_out)
        await self._settle(ours, lane, attempt)
        return attempt.posted

    async def _held_for(self, held: Held, until_ms: int) -> Held | None:
        """Hold a message for longer where that may be needed; return nothing if another holds it by now."""
        if until_ms <= held.lease_ms:
            return held
        is_ours = await self._outbox.postpone(held, held.entry, until_ms)
        return Held(held.entry, until_ms) if is_ours else None

    async def _settle(self, held: Held, lane: Lane, attempt: Attempt) -> None:
        posted, route = attempt.posted, lane.endpoint.route
        entry = msgspec.structs.replace(attempt.entry, attempts=held.entry.attempts + 1, note=posted.note)
        match posted.outcome:
            case "accepted":
                await self._surely(lambda: self._outbox.sent(entry, self._clock_ms()))
                self._observer.arrived((self._clock_ms() - _since_ms(entry)) / 1_000)
                self._due[entry.project_id] = 0
                if self._disabled.pop(route.name, None) is not None:
                    await self._outbox.enable(route.name)  # it was, at another address
            case "gone":
                disabled = Disabled(self._clock_ms(), lane.endpoint.url_hash, posted.note)
                await self._surely(lambda: self._outbox.disable(route.name, disabled))
                self._disabled[route.name] = disabled
                await self._fail(held, entry, posted.note)
            case "refused":
                await self._fail(held, entry, posted.note)
            case "retry":
                wait_ms = backoff_ms(entry.attempts, self._chance(), posted.retry_after_s)
                await self._put_off_or_fail(held, entry, self._clock_ms() + wait_ms, _give_up_ms(lane))

    async def _surely(self, note: Callable[[], Awaitable[None]]) -> None:
        """Note what has happened, also if Redis is away for a while: else it would happen again."""
        for attempt in range(_NOTE_ATTEMPTS):
            try:
                await note()
            except StoreError as error:
                if attempt == _NOTE_ATTEMPTS - 1:
                    raise
                self._observer.unavailable(error)
                await asyncio.sleep(1)
            else:
                return

    async def _put_off_or_fail(self, held: Held, entry: Entry, due_ms: int, give_up_ms: int, note: str = "") -> None:
        if due_ms - _since_ms(entry) > give_up_ms:
            await self._fail(held, entry, note or entry.note or "its receiver was in trouble all the time")
        else:
            await self._postpone(held, entry, due_ms)

    async def _postpone(self, held: Held, entry: Entry, due_ms: int) -> None:
        if await self._outbox.postpone(held, entry, due_ms):
            self._look_at(entry.project_id, due_ms)

    async def _fail(self, held: Held, entry: Entry, note: str) -> None:
        if await self._outbox.fail(held, msgspec.structs.replace(entry, note=note), self._clock_ms()):
            self._observer.failed()


def _since_ms(entry: Entry) -> int:
    """Say since when a message could be sent (epoch ms)."""
    return max(entry.put_ms, entry.held_until_ms)


def _give_up_ms(lane: Lane) -> int:
    return lane.endpoint.route.give_up_after_ms
