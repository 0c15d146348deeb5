"""What commands do with a cohort: one run, one export, each with a report."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from engine.cohorts.destinations import Receiver
from engine.cohorts.events import Source, event_of, lines
from engine.cohorts.keeping import Clock
from engine.cohorts.matching import Matching, Tally
from engine.cohorts.membership import Match, Member, Moment, observed
from engine.cohorts.opening import Parts, owned
from engine.cohorts.running import Preview, preview, reconcile
from engine.cohorts.sending import Ending, Sender, Sent, Sleep

WAIT_FACTOR: Final = 1.5
"""Another owner is waited for a little longer than a lease lasts: if it died, it is over by then."""


class Watching(msgspec.Struct, frozen=True):
    """Who is told how far a job is."""

    looked: Callable[[Tally], None] = lambda _: None
    sent: Callable[[Sent], None] = lambda _: None


class RunReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run did.

    `sessions` met the condition, `anonymous` of them without a user id; `members` are in the cohort by now, for
    `left_out` there was no room. `enters` and `exits` were sent, in `batches`; `waiting` is what was not, and
    `ending` says why, `note` more closely. `untold` left so long ago that nobody is told any more.
    """

    cohort: str
    project_id: str
    sessions: int
    anonymous: int
    members: int
    enters: int
    exits: int
    batches: int
    waiting: int
    ending: Ending
    left_out: int = 0
    failures: int = 0
    untold: int = 0
    note: str = ""

    @property
    def is_done(self) -> bool:
        """Whether everything is told of everybody."""
        return self.ending == "done" and not self.waiting and not self.left_out


class Job(msgspec.Struct, frozen=True):
    """One cohort, its receiver, and what it takes to send to it. `lease_ms` is as in `Tools`."""

    parts: Parts
    receiver: Receiver
    clock_ms: Clock
    lease_ms: int
    sleep: Sleep = asyncio.sleep
    watching: Watching = Watching()


async def run_once(job: Job, *, forgets: bool = False) -> RunReport:
    """Bring a cohort up to date and send what is news. Broken off at any point, the next run goes on.

    With `forgets` nothing is kept once all is sent: an export. Raises BusyError, NotOwnerError, StoreError, OSError.
    """
    parts = job.parts
    async with owned(parts, job.lease_ms, WAIT_FACTOR * job.lease_ms):
        tally = await reconcile(parts.keeping, parts.matching, job.clock_ms, job.watching.looked)
        sender = Sender(parts.keeping, job.receiver, job.clock_ms, job.sleep)
        ending = await sender.run(parts.declared.cohort.patience_ms, job.watching.sent)
        counts, sent = await parts.keeping.counts(), sender.sent
        report = RunReport(
            cohort=parts.declared.source.cohort,
            project_id=parts.declared.source.project_id,
            sessions=tally.sessions,
            anonymous=tally.anonymous,
            members=counts.members,
            enters=sent.enters,
            exits=sent.exits,
            batches=sent.batches,
            waiting=counts.due,
            ending=ending,
            left_out=parts.keeping.left_out,
            failures=sent.failures,
            untold=parts.keeping.untold,
            note=sent.note,
        )
        if forgets and report.ending == "done":
            await parts.state.drop()
        return report


async def look_only(job: Job) -> Preview:
    """Count what a run would do; nothing is written, nobody is waited for."""
    parts = job.parts
    window_ms = parts.declared.cohort.window_ms
    return await preview(parts.state, parts.matching, window_ms, job.clock_ms, job.watching.looked)


class Exported(msgspec.Struct):
    """What an export found: sessions, users; `left_out` are users beyond the most there may be."""

    tally: Tally
    users: int = 0
    left_out: int = 0


async def export_lines(
    matching: Matching, source: Source, limits: tuple[int, int], now_ms: int, write: Callable[[bytes], object]
) -> Exported:
    """Write a line for each user who meets the condition now, as if all had just come; `limits` are window and users.

    Nothing is kept.
    """
    window_ms, max_users = limits
    exported, seen = Exported(Tally()), set[str]()
    async for found in matching.all(now_ms):
        exported.tally.add(found)
        new = {user: match for user, match in found.matches.items() if user not in seen}
        room = max(max_users - len(seen), 0)
        taken = dict(list(new.items())[:room])
        exported.left_out += len(new) - len(taken)
        members = _as_new(taken, window_ms, now_ms, len(seen))
        seen.update(taken)
        events = [event_of(source, user, member) for user, member in members.items()]
        write(lines([event for event in events if event is not None]))
    exported.users = len(seen)
    return exported


def _as_new(matches: dict[str, Match], window_ms: int, now_ms: int, before: int) -> dict[str, Member]:
    members = {
        user: observed(None, match, window_ms, Moment(now_ms, now_ms * 1_000 + before + place), 0)
        for place, (user, match) in enumerate(matches.items(), 1)
    }
    return {user: member for user, member in members.items() if member is not None}
