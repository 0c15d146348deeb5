"""CSS selectors that name what is blocked, masked and unmasked.

State must hold decisions, never originals. So a selector is taken apart into simple tests (`.card`, `[data-x^=a]`,
`form`); every element carries one integer that says which tests are true for it, and that is all a later decision
about it or its descendants needs. A test on an attribute is made again when the attribute changes, and only then.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.masking.flags import BLOCKED, MASKED, UNMASKED
from engine.masking.selector_bits import BitChain
from engine.masking.selector_parts import Chain, SelectorError, Test, parse_selectors
from engine.masking.selector_places import PlacedChain
from schemas.rrweb_nodes import AttributeValue

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
        self._chains: list[tuple[int, BitChain]] = []
        self.placed: list[tuple[int, PlacedChain]] = []
        """Selectors that siblings, or other elements, decide; `decide` leaves them out."""
        self.reaching = 0
        """Bits that decide about an element's descendants too: a change of others concerns the element alone."""
        for flag, texts in lists:
            for text in texts:
                for parsed in parse_selectors(text):
                    self._add(flag, parsed)
        self.looks_everywhere = any(placed.looks_everywhere for _, placed in self.placed)

    @classmethod
    def compile(cls, block: Sequence[str], mask: Sequence[str], unmask: Sequence[str]) -> "SelectorSet":
        """Compile three lists of selectors (each entry may be a comma-separated list itself).

        Supported are tags, `*`, ids, classes, attribute operators with the flags i and s, places among siblings
        (`:nth-child()` and its kin), `:root`, `:empty`, `:any-link`, `:not()`, `:is()`, `:where()` and `:has()` of
        these, and all four combinators.

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
        compiled = BitChain(parsed, self._bits_of)
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
