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

    With `gathers` the walk has another order than what was asked for: all of it has to be looked at before anything is
    known of the first session. Else it is in order.
    """

    walked: Listing
    others: tuple[Listing, ...]
    gathers: bool
    is_empty: bool = False


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


def make_plan(listings: Sequence[Listing], counts: Sequence[int], sort: Sort) -> Plan:
    """Choose what to walk; `counts` says how many sessions are within the bounds of each listing."""
    in_order = next((each for each in listings if each.name == sort), Listing(sort, EVERYTHING, sort == "time"))
    if not listings:
        return Plan(in_order, (), gathers=False)
    smallest, size = min(zip(listings, counts, strict=True), key=lambda pair: pair[1])
    native = [pair for pair in zip(listings, counts, strict=True) if _is_in_order(pair[0], sort)]
    ordered, ordered_size = min(native, key=lambda pair: pair[1], default=(in_order, None))
    # Walking in order stops as soon as enough is found, so it may take a set that is larger.
    gathers = size <= GATHER_MAX and (ordered_size is None or ordered_size > size) and smallest != ordered
    walked = smallest if gathers else ordered
    others = tuple(each for each in listings if each != walked)
    return Plan(walked, others, gathers, is_empty=size == 0)


def _is_in_order(listing: Listing, sort: Sort) -> bool:
    return listing.is_by_start if sort == "time" else listing.name == sort
