"""Selectors that other elements decide: siblings, places, what is below an element or beside it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol

from engine.masking.selector_bits import BitChain, BitOf
from engine.masking.selector_parts import SIDEWAYS, Chain, Compound, Position, Relation


class Places(Protocol):
    """What is known of the elements of a page by their ids."""

    def bits_of(self, node_id: int) -> int:
        """Return which tests are true for an element."""

    def parent_of(self, node_id: int) -> int:
        """Return the parent's id in the flat tree, 0 for none."""

    def own_parent_of(self, node_id: int) -> int:
        """Return the id of the parent element in the same document or shadow root, 0 for none."""

    def before(self, node_id: int) -> Sequence[int]:
        """Return the element siblings before an element, nearest first."""

    def siblings(self, node_id: int) -> Sequence[int]:
        """Return an element and its element siblings."""

    def place(self, node_id: int, *, of_type: bool, from_end: bool) -> int:
        """Return an element's place among its siblings, from 1."""

    def is_empty(self, node_id: int) -> bool:
        """Tell whether an element has neither elements nor text in it."""

    def is_root(self, node_id: int) -> bool:
        """Tell whether an element is a document's outermost one."""

    def elements(self, bits: int) -> Iterable[int]:
        """Return all elements for which all these tests are true."""

    def holders(self, having: "Having") -> set[int]:
        """Return the elements from which one of these relations leads somewhere."""


class PlacedChain:
    """A complex selector with other elements in it; `anywhere` matches without them whatever it may match.

    `reaches` tells whether siblings decide about what is below them, `looks_back` whether later ones decide about
    earlier ones, `looks_everywhere` whether any element may decide about any other. `required` are
    tests that an element has to pass at least.
    """

    __slots__ = ("_combinators", "_compounds", "anywhere", "looks_back", "looks_everywhere", "reaches", "required")

    def __init__(self, parsed: Chain, bit_of: BitOf) -> None:
        self._compounds = [_PlacedCompound(compound, bit_of) for compound in parsed.compounds]
        self._combinators = parsed.combinators
        self.required = self._compounds[0].required
        self.anywhere = BitChain(parsed.anywhere(), bit_of)
        self.looks_back = any(compound.looks_back for compound in self._compounds)
        self.looks_everywhere = parsed.looks_everywhere
        self.reaches = not SIDEWAYS.issuperset(parsed.combinators)

    def matches(self, node_id: int, places: Places) -> bool:
        """Tell whether an element matches."""
        if not self._compounds[0].matches(node_id, places):
            return False
        return len(self._compounds) == 1 or next(self.outermost(node_id, places), 0) != 0

    def outermost(self, node_id: int, places: Places) -> Iterator[int]:
        """Yield what the outermost compound matches where the innermost matches this element.

        Elements and compounds are looked at in pairs, each pair once.
        """
        waiting, seen = [(node_id, 0)], set()
        while waiting:
            pair = waiting.pop()
            if pair in seen:
                continue
            seen.add(pair)
            current, number = pair
            if not self._compounds[number].matches(current, places):
                continue
            if number + 1 == len(self._compounds):
                yield current
            else:
                waiting += [(other, number + 1) for other in _related(self._combinators[number], current, places)]


def _related(combinator: str, node_id: int, places: Places) -> Iterable[int]:
    if combinator == "~":
        return places.before(node_id)
    if combinator == "+":
        return places.before(node_id)[:1]
    above = places.parent_of(node_id)
    if combinator == ">":
        return (above,) if above else ()
    found = []
    while above:
        found.append(above)
        above = places.parent_of(above)
    return found


class Having:
    """The alternatives of one `:has()`."""

    __slots__ = ("_relations",)

    def __init__(self, relations: Sequence[Relation], bit_of: BitOf) -> None:
        self._relations = [(relation.combinator, PlacedChain(relation.chain, bit_of)) for relation in relations]

    def holders(self, places: Places) -> set[int]:
        """Find the elements from which one of the relations leads somewhere, starting from where they lead."""
        holders: set[int] = set()
        for combinator, led in self._relations:
            found: set[int] = set()
            for node_id in places.elements(led.required):
                for outermost in led.outermost(node_id, places):
                    _add_holders(found, combinator, outermost, places)
            holders |= found
        return holders


def _add_holders(found: set[int], combinator: str, node_id: int, places: Places) -> None:
    """Add the elements that a relation to this one begins at; roots of shadows and frames are not left."""
    if combinator in SIDEWAYS:
        found.update(_related(combinator, node_id, places))
        return
    above = places.own_parent_of(node_id)
    while above and above not in found:
        found.add(above)
        above = places.own_parent_of(above) if combinator == " " else 0


class _PlacedCompound:
    __slots__ = (
        "_any_of",
        "_has_parts",
        "_having",
        "_is_empty",
        "_is_root",
        "_none_of",
        "_positions",
        "_within",
        "_without",
        "required",
    )

    def __init__(self, compound: Compound, bit_of: BitOf) -> None:
        self.required = 0
        for test in compound.tests:
            self.required |= bit_of(test)
        self._positions = [
            (position, [PlacedChain(counted, bit_of) for counted in position.of]) for position in compound.positions
        ]
        self._any_of = [[_PlacedCompound(part, bit_of) for part in parts] for parts in compound.any_of]
        self._none_of = [_PlacedCompound(part, bit_of) for part in compound.none_of]
        self._within = [[PlacedChain(each, bit_of) for each in chains] for chains in compound.within]
        self._without = [PlacedChain(each, bit_of) for each in compound.without]
        self._having = [Having(relations, bit_of) for relations in compound.having]
        self._is_empty, self._is_root = compound.is_empty, compound.is_root
        self._has_parts = any((self._positions, self._any_of, self._none_of, self._within, self._without))

    @property
    def looks_back(self) -> bool:
        parts = (*self._none_of, *chain.from_iterable(self._any_of))
        return any(position.from_end for position, _ in self._positions) or any(part.looks_back for part in parts)

    def matches(self, node_id: int, places: Places) -> bool:
        if places.bits_of(node_id) & self.required != self.required:
            return False
        if (self._is_root and not places.is_root(node_id)) or (self._is_empty and not places.is_empty(node_id)):
            return False
        if self._having and not all(node_id in places.holders(having) for having in self._having):
            return False
        return not self._has_parts or self._matches_parts(node_id, places)

    def _matches_parts(self, node_id: int, places: Places) -> bool:
        return (
            all(_is_at(node_id, places, position, of) for position, of in self._positions)
            and all(any(part.matches(node_id, places) for part in parts) for parts in self._any_of)
            and not any(part.matches(node_id, places) for part in self._none_of)
            and all(any(each.matches(node_id, places) for each in chains) for chains in self._within)
            and not any(each.matches(node_id, places) for each in self._without)
        )


def _is_at(node_id: int, places: Places, position: Position, of: Sequence[PlacedChain]) -> bool:
    if not of:
        return position.holds(places.place(node_id, of_type=position.of_type, from_end=position.from_end))
    counted = [other for other in places.siblings(node_id) if any(each.matches(other, places) for each in of)]
    if node_id not in counted:
        return False
    place = counted.index(node_id)
    return position.holds(len(counted) - place if position.from_end else place + 1)
