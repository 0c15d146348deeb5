"""How to find sessions with little work: which sorted set to walk, and which to look the sessions up in."""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from replay.entries import listing_name
from replay.search.filters import SessionFilter, Sort

GATHER_MAX: Final = 20_000
"""Sessions that are looked at together, where no set holds few enough of them in the order asked for."""

Bounds = tuple[float, float]
EVERYTHING: Final[Bounds] = (-math.inf, math.inf)


class Listing(msgspec.Struct, frozen=True):
    """A sorted set a session has to be in, with a score within bounds."""

    name: str
    bounds: Bounds
    is_by_start: bool = False


class Plan(msgspec.Struct, frozen=True):
    """Walk one set and look the sessions up in others.

    `walked` is in the order asked for, so that walking it can stop when enough is found: after `looks` sessions, if all
    is as usual. A `gathered` set has another order and so has to be looked at as a whole, but is small.
    """

    walked: Listing
    gathered: Listing | None
    looks: int
    listings: tuple[Listing, ...]
    is_empty: bool = False

    def others(self, walked: Listing) -> list[Listing]:
        """List the sets to look sessions up in while one is walked."""
        return [each for each in self.listings if each != walked]


def listings_of(wanted: SessionFilter, also: Sequence[tuple[str, str]] = ()) -> list[Listing]:
    """Name the sets a session has to be in; `also` are kinds and values of listings besides the filter's own."""
    ranges = {name: _bounds(*bounds) for name, bounds in wanted.ranges().items()}
    started = ranges.pop("time", EVERYTHING)
    listings = [Listing(name, bounds) for name, bounds in ranges.items()]
    names = dict.fromkeys(listing_name(by, value) for by, value in [*wanted.values(), *also])
    listings += [Listing(name, started, is_by_start=True) for name in names]
    if started != EVERYTHING and not names:
        listings.append(Listing("time", started, is_by_start=True))
    return listings


def _bounds(low: float | None, high: float | None) -> Bounds:
    return -math.inf if low is None else low, math.inf if high is None else high


def make_plan(listings: Sequence[Listing], counts: Sequence[int], sort: Sort, wanted: int) -> Plan:
    """Choose what to walk.

    `counts` says how many sessions there are in all, and then how many within the bounds of each listing; `wanted` how
    many are to be found.
    """
    total, *sizes_of = counts
    whole = whole_of(sort)
    if not listings:
        return Plan(whole, None, wanted, ())
    # Few are in the first ones, so that few have to be looked up in the others.
    sizes = sorted(zip(listings, sizes_of, strict=True), key=lambda pair: pair[1])
    smallest, size = sizes[0]
    in_order = [pair for pair in sizes if (pair[0].is_by_start if sort == "time" else pair[0].name == sort)]
    walked, length = min(in_order, key=lambda pair: pair[1], default=(whole, total))
    # As if the sets had nothing to do with each other.
    expected = total * math.prod(each / max(total, 1) for each in sizes_of)
    looks = math.ceil(wanted * length / max(expected, 1))
    gathered = smallest if size < length and size <= GATHER_MAX else None
    return Plan(walked, gathered, looks, tuple(each for each, _ in sizes), is_empty=size == 0)


def whole_of(sort: Sort) -> Listing:
    """Name the set of all sessions in an order."""
    return Listing(sort, EVERYTHING, is_by_start=sort == "time")
