"""Walking sorted sets of sessions in Redis: a bounded number of looks in each call, and of calls."""

import heapq
import math
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from replay.redis_client import Argument, Call, RedisClient, load_script
from replay.redis_keys import KeyNames
from replay.search.filters import Sort
from replay.search.plan import GATHER_MAX, Listing, Plan, make_plan, whole_of

_WALK: Final = load_script("walk")
_NAMED: Final = load_script("named")

LOOKED_AT_ONCE: Final = 1_000
"""Sessions looked at in one call: a few milliseconds in which the server does nothing else."""

MOST_COUNTED: Final = 2
"""With all sessions and those of one listing counted, it is known how many there are in all."""

LOOKED_FIRST: Final = 2_000
"""If no more than so many have to be looked at in order, this is tried before looking at a small set as a whole."""

NAMED_MAX: Final = 500
"""So many sessions of the same start of their ids are looked at as a whole."""

LOOKED_MAX: Final = 50_000
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
        self._sort_by: Sort = sort

    def _key(self, name: str) -> str:
        return self._names.project(self._project_id, name)

    async def count(self, listings: Sequence[Listing]) -> list[int]:
        """Count the sessions within the bounds of each listing."""
        calls = [Call("ZCOUNT", (self._key(each.name),), each.bounds) for each in listings]
        return [cast("int", reply) for reply in await self._client.run_many(calls)]

    async def next(self, listings: Sequence[Listing], after: Place | None, wanted: int, prefix: str = "") -> Batch:
        """Give up to `wanted` sessions that are in all listings and whose id has a prefix, `after` a place.

        There may be fewer before the end, where many had to be looked at; and where few have the prefix, some that are
        not in the listings.
        """
        if prefix and (named := await self._named(prefix)) is not None:
            return await self._sort(named, after, wanted)
        counts = await self.count([whole_of(self._sort_by), *listings])
        plan = make_plan(listings, counts, self._sort_by, wanted)
        if plan.is_empty:
            return Batch((), None, 0)
        batch = await self._follow(plan, after, wanted, prefix)
        return batch if len(counts) > MOST_COUNTED or prefix else batch._replace(total=counts[-1])

    async def _follow(self, plan: Plan, after: Place | None, wanted: int, prefix: str) -> Batch:
        if plan.gathered is None:
            return await self._in_order(plan, after, wanted, prefix, LOOKED_MAX)
        # Where many fit, enough of them are met soon.
        if plan.looks <= LOOKED_FIRST:
            batch = await self._in_order(plan, after, wanted, prefix, 2 * LOOKED_FIRST)
            if batch.up_to is None or len(batch.places) >= wanted:
                return batch
        return await self._gather(plan, plan.gathered, after, wanted, prefix)

    async def _named(self, prefix: str) -> list[str] | None:
        """Give the sessions whose ids begin so, if they are not many."""
        reply = await self._client.run(Call(_NAMED, (self._key("status"),), (prefix, NAMED_MAX)))
        found = cast("list[bytes]", reply)
        return None if len(found) > NAMED_MAX else [session_id.decode() for session_id in found]

    async def _sort(self, session_ids: Sequence[str], after: Place | None, wanted: int) -> Batch:
        if not session_ids:
            return Batch((), None)
        scores = cast(
            "list[bytes | None]", await self._client.run(Call("ZMSCORE", (self._key(self._sort_by),), session_ids))
        )
        places = [Place(float(score), id_) for id_, score in zip(session_ids, scores, strict=True) if score is not None]
        return _first([each for each in places if after is None or each.order() < after.order()], wanted)

    async def _in_order(self, plan: Plan, after: Place | None, wanted: int, prefix: str, looks: int) -> Batch:
        found: list[Place] = []
        for looked in range(0, looks, LOOKED_AT_ONCE):
            limits = (min(LOOKED_AT_ONCE, looks - looked), wanted - len(found), "", "inf", prefix)
            is_end, after, _, places = await self._call(plan, plan.walked, after, limits)
            found += places
            if is_end:
                return Batch(found, None)
            if len(found) >= wanted:
                break
        return Batch(found, after)

    async def _gather(self, plan: Plan, gathered: Listing, after: Place | None, wanted: int, prefix: str) -> Batch:
        """Look at all sessions of a set, and keep the first ones in the order asked for."""
        best: list[Place] = []
        place, total, below = None, 0, math.inf if after is None else after.number
        # Some may be added while it is being walked.
        for _ in range(2 * GATHER_MAX // LOOKED_AT_ONCE):
            limits = (LOOKED_AT_ONCE, 2 * LOOKED_AT_ONCE, wanted + 1, below, prefix)
            is_end, place, count, places = await self._call(plan, gathered, place, limits)
            total += count
            best += [each for each in places if after is None or each.order() < after.order()]
            if is_end:
                break
        return _first(best, wanted)._replace(total=None if prefix else total)

    async def _call(
        self, plan: Plan, walked: Listing, after: Place | None, limits: tuple[Argument, ...]
    ) -> tuple[bool, Place, int, list[Place]]:
        others = plan.others(walked)
        key = self._key(walked.name)
        wanted = key if walked == plan.walked else self._key(self._sort_by)
        at = after or Place(0, "")
        bounds = [bound for each in others for bound in each.bounds]
        call = Call(
            _WALK,
            (key, wanted, *(self._key(each.name) for each in others)),
            (*walked.bounds, at.number, at.session_id, *limits, *bounds),
        )
        is_end, score, session_id, count, *found = cast("list[bytes]", await self._client.run(call))
        places = [Place(float(found[i + 1]), found[i].decode()) for i in range(0, len(found), 2)]
        return is_end == b"1", Place(float(score), session_id.decode()), int(count), places


def _first(places: Sequence[Place], wanted: int) -> Batch:
    best = heapq.nlargest(wanted, places, key=Place.order)
    return Batch(best, best[-1] if len(places) > wanted else None)


def merged(batches: Sequence[Batch], wanted: int) -> Batch:
    """Make one batch of several, each session once."""
    ends = [batch.up_to for batch in batches if batch.up_to is not None]
    up_to = max(ends, key=Place.order, default=None)
    places = {each for batch in batches for each in batch.places if up_to is None or each.order() >= up_to.order()}
    best = heapq.nlargest(wanted, places, key=Place.order)
    return Batch(best, best[-1] if len(places) > wanted else up_to)
