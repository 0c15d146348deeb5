"""CSS selectors that name what is blocked, masked and unmasked.

State must hold decisions, never originals. So a selector is taken apart into simple tests (`.card`, `[data-x^=a]`,
`form`); every element carries one integer that says which tests are true for it, and that is all a later decision
about it or its descendants needs. A test on an attribute is made again when the attribute changes, and only then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, Protocol

from engine.masking.flags import BLOCKED, MASKED, UNMASKED
from engine.masking.selector_parts import SIDEWAYS, Chain, Compound, SelectorError, Test, parse_selectors
from schemas.rrweb_nodes import AttributeValue

BitOf = Callable[[Test], int]

MAX_BITS: Final = 63
"""Tests a set may hold: an element's bits are stored as one 64-bit integer."""

MAX_CACHED_VALUES: Final = 4_000
MAX_NAMES: Final = 2_000

RECORDER_BLOCKS: Final = (
    ".rr-block", ".amp-block", ".ph-no-capture", ".sentry-block", "[data-sentry-block]", ".highlight-block",
    ".mp-block",
    ".fs-exclude", ".fs-exclude-without-consent", "[data-dd-privacy=hidden i]", ".dd-privacy-hidden",
    "[data-openreplay-hidden]", "[data-hj-suppress]", "[data-private=redact]", "[data-recording-disable]",
    ".smartlook-hide", ".nr-block",
)  # fmt: skip
"""What recorders' users already mark as not to be recorded at all."""

RECORDER_MASKS: Final = (
    ".rr-mask", ".rr-ignore", ".amp-mask", ".ph-mask", ".sentry-mask", "[data-sentry-mask]", ".highlight-mask",
    ".mp-mask",
    ".fs-mask", ".fs-mask-without-consent", "[data-dd-privacy=mask i]", "[data-dd-privacy=mask-user-input i]",
    "[data-dd-privacy=mask-unless-allowlisted i]", ".dd-privacy-mask", ".dd-privacy-mask-user-input",
    "[data-clarity-mask]", "[data-openreplay-obscured]", "[data-openreplay-masked]", "[data-private]", "[data-sl=mask]",
    "[data-masked]", ".smartlook-ignore", ".lr-hide", ".nr-mask", ".nr-ignore", "[data-nr-mask]", ".sentry-ignore",
    "[data-sentry-ignore]", ".highlight-ignore", ".mp-sensitive", ".ph-sensitive", ".no-mouseflow", "[data-cs-mask]",
    "[data-heap-redact-text]",
)  # fmt: skip
"""What recorders' users already mark as to be masked. Their marks for unmasking are not followed: stricter only."""

__all__ = ["RECORDER_BLOCKS", "RECORDER_MASKS", "SelectorError", "SelectorSet", "check_selector"]


class SelectorSet:
    """Compiled lists of selectors; see `compile`."""

    def __init__(self, lists: Sequence[tuple[int, Sequence[str]]]) -> None:
        self._watched = _Watched()
        self._tags: dict[str, int] = {}
        self._bits: dict[object, int] = {}
        self._any_element = 0
        self._alone: list[tuple[int, int]] = []
        self._chains: list[tuple[int, _BitChain]] = []
        self.placed: list[tuple[int, PlacedChain]] = []
        """Selectors that siblings decide; `decide` leaves them out."""
        self.reaching = 0
        """Bits that decide about an element's descendants too: a change of others concerns the element alone."""
        for flag, texts in lists:
            for text in texts:
                for parsed in parse_selectors(text):
                    self._add(flag, parsed)

    @classmethod
    def compile(cls, block: Sequence[str], mask: Sequence[str], unmask: Sequence[str]) -> "SelectorSet":
        """Compile three lists of selectors (each entry may be a comma-separated list itself).

        Supported are tags, `*`, ids, classes, attribute operators with the flags i and s, places among siblings
        (`:nth-child()` and its kin), `:not()`, `:is()` and `:where()` of these, and all four combinators.

        Raises:
            SelectorError: Naming the selector and what is wrong with it, or that there are too many different parts.
        """
        return cls(((BLOCKED, block), (MASKED, mask), (UNMASKED, unmask)))

    def own_bits(self, tag: str, attributes: Mapping[str, AttributeValue]) -> int:
        """Return which tests are true for an element. `tag` is lower case, attribute names may have any case."""
        bits = self._tags.get(tag, self._any_element)
        if self._watched.ignored.issuperset(attributes):
            return bits
        for name in attributes:
            decided = self._watched[name]
            if decided is not None:
                bits |= decided[_text_of(attributes[name])]
        return bits

    def watched(self, name: str) -> Mapping[str, int] | None:
        """Return which tests are true for each value of an attribute; `None` if no test looks at it."""
        return self._watched[name]

    def changed_bits(self, bits: int, tag: str, name: str, value: object) -> int:  # noqa: ARG002
        """Return an element's bits after an attribute changed to `value` (`None`: removed)."""
        decided = self._watched[name]
        if decided is None:
            return bits
        bits &= ~decided.mask
        return bits if value is None else bits | decided[_text_of(value)]

    def decide(self, bits_from_element_outwards: Sequence[int]) -> int:
        """Return BLOCKED, MASKED and UNMASKED for an element itself, from its bits and those of its ancestors."""
        own = bits_from_element_outwards[0]
        flags = 0
        for flag, alone in self._alone:
            if own & alone:
                flags |= flag
        for flag, compiled in self._chains:
            if not flags & flag and compiled.matches(bits_from_element_outwards):
                flags |= flag
        return flags

    def decide_blindly(self, bits_from_element_outwards: Sequence[int]) -> int:
        """Decide as `decide` does where siblings are not known: what may be blocked or masked is."""
        flags = self.decide(bits_from_element_outwards)
        for flag, placed in self.placed:
            if flag != UNMASKED and placed.anywhere.matches(bits_from_element_outwards):
                flags |= flag
        return flags

    def _add(self, flag: int, parsed: Chain) -> None:
        if parsed.is_structural:
            self.placed.append((flag, PlacedChain(parsed, self._bits_of)))
            return
        first = parsed.compounds[0]
        if len(parsed.compounds) == 1 and first.is_single_test:
            # Tests that decide alone share a bit per list and attribute, so that long lists stay within 64 bits.
            self._alone.append((flag, self._bit_of(first.tests[0], (flag, first.tests[0].attribute))))
            return
        compiled = _BitChain(parsed, self._bits_of)
        self._chains.append((flag, compiled))
        for outer in compiled.compounds[1:]:
            self.reaching |= outer.bits
        if not compiled.compounds[0].required:
            # An element without any true test can match: it must not look like one that nothing is known about.
            self._claim_every_element()

    def _bits_of(self, test: Test) -> int:
        return self._bit_of(test, test)

    def _bit_of(self, test: Test, key: object) -> int:
        bit = self._bits.get(key)
        if bit is None:
            bit = self._bits[key] = self._next_bit()
        if test.attribute:
            self._watched.watch(test, bit)
        else:
            self._tags[test.value] = self._tags.get(test.value, self._any_element) | bit
        return bit

    def _next_bit(self) -> int:
        if len(self._bits) >= MAX_BITS:
            raise SelectorError(f"too many different parts in all selectors together: at most {MAX_BITS} are possible")
        return 1 << len(self._bits)

    def _claim_every_element(self) -> None:
        if not self._any_element:
            self._any_element = self._bits["every element"] = self._next_bit()
            self._tags = {tag: bits | self._any_element for tag, bits in self._tags.items()}


def check_selector(text: str) -> str | None:
    """Return what is wrong with a selector, `None` if it can be used."""
    try:
        SelectorSet.compile([text], [], [])
    except SelectorError as error:
        return str(error)
    return None


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (bool, dict)) else str(value)


class _Decided(dict[str, int]):
    """The tests on one attribute: its value to the bits that are true then. `mask` are all its bits."""

    def __init__(self) -> None:
        super().__init__()
        self._tests: list[tuple[Test, int]] = []
        self.mask = 0

    def add(self, test: Test, bit: int) -> None:
        self._tests.append((test, bit))
        self.mask |= bit

    def __missing__(self, value: str) -> int:
        bits = 0
        for test, bit in self._tests:
            if test.holds(value):
                bits |= bit
        if len(self) >= MAX_CACHED_VALUES:
            self.clear()
        self[value] = bits
        return bits


class _Watched(dict[str, _Decided | None]):
    """Attribute name, in any case, to the tests on it; `None` for names no selector mentions."""

    def __init__(self) -> None:
        super().__init__()
        self.ignored: set[str] = set()

    def watch(self, test: Test, bit: int) -> None:
        decided = self.get(test.attribute)
        if decided is None:
            decided = self[test.attribute] = _Decided()
        decided.add(test, bit)

    def __missing__(self, name: str) -> _Decided | None:
        decided = self.get(name.lower()) if name.isascii() else None
        if len(self) < MAX_NAMES:
            self[name] = decided
            if decided is None:
                self.ignored.add(name)
        return decided


class Places(Protocol):
    """What is known of the elements of a page by their ids."""

    def bits_of(self, node_id: int) -> int:
        """Return which tests are true for an element."""

    def parent_of(self, node_id: int) -> int:
        """Return the parent's id in the flat tree, 0 for none."""

    def before(self, node_id: int) -> Sequence[int]:
        """Return the element siblings before an element, nearest first."""

    def place(self, node_id: int, *, of_type: bool, from_end: bool) -> int:
        """Return an element's place among its siblings, from 1."""


class PlacedChain:
    """A complex selector with siblings in it; `anywhere` matches without them whatever it may match.

    `reaches` tells whether siblings decide about what is below them, `looks_back` whether later ones decide about
    earlier ones.
    """

    __slots__ = ("_combinators", "_compounds", "anywhere", "looks_back", "reaches")

    def __init__(self, parsed: Chain, bit_of: BitOf) -> None:
        self._compounds = [_PlacedCompound(compound, bit_of) for compound in parsed.compounds]
        self._combinators = parsed.combinators
        self.anywhere = _BitChain(parsed.anywhere(), bit_of)
        self.looks_back = any(compound.looks_back for compound in self._compounds)
        self.reaches = not SIDEWAYS.issuperset(parsed.combinators)

    def matches(self, node_id: int, places: Places) -> bool:
        """Tell whether an element matches. Elements and compounds are looked at in pairs, each pair once."""
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
                return True
            waiting += [(other, number + 1) for other in _related(self._combinators[number], current, places)]
        return False


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


class _PlacedCompound:
    __slots__ = ("_any_of", "_none_of", "_positions", "_required")

    def __init__(self, compound: Compound, bit_of: BitOf) -> None:
        self._required = 0
        for test in compound.tests:
            self._required |= bit_of(test)
        self._positions = compound.positions
        self._any_of = tuple(tuple(_PlacedCompound(part, bit_of) for part in parts) for parts in compound.any_of)
        self._none_of = tuple(_PlacedCompound(part, bit_of) for part in compound.none_of)

    @property
    def looks_back(self) -> bool:
        parts = (*self._none_of, *chain.from_iterable(self._any_of))
        return any(position.from_end for position in self._positions) or any(part.looks_back for part in parts)

    def matches(self, node_id: int, places: Places) -> bool:
        return (
            places.bits_of(node_id) & self._required == self._required
            and all(
                position.holds(places.place(node_id, of_type=position.of_type, from_end=position.from_end))
                for position in self._positions
            )
            and all(any(part.matches(node_id, places) for part in parts) for parts in self._any_of)
            and not any(part.matches(node_id, places) for part in self._none_of)
        )


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


class _BitChain:
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
