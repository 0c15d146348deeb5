"""Selectors that an element's own tests and those of its ancestors decide: all they look at are bits."""

from collections.abc import Callable, Sequence
from itertools import chain

from engine.masking.selector_parts import Chain, Compound, Test

BitOf = Callable[[Test], int]


class _BitCompound:
    """A compound selector as conditions on an element's bits."""

    __slots__ = ("any_of", "none_of", "required")

    def __init__(self, compound: Compound, bit_of: BitOf) -> None:
        self.required = 0
        for test in compound.tests:
            self.required |= bit_of(test)
        self.any_of = tuple(tuple(_BitCompound(part, bit_of) for part in parts) for parts in compound.any_of)
        self.none_of = tuple(_BitCompound(part, bit_of) for part in compound.none_of)

    @property
    def bits(self) -> int:
        """All bits that are looked at."""
        found = self.required
        for part in (*chain.from_iterable(self.any_of), *self.none_of):
            found |= part.bits
        return found

    def matches(self, bits: int) -> bool:
        return (
            bits & self.required == self.required
            and all(any(part.matches(bits) for part in parts) for parts in self.any_of)
            and not any(part.matches(bits) for part in self.none_of)
        )


class BitChain:
    """A complex selector; `compounds` and `children` go from the element outwards."""

    __slots__ = ("children", "compounds")

    def __init__(self, parsed: Chain, bit_of: BitOf) -> None:
        self.compounds = [_BitCompound(compound, bit_of) for compound in parsed.compounds]
        self.children = parsed.children

    def matches(self, outwards: Sequence[int]) -> bool:
        """Tell whether the element matches: all places at once, so the time is linear in the depth."""
        if not self.compounds[0].matches(outwards[0]):
            return False
        last = len(self.compounds) - 1
        waiting = {1}
        for bits in outwards[1:]:
            if last + 1 in waiting or not waiting:
                break
            # A descendant combinator keeps waiting for an ancestor further out; a child combinator does not.
            kept = {place for place in waiting if not self.children[place - 1]}
            waiting = kept | {place + 1 for place in waiting if self.compounds[place].matches(bits)}
        return last + 1 in waiting
