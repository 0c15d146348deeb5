"""Selectors taken apart into tests: parsing is cssselect2's; this module turns its trees into ours, and refuses."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import tinycss2
from cssselect2 import parser
from tinycss2 import ast

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


class Compound(msgspec.Struct, frozen=True):
    """Tests of one element: all `tests`, one of each `any_of`, none of `none_of` hold."""

    tests: tuple[Test, ...] = ()
    any_of: "tuple[tuple[Compound, ...], ...]" = ()
    none_of: "tuple[Compound, ...]" = ()

    @property
    def is_single_test(self) -> bool:
        """Whether one test is all there is."""
        return len(self.tests) == 1 and not self.any_of and not self.none_of


class Chain(msgspec.Struct, frozen=True):
    """A complex selector from the element outwards; `children[n]`: compound n is a child of n+1, else a descendant."""

    compounds: tuple[Compound, ...]
    children: tuple[bool, ...]


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
    children: list[bool] = []
    tree = selector.parsed_tree
    while isinstance(tree, parser.CombinedSelector):
        if tree.combinator not in {" ", ">"}:
            raise _RefusedError(f"the sibling combinator {tree.combinator!r} is not supported")
        compounds.append(_compound(tree.right))
        children.append(tree.combinator == ">")
        tree = tree.left
    compounds.append(_compound(tree))
    if len(compounds) > MAX_COMPOUNDS:
        raise _RefusedError(f"more than {MAX_COMPOUNDS} combinators")
    return Chain(tuple(compounds), tuple(children))


def _compound(tree: Any) -> Compound:  # noqa: ANN401  # as above
    tests: list[Test] = []
    any_of: list[tuple[Compound, ...]] = []
    none_of: list[Compound] = []
    for simple in tree.simple_selectors:
        if isinstance(simple, parser.NegationSelector):
            none_of += _alternatives(simple)
        elif isinstance(simple, (parser.MatchesAnySelector, parser.SpecificityAdjustmentSelector)):
            any_of.append(tuple(_alternatives(simple)))
        else:
            tests.append(_test(simple))
    return Compound(tuple(tests), tuple(any_of), tuple(none_of))


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
        case parser.PseudoClassSelector() | parser.FunctionalPseudoClassSelector():
            raise _RefusedError(f"the pseudo-class :{simple.name} is not supported")
        case _:
            raise _RefusedError(f"{simple!r} is not supported")


def _attribute_test(simple: Any) -> Test:  # noqa: ANN401  # as above
    if simple.namespace not in {"", None}:
        raise _RefusedError("namespaces are not supported")
    name = simple.lower_name
    any_case = simple.case_sensitive is False or (simple.case_sensitive is None and name in _CASE_INSENSITIVE)
    return Test(name, simple.operator or "exists", simple.value or "", any_case)
