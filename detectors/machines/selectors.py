"""CSS selectors in vendors' options, matched against elements: parsing and compiling is cssselect2's."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import cssselect2
from cssselect2 import parser

from detectors.elements import Element
from detectors.machines.gestures import path_of

MAX_COMPILED: Final = 500


class SelectorError(ValueError):
    """A selector cannot be used; the message names it."""


class Selectors:
    """A list of selectors; each text may be a comma-separated list itself.

    What needs to know siblings or children (`:first-child`, `+`, `:has()`) cannot be decided and is refused.
    Raises SelectorError for what is no selector, or one of those.
    """

    __slots__ = ("_tests",)

    def __init__(self, texts: Sequence[str]) -> None:
        self._tests = [test for text in texts for test in _compiled(text)]

    def matches(self, element: Element) -> bool:
        """Tell whether one of them selects the element itself."""
        view = _View(element)
        return any(test(view) for test in self._tests)

    def closest(self, element: Element) -> Element | None:
        """Find the nearest element one of them selects, at or above `element`."""
        return next((node for node in path_of(element) if self.matches(node)), None)


class _View:
    """An element in the shape that compiled selectors ask for; it has no siblings and no children."""

    __slots__ = ("_element", "attrib", "classes", "id", "local_name")

    in_html_document = True
    namespace_url = "http://www.w3.org/1999/xhtml"

    def __init__(self, element: Element) -> None:
        attributes = element.attributes
        self._element = element
        self.attrib = attributes
        self.local_name = element.tag
        self.id = attributes.get("id")
        self.classes = frozenset(attributes.get("class", "").split())

    @property
    def etree_element(self) -> "_View":
        return self

    def get(self, name: str, default: str | None = None) -> str | None:
        return self.attrib.get(name, default)

    @property
    def parent(self) -> "_View | None":
        above = self._element.parent
        return None if above is None or above.tag.startswith("#") else _View(above)

    @property
    def ancestors(self) -> Iterator["_View"]:
        nodes = path_of(self._element)
        next(nodes, None)
        return (_View(node) for node in nodes)


_LISTS: Final = (parser.NegationSelector, parser.MatchesAnySelector, parser.SpecificityAdjustmentSelector)
_SIMPLE: Final = (parser.LocalNameSelector, parser.IDSelector, parser.ClassSelector, parser.AttributeSelector)


@lru_cache(maxsize=MAX_COMPILED)
def _compiled(text: str) -> tuple[Callable[[_View], bool], ...]:
    try:
        parsed = list(parser.parse(text))
        decidable = all(selector.pseudo_element is None and _decidable(selector.parsed_tree) for selector in parsed)
        if decidable:
            return tuple(selector.test for selector in cssselect2.compile_selector_list(text))
    except (cssselect2.SelectorError, RecursionError, AttributeError) as error:
        # With an AttributeError cssselect2 fails where a text ends that was to go on with a name after "|".
        raise SelectorError(f"selector {text[:80]!r} cannot be used") from error
    raise SelectorError(f"selector {text[:80]!r} cannot be used: it needs more than an element and those above it")


def _decidable(node: object) -> bool:
    """Tell whether an element and those above it are all that a part of a selector asks for."""
    if isinstance(node, parser.CombinedSelector):
        return node.combinator in {" ", ">"} and _decidable(node.left) and _decidable(node.right)
    if isinstance(node, parser.CompoundSelector):
        return all(map(_decidable, node.simple_selectors))
    if isinstance(node, _LISTS):
        return all(_decidable(inner.parsed_tree) for inner in node.selector_list)
    return isinstance(node, _SIMPLE) and getattr(node, "namespace", "") in ("", None)
