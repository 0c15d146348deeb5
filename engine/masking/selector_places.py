"""Selectors that other elements decide: siblings, places, what is below an element or beside it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, Protocol

from engine.masking.selector_bits import BitChain, BitOf
from engine.masking.selector_parts import SIDEWAYS, Chain, Compound, Position, Relation

FAR: Final = frozenset({" ", "~"})
"""Combinators that lead on from where they led."""


class Places(Protocol):
    """What is known of the elements of a page by their ids."""

    def bits_of(self, node_id: int) -> int:
        """Return which tests are true for an element."""

    def parent_of(self, node_id: int) -> int:
        """Return the parent's id in the flat tree, 0 for none."""

    def own_parent_of(self, node_id: int) -> int:
        """Return the id of the parent element in the same document or shadow root, 0 for none."""

    def previous(self, node_id: int) -> int:
        """Return the element sibling just before an element, 0 for none."""

    def counted(self, node_id: int, counted: "Counted") -> Mapping[int, int]:
        """Return the places, from 1, of an element and its element siblings among those of them that are counted."""

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

    def leads(self, parsed: "PlacedChain", number: int) -> dict[int, bool]:
        """Return what a selector has found out, since the last change, about elements its combinator leads on from."""


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
        return self._holds(node_id, 0, places)

    def _holds(self, node_id: int, number: int, places: Places) -> bool:
        """Tell whether an element matches a compound, and what the combinators lead to from there all others."""
        if not self._compounds[number].matches(node_id, places):
            return False
        return number + 1 == len(self._compounds) or self._leads(node_id, number, places)

    def _leads(self, node_id: int, number: int, places: Places) -> bool:
        """Tell whether the combinator after a compound leads from an element to one from which on all others match.

        What leads on and on is remembered for all that it passes: a list of siblings is gone through once, not once
        for each of them.
        """
        combinator = self._combinators[number]
        current = _next(combinator, node_id, places)
        if combinator not in FAR:
            return current != 0 and self._holds(current, number + 1, places)
        known, passed = places.leads(self, number), [node_id]
        found = known.get(node_id)
        while found is None:
            if not current or self._holds(current, number + 1, places):
                found = current != 0
                break
            found = known.get(current)
            passed.append(current)
            current = _next(combinator, current, places)
        known.update(dict.fromkeys(passed, found))
        return found

    def outermost(self, node_ids: Iterable[int], places: Places) -> Iterator[int]:
        """Yield what the outermost compound matches where the innermost matches one of these elements.

        Elements and compounds are looked at in pairs, each pair once: where one way that leads on meets another, all
        beyond was on that.
        """
        last = len(self._compounds) - 1
        waiting, seen = [(node_id, 0) for node_id in node_ids], set[tuple[int, int]]()
        while waiting:
            node_id, number = waiting.pop()
            if not self._compounds[number].matches(node_id, places):
                continue
            if number == last:
                yield node_id
                continue
            combinator = self._combinators[number]
            pair = (_next(combinator, node_id, places), number + 1)
            while pair[0] and pair not in seen:
                seen.add(pair)
                waiting.append(pair)
                pair = (_next(combinator, pair[0], places) if combinator in FAR else 0, number + 1)


def _next(combinator: str, node_id: int, places: Places) -> int:
    """Return where a combinator leads from an element, first of all if it leads on; 0 for nowhere."""
    return places.previous(node_id) if combinator in SIDEWAYS else places.parent_of(node_id)


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
            for outermost in led.outermost(places.elements(led.required), places):
                _add_holders(found, combinator, outermost, places)
            holders |= found
        return holders


def _add_holders(found: set[int], combinator: str, node_id: int, places: Places) -> None:
    """Add the elements that a relation to this one begins at; roots of shadows and frames are not left."""
    step = places.previous if combinator in SIDEWAYS else places.own_parent_of
    current = step(node_id)
    while current and current not in found:
        found.add(current)
        current = step(current) if combinator in FAR else 0


class Counted:
    """The selectors after `of` in `:nth-child()`: siblings count that one of them matches."""

    __slots__ = ("_chains",)

    def __init__(self, chains: Sequence[PlacedChain]) -> None:
        self._chains = chains

    def number(self, siblings: Iterable[int], places: Places) -> dict[int, int]:
        """Number those siblings that count, from 1."""
        counted = (node_id for node_id in siblings if any(each.matches(node_id, places) for each in self._chains))
        return {node_id: place for place, node_id in enumerate(counted, 1)}


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
            (position, Counted([PlacedChain(each, bit_of) for each in position.of])) for position in compound.positions
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
            all(_is_at(node_id, places, position, counted) for position, counted in self._positions)
            and all(any(part.matches(node_id, places) for part in parts) for parts in self._any_of)
            and not any(part.matches(node_id, places) for part in self._none_of)
            and all(any(each.matches(node_id, places) for each in chains) for chains in self._within)
            and not any(each.matches(node_id, places) for each in self._without)
        )


def _is_at(node_id: int, places: Places, position: Position, counted: Counted) -> bool:
    if not position.of:
        return position.holds(places.place(node_id, of_type=position.of_type, from_end=position.from_end))
    numbers = places.counted(node_id, counted)
    place = numbers.get(node_id)
    return place is not None and position.holds(len(numbers) + 1 - place if position.from_end else place)
