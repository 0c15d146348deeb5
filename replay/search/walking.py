"""Walking sorted sets of sessions in Redis: a bounded number of looks in each call, and of calls."""

import heapq
import math
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from replay.redis_client import Argument, Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.search.filters import Sort
from replay.search.plan import GATHER_MAX, Listing, Plan, make_plan

_WALK: Final = load_script("walk")

LOOKED_AT_ONCE: Final = 5_000
"""Sessions looked at in one call: a few milliseconds in which the server does nothing else."""

LOOKED_MAX: Final = 100_000
"""Sessions looked at for one batch, in order; what lies beyond is for the next request."""


class Place(NamedTuple):
    """A place in an order, highest first: the number sorted by, and the session. The same number goes by bytes."""

    number: float
    session_id: str

    def order(self) -> tuple[float, bytes]:
        """Give what places compare by, highest first."""
        return self.number, self.session_id.encode("utf-8", "surrogatepass")


class Batch(NamedTuple):
    """Sessions in order, all there are up to the place `up_to`; `None` if there are no more.

    `total` is how many there are in all, where that became known.
    """

    places: Sequence[Place]
    up_to: Place | None
    total: int | None = None


class Walk:
    """Gives the sessions that are in some listings of a project, in an order."""

    def __init__(self, client: RedisClient, names: KeyNames, project_id: str, sort: Sort) -> None:
        self._client = client
        self._names = names
        self._project_id = project_id
        self._sort = sort

    def _key(self, name: str) -> str:
        return self._names.project(self._project_id, name)

    async def count(self, listings: Sequence[Listing]) -> list[int]:
        """Count the sessions within the bounds of each listing."""
        calls = [Call("ZCOUNT", (self._key(each.name),), each.bounds) for each in listings]
        return [cast("int", reply) for reply in await self._client.run_many(calls)]

    async def next(self, listings: Sequence[Listing], after: Place | None, wanted: int, prefix: str = "") -> Batch:
        """Give up to `wanted` sessions that are in all listings and whose id has a prefix, `after` a place.

        There may be fewer before the end, where many had to be looked at.
        """
        counts = await self.count(listings or [Listing(self._sort, (-math.inf, math.inf))])
        plan = make_plan(listings, counts, self._sort)
        if plan.is_empty:
            return Batch((), None, 0)
        if plan.gathers:
            return await self._gather(plan, after, wanted, prefix)
        total = counts[0] if len(counts) == 1 and not prefix else None
        return (await self._in_order(plan, after, wanted, prefix))._replace(total=total)

    async def _in_order(self, plan: Plan, after: Place | None, wanted: int, prefix: str) -> Batch:
        found: list[Place] = []
        for _ in range(LOOKED_MAX // LOOKED_AT_ONCE):
            arguments = (LOOKED_AT_ONCE, wanted - len(found), "", "inf", prefix)
            is_end, after, _, places = await self._call(plan, after, arguments)
            found += places
            if is_end:
                return Batch(found, None)
            if len(found) >= wanted:
                break
        return Batch(found, after)

    async def _gather(self, plan: Plan, after: Place | None, wanted: int, prefix: str) -> Batch:
        """Look at all sessions of the set, and keep the first ones in the order asked for."""
        best: list[Place] = []
        place, total, below = None, 0, math.inf if after is None else after.number
        # Some may be added while it is being walked.
        for _ in range(2 * GATHER_MAX // LOOKED_AT_ONCE):
            arguments = (LOOKED_AT_ONCE, 2 * LOOKED_AT_ONCE, wanted + 1, below, prefix)
            is_end, place, count, places = await self._call(plan, place, arguments)
            total += count
            ahead = [each for each in places if after is None or each.order() < after.order()]
            best = heapq.nlargest(wanted + 1, [*best, *ahead], key=Place.order)
            if is_end:
                break
        return Batch(best[:wanted], best[wanted - 1] if len(best) > wanted else None, None if prefix else total)

    async def _call(
        self, plan: Plan, after: Place | None, arguments: tuple[Argument, ...]
    ) -> tuple[bool, Place, int, list[Place]]:
        walked = self._key(plan.walked.name)
        wanted = self._key(self._sort) if plan.gathers else walked
        keys = (walked, wanted, *(self._key(each.name) for each in plan.others))
        at = after or Place(0, "")
        bounds = [bound for each in plan.others for bound in each.bounds]
        reply = await self._client.run(
            Call(_WALK, keys, (*plan.walked.bounds, at.number, at.session_id, *arguments, *bounds))
        )
        is_end, score, session_id, count, *found = cast("list[bytes]", reply)
        places = [Place(float(found[i + 1]), found[i].decode()) for i in range(0, len(found), 2)]
        return is_end == b"1", Place(float(score), session_id.decode()), int(count), places


def merged(batches: Sequence[Batch], wanted: int) -> Batch:
    """Make one batch of several, each session once."""
    ends = [batch.up_to for batch in batches if batch.up_to is not None]
    up_to = max(ends, key=Place.order, default=None)
    places = {each for batch in batches for each in batch.places if up_to is None or each.order() >= up_to.order()}
    best = heapq.nlargest(wanted, places, key=Place.order)
    return Batch(best, best[-1] if len(places) > wanted else up_to)
