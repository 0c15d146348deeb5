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
    """A place among siblings: the `step` n + `offset`-th, from either end.

    Counted are all, or those with the same tag (`of_type`), or those that one of the selectors `of` matches.
    """

    step: int
    offset: int
    of_type: bool = False
    from_end: bool = False
    of: "tuple[Chain, ...]" = ()

    def holds(self, place: int) -> bool:
        """Tell whether a place, counted from 1, is one of them."""
        distance = place - self.offset
        return distance == 0 if self.step == 0 else distance % self.step == 0 and distance // self.step >= 0


class Compound(msgspec.Struct, frozen=True):
    """Tests of one element: all `tests` and `positions`, one of each `any_of`, none of `none_of` hold.

    `within` and `without` are alternatives of the same kinds with combinators in them. One of each `having` leads from
    the element to another. `is_empty` asks for an element without text and elements in it, `is_root` for a document's.
    """

    tests: tuple[Test, ...] = ()
    positions: tuple[Position, ...] = ()
    any_of: "tuple[tuple[Compound, ...], ...]" = ()
    none_of: "tuple[Compound, ...]" = ()
    within: "tuple[tuple[Chain, ...], ...]" = ()
    without: "tuple[Chain, ...]" = ()
    having: "tuple[tuple[Relation, ...], ...]" = ()
    is_empty: bool = False
    is_root: bool = False

    @property
    def is_single_test(self) -> bool:
        """Whether one test is all there is."""
        return len(self.tests) == 1 and self == Compound(self.tests)

    @property
    def _parts(self) -> "tuple[Compound, ...]":
        return (*self.none_of, *(part for parts in self.any_of for part in parts))

    @property
    def is_placed(self) -> bool:
        """Whether a place in the page counts."""
        here = self.positions or self.is_root or self.looks_everywhere
        return bool(here) or any(part.is_placed for part in self._parts)

    @property
    def looks_everywhere(self) -> bool:
        """Whether elements count that stand anywhere else in the page."""
        here = self.within or self.without or self.having or self.is_empty or any(each.of for each in self.positions)
        return bool(here) or any(part.looks_everywhere for part in self._parts)

    def anywhere(self) -> "Compound":
        """Return it without what places decide: it matches whatever this one may match."""
        any_of = tuple(tuple(part.anywhere() for part in parts) for parts in self.any_of)
        nested = tuple(tuple(chain.compounds[0].anywhere() for chain in chains) for chains in self.within)
        none_of = tuple(part for part in self.none_of if not part.is_placed)
        return Compound(self.tests, (), (*any_of, *nested), none_of)


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

    @property
    def looks_everywhere(self) -> bool:
        """Whether a change anywhere in the page can decide it."""
        return any(compound.looks_everywhere for compound in self.compounds)

    def anywhere(self) -> "Chain":
        """Return it without siblings: it matches whatever this one may match."""
        compounds, combinators = [self.compounds[0].anywhere()], []
        for combinator, compound in zip(self.combinators, self.compounds[1:], strict=True):
            if combinator in SIDEWAYS:
                continue
            compounds.append(compound.anywhere())
            combinators.append(combinator)
        return Chain(tuple(compounds), tuple(combinators))


class Relation(msgspec.Struct, frozen=True):
    """What `:has()` asks for: `combinator` leads from the element to the outermost compound of `chain`."""

    combinator: str
    chain: Chain


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

_LINKS: Final = tuple(Compound((Test("", "tag", tag), Test("href", "exists", ""))) for tag in ("a", "area"))

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
    except AttributeError:
        # So cssselect2 fails where it looks for the name after a namespace, and the text ends.
        raise SelectorError(f"selector {text!r}: no name after |") from None


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
        if isinstance(token, ast.FunctionBlock) and token.lower_name in {"is", "where", "not", "has"}:
            _refuse_hidden_errors(token.arguments, depth + 1)
            list(parser.parse(token.arguments, relative=token.lower_name == "has"))


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
    parts = Compound()
    for simple in tree.simple_selectors:
        parts = _with(parts, simple)
    return parts


def _with(parts: Compound, simple: Any) -> Compound:  # noqa: ANN401  # as above
    """Add a simple selector to a compound."""
    more: dict[str, Any]
    match simple:
        case parser.NegationSelector():
            single, nested = _alternatives(simple)
            more = {"none_of": (*parts.none_of, *single), "without": (*parts.without, *nested)}
        case parser.MatchesAnySelector() | parser.SpecificityAdjustmentSelector():
            single, nested = _alternatives(simple)
            chains = (*(Chain((each,), ()) for each in single), *nested)
            more = {"within": (*parts.within, chains)} if nested else {"any_of": (*parts.any_of, tuple(single))}
        case parser.RelationalSelector():
            more = {"having": (*parts.having, _relations(simple))}
        case parser.PseudoClassSelector(name="empty"):
            more = {"is_empty": True}
        case parser.PseudoClassSelector(name="root" | "scope"):
            more = {"is_root": True}
        case parser.PseudoClassSelector(name="link" | "any-link"):
            more = {"any_of": (*parts.any_of, _LINKS)}
        case parser.PseudoClassSelector() | parser.FunctionalPseudoClassSelector():
            more = {"positions": (*parts.positions, *_positions(simple))}
        case _:
            more = {"tests": (*parts.tests, _test(simple))}
    return msgspec.structs.replace(parts, **more)


def _positions(simple: Any) -> tuple[Position, ...]:  # noqa: ANN401  # as above
    if isinstance(simple, parser.PseudoClassSelector) and simple.name in _PLACES:
        return _PLACES[simple.name]
    if isinstance(simple, parser.FunctionalPseudoClassSelector) and simple.name in _COUNTED_PLACES:
        numbers, of = _split_of(simple.arguments)
        counted = parse_nth(numbers)
        of_type, from_end = _COUNTED_PLACES[simple.name]
        if counted is None or (of_type and of):
            raise _RefusedError(f":{simple.name}() takes numbers such as 2n+1 and nothing else")
        return (Position(*counted, of_type=of_type, from_end=from_end, of=tuple(map(_chain, of))),)
    raise _RefusedError(f"the pseudo-class :{simple.name} is not supported")


def _split_of(arguments: Sequence[ast.Node]) -> tuple[Sequence[ast.Node], list[Any]]:
    """Split `2n+1 of .a, .b` into the numbers and the parsed selectors."""
    for place, token in enumerate(arguments):
        if isinstance(token, ast.IdentToken) and token.lower_value == "of":
            return arguments[:place], list(parser.parse(arguments[place + 1 :]))
    return arguments, []


def _alternatives(simple: Any) -> tuple[list[Compound], list[Chain]]:  # noqa: ANN401  # as above
    """Return the alternatives of `:not()`, `:is()` or `:where()`: those of one compound, and the others."""
    if not simple.selector_list:
        raise _RefusedError(f"{simple!r} holds nothing that can match")
    chains = [_chain(selector) for selector in simple.selector_list]
    single = [chain.compounds[0] for chain in chains if len(chain.compounds) == 1]
    return single, [chain for chain in chains if len(chain.compounds) > 1]


def _relations(simple: Any) -> tuple[Relation, ...]:  # noqa: ANN401  # as above
    if not simple.selector_list:
        raise _RefusedError(f"{simple!r} holds nothing that can match")
    relations = tuple(Relation(each.combinator, _chain(each.selector)) for each in simple.selector_list)
    if any(compound.having for relation in relations for compound in relation.chain.compounds):
        raise _RefusedError(":has() within :has() is no CSS")
    return relations


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
