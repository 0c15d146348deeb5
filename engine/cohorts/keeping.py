"""Keeps the members of one cohort: each step reads them, changes them, and writes them in one guarded call."""

import asyncio
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from engine.cohorts.events import Batch, CohortEvent, Source, batch_of, event_of
from engine.cohorts.matching import Matching
from engine.cohorts.membership import Match, Member, Moment, attempted, confirmed, due_event, left, narrowed, observed
from engine.cohorts.state import NUMBERS_IN_A_MS, Change, CohortState, Counts
from replay.errors import Broken

Clock = Callable[[], int]
"""Tells the time: epoch ms."""

Step = Callable[[str, Member | None, Moment], Member | None]
"""Makes of a user, what is known of them, and the moment what is known from then on."""

EXIT_KEPT_MS: Final = 30 * 86_400_000
"""So long it is tried to tell that a user left."""

_decode_batch: Final = msgspec.json.Decoder(tuple[tuple[str, int], ...]).decode


class Limits(NamedTuple):
    """How long a session makes a member (ms), how many members there may be, how old an event is when it is sent (ms).

    A session that was touched a moment ago may not be listed yet, by which it is looked for again before it is told.
    """

    window_ms: int
    max_members: int
    linger_ms: int = 0


class Keeping:
    """The members of one cohort, as their owner changes them. Steps of several tasks wait for each other.

    Methods raise what the Redis client raises, and NotOwnerError.
    """

    def __init__(self, state: CohortState, matching: Matching, source: Source, limits: Limits, clock_ms: Clock) -> None:
        self._state = state
        self._matching = matching
        self._source = source
        self._window_ms, self._max_members, self._linger_ms = limits
        self._clock_ms = clock_ms
        self._lock = asyncio.Lock()
        self._sequence = 0
        self._sending: tuple[tuple[str, int], ...] = ()
        self._room = 0
        self.next_at_ms = 0
        """When the next batch may be sent (epoch ms): receivers are not asked more often than they want."""
        self.walk = 0
        self.left_out = 0
        """Users for whom there was no room."""
        self.untold = 0
        """Users who left and were forgotten before their receiver took that."""

    async def open(self) -> None:
        """Learn where the last owner ended; call it once this process owns the cohort."""
        meta = await self._state.meta()
        self._sequence = int(meta.get("sequence", 0))
        self._sending = _decode_batch(meta.get("sending", "[]"))
        self.walk = int(meta.get("walk", 0))
        self.next_at_ms = int(meta.get("next_at", 0))

    async def counts(self) -> Counts:
        """Count members, and users to be told."""
        return await self._state.counts()

    async def begin_walk(self) -> None:
        """Number a look at all sessions, so that members it does not meet are known by their number."""
        async with self._lock:
            self.walk += 1
            self.left_out = 0
            await self._state.change({}, {"walk": str(self.walk)})

    async def renew(self) -> None:
        """Go on owning the cohort."""
        async with self._lock:
            await self._state.change({}, {})

    async def observe(self, matches: Mapping[str, Match], *, is_walk: bool = False) -> None:
        """Take note of sessions that meet the condition, one a user; a walk through all of them meets the latest first.

        Where a user was thought to be a member for longer, that is looked into: the window may be another one by now,
        or the session's beginning.
        """
        if not matches:
            return
        doubtful: list[str] = []

        def step(user: str, member: Member | None, moment: Moment) -> Member | None:
            match = matches[user]
            if member is not None and match.started_at + self._window_ms < member.until:
                is_first = is_walk and member.walk < self.walk
                doubtful.extend([user] if is_first or match.support == member.support else ())
            return self._observed(member, match, moment)

        async with self._lock:
            self._room = self._max_members - (await self._state.counts()).members
            await self._change(matches, step)
            if doubtful:
                await self._check(doubtful)

    def _observed(self, member: Member | None, match: Match, moment: Moment) -> Member | None:
        changed = observed(member, match, self._window_ms, moment, self.walk)
        if changed is not None and (member is None or not member.until):
            if self._room <= 0:
                self.left_out += 1
                return member
            self._room -= 1
        return changed

    async def check(self, users: Collection[str]) -> None:
        """Look again on what the membership of users stands; who has nothing left is no member."""
        async with self._lock:
            await self._check(users)

    async def _check(self, users: Collection[str]) -> None:
        found = await self._matching.latest(users, self._clock_ms())

        def step(user: str, member: Member | None, moment: Moment) -> Member | None:
            if member is None:
                return None
            match = found.get(user)
            return left(member, moment) if match is None else narrowed(member, match, self._window_ms, moment)

        await self._change(users, step)

    async def expire(self) -> None:
        """End the membership of those whose time is over."""
        while ended := await self._state.ended(self._clock_ms()):
            async with self._lock:
                await self._change(ended, _expired)

    async def forget_untold(self) -> None:
        """Forget those who left long ago: that nobody could be told is no reason to keep their ids for good.

        Due are changes in the order of their numbers, which are times.
        """
        latest = (self._clock_ms() - EXIT_KEPT_MS) * NUMBERS_IN_A_MS
        async for users in self._state.scan("due"):
            known = await self._state.members(users)
            old = [user for user, member in known.items() if not member.until and member.sequence <= latest]
            if old:
                await self._forget_left(old, latest)

    async def _forget_left(self, users: Collection[str], latest: int) -> None:
        def step(_: str, member: Member | None, __: Moment) -> Member | None:
            return None if member is not None and not member.until and member.sequence <= latest else member

        async with self._lock:
            gone = frozenset(users)
            self._sending = tuple(pair for pair in self._sending if pair[0] not in gone)
            self.untold += len(gone)
            await self._change(users, step, {"sending": msgspec.json.encode(self._sending).decode()})

    async def sweep(self) -> None:
        """Check the members that the last look at all sessions did not meet."""
        async for users in self._state.scan("ends"):
            known = await self._state.members(users)
            missed = [user for user, member in known.items() if member.walk < self.walk]
            if missed:
                await self.check(missed)

    async def look(self, session_ids: Sequence[str]) -> None:
        """Take note of sessions that were touched: whether they meet the condition by now, or no more, or are gone."""
        users: dict[str, str] = {}
        matches: dict[str, Match] = {}
        for looked in await self._matching.sessions(session_ids):
            users[looked.support] = looked.user_id if looked.match else ""
            known = matches.get(looked.user_id)
            if looked.user_id and looked.match and (known is None or known.started_at < looked.match.started_at):
                matches[looked.user_id] = looked.match
        supported = await self._state.supported(list(users))
        # First those who lose it: a session may be another user's from now on.
        if lost := [user for support, user in supported.items() if users[support] != user]:
            await self.check(dict.fromkeys(lost))
        await self.observe(matches)

    async def _change(
        self,
        users: Collection[str],
        step: Step,
        meta: Mapping[str, str] | None = None,
    ) -> None:
        known = await self._state.members(list(users))
        now_ms, changes = self._clock_ms(), dict[str, Change]()
        for user in users:
            before = known.get(user)
            moment = Moment(now_ms, max(self._sequence + 1, now_ms * NUMBERS_IN_A_MS))
            after = step(user, before, moment)
            if after == before:
                continue
            changes[user] = Change(before, after)
            if after is not None and after.sequence == moment.sequence:
                self._sequence = moment.sequence
        if changes or meta:
            await self._state.change(changes, {"sequence": str(self._sequence), **(meta or {})})

    async def hold(self, until_ms: int) -> None:
        """Send nothing until then (epoch ms), whoever the owner is by then."""
        async with self._lock:
            self.next_at_ms = until_ms
            await self._state.change({}, {"next_at": str(until_ms)})

    async def next_batch(self, limit: int, next_at_ms: int) -> Batch | None:
        """Put together what is to be sent next: what was attempted last comes again, as it was, if it is still due.

        Whoever is to be told to have come is looked at once more, so that nothing is told of users who were deleted or
        excluded meanwhile. Before this returns it is written that the batch may have been sent, and that no other is to
        be sent before `next_at_ms` (epoch ms).
        """
        async with self._lock:
            events = await self._next_events(limit)
            if not events:
                return None
            kinds = {event.user_id: event.event for event in events}
            self._sending = tuple((event.user_id, event.sequence) for event in events)
            self.next_at_ms = next_at_ms
            await self._change(
                kinds,
                lambda user, member, _: member and attempted(member, kinds[user]),
                {"sending": msgspec.json.encode(self._sending).decode(), "next_at": str(next_at_ms)},
            )
            return batch_of(self._source, events)

    async def _next_events(self, limit: int) -> list[CohortEvent]:
        before: list[str] = []
        while chosen := await self._chosen(limit):
            if chosen == before:
                raise Broken("users are to be told of whom nothing is known: was a key evicted? (noeviction)")
            before = chosen
            events = await self._due(chosen)
            await self._check([event.user_id for event in events if event.event == "enter"])
            if events := await self._due(chosen):
                return events
        if self._sending:
            self._sending = ()
            await self._state.change({}, {"sending": "[]"})
        return []

    async def _chosen(self, limit: int) -> list[str]:
        if self._sending:
            members = await self._state.members([user for user, _ in self._sending])
            again = [user for user, number in self._sending if user in members and members[user].sequence == number]
            if again := [user for user in again if due_event(members[user])]:
                return again
        latest = (self._clock_ms() - self._linger_ms) * NUMBERS_IN_A_MS if self._linger_ms else math.inf
        return await self._state.due(limit, latest)

    async def _due(self, users: Sequence[str]) -> list[CohortEvent]:
        members = await self._state.members(users)
        events = [event_of(self._source, user, members[user]) for user in users if user in members]
        return [event for event in events if event is not None]

    async def confirm(self, batch: Batch) -> None:
        """Take note that a batch was taken."""
        kinds = {event.user_id: event.event for event in batch.events}
        async with self._lock:
            self._sending = ()
            await self._change(
                kinds, lambda user, member, _: member and confirmed(member, kinds[user]), {"sending": "[]"}
            )


def _expired(_: str, member: Member | None, moment: Moment) -> Member | None:
    return left(member, moment) if member is not None and member.until <= moment.now_ms else member
