"""Selectors taken apart into tests: parsing is cssselect2's; this module turns its trees into ours, and refuses."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import tinycss2
from cssselect2 import parser
from tinycss2 import ast
from tinycss2.nth import parse_nth

MAX_COMPOUNDS: Final = 16
MAX_SELECTOR_CHARACTERS: Final = 2_000
_MAX_DEPTH: Final = 4

_CASE_INSENSITIVE: Final = frozenset(
    "accept accept-charset align alink axis bgcolor charset checked clear codetype color compact declare defer dir "
    "direction disabled enctype face frame hreflang http-equiv lang language link media method multiple nohref "
    "noresize "
    "noshade nowrap readonly rel rev rules scope scrolling selected shape target text type valign valuetype "
    "vlink".split()
)
"""Attributes of HTML whose values selectors compare without case (HTML standard, "Case-sensitivity of selectors")."""


class SelectorError(ValueError):
    """A selector cannot be used; the message names it and says why."""


class Test(msgspec.Struct, frozen=True):
    """One simple test: the tag is `value` (`attribute` empty), or the attribute's value compares with `value`.

    `operator` is as in CSS, `exists` for a mere presence; `any_case` compares without case.
    """

    attribute: str
    operator: str
    value: str
    any_case: bool = False

    def holds(self, actual: str) -> bool:
        """Tell whether an attribute's value passes."""
        value = self.value
        if self.any_case:
            actual, value = actual.lower(), value.lower()
        return _OPERATORS[self.operator](actual, value)


class Position(msgspec.Struct, frozen=True):
    """A place among siblings: the `step` n + `offset`-th, of all or of those with the same tag, from either end."""

    step: int
    offset: int
    of_type: bool = False
    from_end: bool = False

    def holds(self, place: int) -> bool:
        """Tell whether a place, counted from 1, is one of them."""
        distance = place - self.offset
        return distance == 0 if self.step == 0 else distance % self.step == 0 and distance // self.step >= 0


class Compound(msgspec.Struct, frozen=True):
    """Tests of one element: all `tests` and `positions`, one of each `any_of`, none of `none_of` hold."""

    tests: tuple[Test, ...] = ()
    positions: tuple[Position, ...] = ()
    any_of: "tuple[tuple[Compound, ...], ...]" = ()
    none_of: "tuple[Compound, ...]" = ()

    @property
    def is_single_test(self) -> bool:
        """Whether one test is all there is."""
        return len(self.tests) == 1 and not self.positions and not self.any_of and not self.none_of

    @property
    def is_placed(self) -> bool:
        """Whether a place among siblings counts."""
        parts = (*self.none_of, *(part for parts in self.any_of for part in parts))
        return bool(self.positions) or any(part.is_placed for part in parts)

    def anywhere(self) -> "Compound":
        """Return it without what places decide: it matches whatever this one may match."""
        any_of = tuple(tuple(part.anywhere() for part in parts) for parts in self.any_of)
        none_of = tuple(part for part in self.none_of if not part.is_placed)
        return Compound(self.tests, (), any_of, none_of)


class Chain(msgspec.Struct, frozen=True):
    """A complex selector from the element outwards; `combinators[n]` (as in CSS) joins compound n with n+1."""

    compounds: tuple[Compound, ...]
    combinators: tuple[str, ...]

    @property
    def children(self) -> tuple[bool, ...]:
        """By combinator, whether it asks for a parent; else any ancestor does."""
        return tuple(combinator == ">" for combinator in self.combinators)

    @property
    def is_structural(self) -> bool:
        """Whether siblings have to be known to decide it."""
        sideways = not {"+", "~"}.isdisjoint(self.combinators)
        return sideways or any(compound.is_placed for compound in self.compounds)

    def anywhere(self) -> "Chain":
        """Return it without siblings: it matches whatever this one may match."""
        compounds, combinators = [self.compounds[0].anywhere()], []
        for combinator, compound in zip(self.combinators, self.compounds[1:], strict=True):
            if combinator in SIDEWAYS:
                continue
            compounds.append(compound.anywhere())
            combinators.append(combinator)
        return Chain(tuple(compounds), tuple(combinators))


SIDEWAYS: Final = frozenset({"+", "~"})
_PLACES: Final[dict[str, tuple[Position, ...]]] = {
    "first-child": (Position(0, 1),),
    "last-child": (Position(0, 1, from_end=True),),
    "only-child": (Position(0, 1), Position(0, 1, from_end=True)),
    "first-of-type": (Position(0, 1, of_type=True),),
    "last-of-type": (Position(0, 1, of_type=True, from_end=True),),
    "only-of-type": (Position(0, 1, of_type=True), Position(0, 1, of_type=True, from_end=True)),
}
_COUNTED_PLACES: Final = {
    "nth-child": (False, False),
    "nth-last-child": (False, True),
    "nth-of-type": (True, False),
    "nth-last-of-type": (True, True),
}

_OPERATORS: Final[dict[str, Callable[[str, str], bool]]] = {
    "exists": lambda _actual, _value: True,
    "=": lambda actual, value: actual == value,
    "~=": lambda actual, value: value in actual.split(),
    "|=": lambda actual, value: actual == value or actual.startswith(f"{value}-"),
    "^=": lambda actual, value: bool(value) and actual.startswith(value),
    "$=": lambda actual, value: bool(value) and actual.endswith(value),
    "*=": lambda actual, value: bool(value) and value in actual,
}


def parse_selectors(text: str) -> list[Chain]:
    """Parse a selector list.

    Raises:
        SelectorError: If it is no valid selector or uses what cannot be decided from decisions alone.
    """
    if len(text) > MAX_SELECTOR_CHARACTERS:
        raise SelectorError(f"selector {text[:80]!r}...: longer than {MAX_SELECTOR_CHARACTERS} characters")
    try:
        return [_chain(selector) for selector in _parse(text)]
    except (parser.SelectorError, _RefusedError, RecursionError) as error:
        reason = error.args[-1] if error.args else "nested too deeply"
        raise SelectorError(f"selector {text!r}: {reason}") from None


class _RefusedError(Exception):
    """Valid CSS that this engine does not decide."""


def _parse(text: str) -> list[Any]:
    tokens = tinycss2.parse_component_value_list(text)
    _refuse_hidden_errors(tokens, 0)
    return list(parser.parse(tokens))


def _refuse_hidden_errors(tokens: Sequence[ast.Node], depth: int) -> None:
    """Parse the arguments of `:is()` and `:where()` strictly: CSS would leave out invalid ones without a word."""
    if depth > _MAX_DEPTH:
        raise _RefusedError("nested too deeply")
    for token in tokens:
        if isinstance(token, ast.FunctionBlock) and token.lower_name in {"is", "where", "not"}:
            _refuse_hidden_errors(token.arguments, depth + 1)
            list(parser.parse(token.arguments))


def _chain(selector: Any) -> Chain:  # noqa: ANN401  # cssselect2 publishes no types
    if selector.pseudo_element is not None:
        raise _RefusedError(f"pseudo-element ::{selector.pseudo_element} names no element")
    compounds: list[Compound] = []
    combinators: list[str] = []
    tree = selector.parsed_tree
    while isinstance(tree, parser.CombinedSelector):
        compounds.append(_compound(tree.right))
        combinators.append(tree.combinator)
        tree = tree.left
    compounds.append(_compound(tree))
    if len(compounds) > MAX_COMPOUNDS:
        raise _RefusedError(f"more than {MAX_COMPOUNDS} combinators")
    return Chain(tuple(compounds), tuple(combinators))


def _compound(tree: Any) -> Compound:  # noqa: ANN401  # as above
    tests: list[Test] = []
    positions: list[Position] = []
    any_of: list[tuple[Compound, ...]] = []
    none_of: list[Compound] = []
    for simple in tree.simple_selectors:
        if isinstance(simple, parser.NegationSelector):
            none_of += _alternatives(simple)
        elif isinstance(simple, (parser.MatchesAnySelector, parser.SpecificityAdjustmentSelector)):
            any_of.append(tuple(_alternatives(simple)))
        elif isinstance(simple, (parser.PseudoClassSelector, parser.FunctionalPseudoClassSelector)):
            positions += _positions(simple)
        else:
            tests.append(_test(simple))
    return Compound(tuple(tests), tuple(positions), tuple(any_of), tuple(none_of))


def _positions(simple: Any) -> tuple[Position, ...]:  # noqa: ANN401  # as above
    if isinstance(simple, parser.PseudoClassSelector) and simple.name in _PLACES:
        return _PLACES[simple.name]
    if isinstance(simple, parser.FunctionalPseudoClassSelector) and simple.name in _COUNTED_PLACES:
        counted = parse_nth(simple.arguments)
        if counted is None:
            raise _RefusedError(f":{simple.name}() takes numbers such as 2n+1 and nothing else")
        of_type, from_end = _COUNTED_PLACES[simple.name]
        return (Position(*counted, of_type=of_type, from_end=from_end),)
    raise _RefusedError(f"the pseudo-class :{simple.name} is not supported")


def _alternatives(simple: Any) -> list[Compound]:  # noqa: ANN401  # as above
    if not simple.selector_list:
        raise _RefusedError(f"{simple!r} holds nothing that can match")
    chains = [_chain(selector) for selector in simple.selector_list]
    if any(len(chain.compounds) > 1 for chain in chains):
        raise _RefusedError("combinators within :not(), :is() and :where() are not supported")
    return [chain.compounds[0] for chain in chains]


def _test(simple: Any) -> Test:  # noqa: ANN401  # as above
    match simple:
        case parser.LocalNameSelector():
            return Test("", "tag", simple.lower_local_name)
        case parser.IDSelector():
            return Test("id", "=", simple.ident)
        case parser.ClassSelector():
            return Test("class", "~=", simple.class_name)
        case parser.AttributeSelector():
            return _attribute_test(simple)
        case _:
            raise _RefusedError(f"{simple!r} is not supported")


def _attribute_test(simple: Any) -> Test:  # noqa: ANN401  # as above
    if simple.namespace not in {"", None}:
        raise _RefusedError("namespaces are not supported")
    name = simple.lower_name
    any_case = simple.case_sensitive is False or (simple.case_sensitive is None and name in _CASE_INSENSITIVE)
    return Test(name, simple.operator or "exists", simple.value or "", any_case)
