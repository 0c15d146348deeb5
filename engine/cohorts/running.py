"""Looking at all sessions of a cohort: bringing its members up to date, or counting what that would change."""

from collections.abc import Callable

import msgspec

from engine.cohorts.keeping import Clock, Keeping
from engine.cohorts.matching import Matching, Tally
from engine.cohorts.membership import Moment, due_event, observed
from engine.cohorts.state import CohortState

Progress = Callable[[Tally], None]
"""Is told after every some hundred sessions."""


def _unseen(_: Tally) -> None:
    """Show nothing."""


async def reconcile(keeping: Keeping, matching: Matching, clock_ms: Clock, progress: Progress = _unseen) -> Tally:
    """Bring members up to date with all sessions that are stored; broken off and begun again, the end is the same."""
    tally = Tally()
    await keeping.begin_walk()
    async for found in matching.all(clock_ms()):
        tally.add(found)
        await keeping.observe(found.matches, is_walk=True)
        progress(tally)
    await keeping.sweep()
    await keeping.expire()
    await keeping.forget_untold()
    return tally


class Preview(msgspec.Struct):
    """What a run would find: users who meet the condition, how many it would tell to have come, and to have left."""

    tally: Tally
    users: int
    enters: int
    exits: int


async def preview(
    state: CohortState, matching: Matching, window_ms: int, clock_ms: Clock, progress: Progress = _unseen
) -> Preview:
    """Count what a run would find and tell; nothing is written."""
    tally, users, enters = Tally(), set[str](), 0
    now = Moment(clock_ms(), 0)
    async for found in matching.all(now.now_ms):
        tally.add(found)
        new = {user: match for user, match in found.matches.items() if user not in users}
        users.update(new)
        known = await state.members(list(new))
        for user, match in new.items():
            enters += due_event(observed(known.get(user), match, window_ms, now, 0)) == "enter"
        progress(tally)
    return Preview(tally, len(users), enters, await _leaving(state, users))


async def _leaving(state: CohortState, users: set[str]) -> int:
    """Count those who were told of and are none of `users`."""
    leaving: set[str] = set()
    for which in ("ends", "due"):
        async for some in state.scan(which):
            known = await state.members([user for user in some if user not in users])
            leaving.update(user for user, member in known.items() if member.told)
    return len(leaving)
