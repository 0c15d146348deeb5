"""Kinds of values that vendors' options have, and what several presets judge elements by."""

import re
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from detectors.elements import Element
from detectors.interactions import Interaction, RequestEnd
from detectors.machines.gestures import Pointer, path_of

MAX_MS = 600_000

On: TypeAlias = Annotated[bool, Meta(description="Whether this is looked for.")]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_MS)]
MillisecondsOrZero: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_MS)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000)]
Pixels: TypeAlias = Annotated[int, Meta(ge=0, le=100_000)]
Selector: TypeAlias = Annotated[str, Meta(min_length=1, extra={"expected": "a CSS selector", "selector": True})]
Selectors: TypeAlias = Annotated[tuple[Selector, ...], Meta(description="CSS selectors.")]
Patterns: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(min_length=1)], ...],
    Meta(description="URLs (as they are after masking), where `*` stands for any text."),
]

UNCAUGHT: Final = frozenset({"error", "unhandled_rejection"})
ALL_ERRORS: Final = UNCAUGHT | {"console_error"}

MAX_URL: Final = 2_000


def target_itself(_click: Pointer, element: Element) -> Element | None:
    """Take whatever was clicked."""
    return element


def node_of(_click: Pointer, element: Element) -> int | str:
    """Tell targets apart by their node."""
    return element.node_id


def is_text_field(element: Element, types: frozenset[str]) -> bool:
    """Tell whether the element is a text area or an input of one of these types; without one it is a text input."""
    if element.tag == "input":
        return (element.attributes.get("type") or "text").lower() in types
    return element.tag == "textarea"


def is_other_input(element: Element, types: frozenset[str]) -> bool:
    """Tell whether the element is an input, of none of these types."""
    return element.tag == "input" and element.attributes.get("type", "").lower() not in types


def is_editable(element: Element) -> bool:
    """Tell whether the element itself holds text that can be edited."""
    return element.attributes.get("contenteditable") in {"", "true"}


def inside(element: Element, judge: Callable[[Element], bool]) -> bool:
    """Tell whether the element or one above it is such."""
    return any(judge(node) for node in path_of(element))


def tells_its_start(interaction: object) -> bool:
    """Tell whether this is a request's end that says when it began: some recordings tell requests no earlier."""
    return isinstance(interaction, RequestEnd) and interaction.start_t < interaction.t


def start_of(interaction: Interaction) -> int:
    """Give when a request that ends began (epoch ms)."""
    return interaction.start_t if isinstance(interaction, RequestEnd) else interaction.t


def url_matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Make a test of URLs: whether one of the patterns is the whole URL."""
    parts = ([re.escape(part) for part in pattern.split("*")] for pattern in patterns)
    expressions = [re.compile(".*".join(literal), re.DOTALL) for literal in parts]
    return lambda url: any(expression.fullmatch(url[:MAX_URL]) for expression in expressions)
