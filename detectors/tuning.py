"""Rules for single elements of a site: signals that mean nothing there, and thresholds that are others there.

Presets judge elements by what they are; a site knows more of its own. What a rule says holds for the elements its
selector matches and for all they contain. The first rule that says something of a matter decides.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from detectors.bounds import MAX_WINDOW_MS
from detectors.elements import Element
from detectors.machines.selectors import Selectors
from detectors.presets.options import Selector

AimedSignal: TypeAlias = Literal[
    "all",
    "rage_click",
    "dead_click",
    "error_click",
    "network_error",
    "slow_response",
    "form_abandonment",
    "form_error_loop",
    "slow_click",
    "multi_click",
    "dead_swipe",
]
"""Signals about an element, by whatever preset; `all` are these and those of plugins."""


class ElementRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is special about some elements."""

    selector: Annotated[Selector, Meta(description="The elements, and all they contain.")]
    off: Annotated[
        tuple[AimedSignal, ...], Meta(description="Signals that are not told of them, by no preset; `all`: none is.")
    ] = ()
    rage_click_count: Annotated[
        int,
        Meta(ge=0, le=100, description="Clicks that make rage there, in place of `rage_click.count`; 0: as elsewhere."),
    ] = 0
    dead_click_wait_ms: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_WINDOW_MS,
            description="Time to answer a click there, in place of `dead_click.wait_ms`; 0: as elsewhere.",
        ),
    ] = 0


class Tuning:
    """The rules of a project, ready to be asked.

    Raises SelectorError for selectors that cannot be used.
    """

    __slots__ = ("_rules", "longest_wait_ms")

    def __init__(self, rules: Sequence[ElementRule] = ()) -> None:
        self._rules = [(Selectors((rule.selector,)), rule) for rule in rules]
        self.longest_wait_ms = max((rule.dead_click_wait_ms for rule in rules), default=0)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def switched_off(self, element: Element) -> Iterator[tuple[Element, Sequence[str]]]:
        """Give, for each rule that switches signals off for `element`, the element it matched and these signals."""
        for selectors, rule in self._rules:
            matched = selectors.closest(element) if rule.off else None
            if matched is not None:
                yield matched, rule.off

    def rage_click_count(self, element: Element, default: int) -> int:
        """Return how many clicks on `element` make rage."""
        counts = (rule.rage_click_count for selectors, rule in self._rules if selectors.closest(element) is not None)
        return next((count for count in counts if count), default)

    def dead_click_wait_ms(self, element: Element, default_ms: int) -> int:
        """Return how long the page has to answer a click on `element`."""
        waits = (rule.dead_click_wait_ms for selectors, rule in self._rules if selectors.closest(element) is not None)
        return next((wait_ms for wait_ms in waits if wait_ms), default_ms)
