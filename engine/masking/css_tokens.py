"""Rule c by tokens: a style sheet is tokenised, each token judged, and the rest written out again.

Decisions do not depend on where in a sheet a token stands, but for the property or function around a string. Nothing
is passed for being misunderstood: broken strings and URLs, comments and unmatched brackets are left out.
"""

import re
from collections.abc import Sequence
from typing import Final

import tinycss2
from tinycss2 import ast

from engine.masking.css_vocabulary import (
    AT_RULES,
    ENUMERATED_ATTRIBUTES,
    ENUMERATED_VALUES,
    FONT_FEATURES,
    FONT_FORMATS,
    PLAIN_FONTS,
    PLAIN_FUNCTIONS,
    PLAIN_WORDS,
)
from engine.masking.data_urls import is_raster_or_font
from engine.masking.decisions import Decision, Deferred
from engine.masking.identifiers import passes_attribute_name, passes_name
from engine.masking.urls import mask_reference, url_scheme

MAX_DEPTH: Final = 60
MAX_SHEET_CHARACTERS: Final = 16_000_000

GIVEAWAY: Final = re.compile(r"[\w.+-](?:@|%40)|(?:\d{1,20}%2[0dD]){3}|(?<![\w.])\d(?:[ -]?\d){12,}")
"""An address or a card number, made of tokens that are harmless one by one; CSS has no use for either."""

_SPLIT_MARK: Final = " rr_split "
HEX_COLOUR: Final = re.compile(r"(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_PREFIX: Final = re.compile(r"-{1,2}(?=[A-Za-z_])")
_VENDOR: Final = re.compile(r"^-[a-z]{1,6}-")
_CHARSET: Final = re.compile(
    r"utf-?8|utf-?16|us-ascii|iso-8859-\d{1,2}|windows-125\d|shift_jis|euc-(?:jp|kr)|gb\w{3,5}"
)
_NAMESPACES: Final = frozenset(
    ("http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML")
)
_DIGIT_RUN: Final = re.compile(r"\d{7}")
_TOO_MANY_DIGITS: Final = 10
UNIT_TIMES: Final = re.compile(r"x\d{1,4}")
_PLACEHOLDER: Final = re.compile("\ue000(\\d+)\ue001")
_URL_FUNCTIONS: Final = frozenset({"url", "src"})
_AREAS: Final = frozenset({"grid-template-areas", "grid-template", "grid"})
_FONT_PROPERTIES: Final = frozenset({"font-family", "font"})
_FEATURES: Final = frozenset({"font-feature-settings", "font-variation-settings"})

FAILURES: Final = (ValueError, RecursionError, AssertionError, IndexError, OverflowError)
"""What the tokenizer may raise on hostile input: numbers of thousands of digits, impossible code points, depth."""


class CssScrubber:
    """Scrubs pieces of one sheet and keeps the names found in it that each session is to replace."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}

    def scrub(self, text: str, context: str = "") -> str:
        """Scrub component values; `context` is the property (or `@rule`) they belong to.

        Names to be replaced are written as placeholders: hand the joined result to `finish`.
        """
        try:
            kept = tinycss2.serialize(self._clean(tinycss2.parse_component_value_list(text), context, 0))
        except FAILURES:
            return ""
        return "" if GIVEAWAY.search(kept) else kept

    def finish(self, text: str) -> Decision:
        """Turn a text with placeholders into a decision."""
        # An escape can name a lone surrogate, which no UTF-8 output can hold.
        text = text.encode("utf-8", "replace").decode("utf-8")
        if not self._names:
            return text
        names = list(self._names)
        parts = _PLACEHOLDER.split(text)
        parts[1::2] = [names[int(index)] for index in parts[1::2]]
        return Deferred(tuple(parts))

    def _clean(self, nodes: Sequence[ast.Node], context: str, depth: int) -> list[ast.Node]:
        if depth > MAX_DEPTH:
            raise RecursionError
        kept: list[ast.Node] = []
        position = 0
        while position < len(nodes):
            node = nodes[position]
            position += 1
            if isinstance(node, ast.IdentToken) and node.value.startswith("--") and _colon_after(nodes, position):
                position = self._custom_property(nodes, position, kept, node)
                continue
            context = _next_context(nodes, position, context)
            cleaned = self._clean_node(node, context, depth)
            if cleaned is not None:
                kept.append(cleaned)
        return kept

    def _custom_property(
        self, nodes: Sequence[ast.Node], position: int, kept: list[ast.Node], name: ast.IdentToken
    ) -> int:
        """Keep the name; keep the value if it is a number, length, colour or keyword. Return where it ends."""
        colon = _colon_after(nodes, position)
        end = colon
        while end < len(nodes) and not _is_literal(nodes[end], ";"):
            end += 1
        value = nodes[colon:end]
        kept.append(self._ident(name))
        kept.append(ast.LiteralToken(0, 0, ":"))
        if is_plain_value(value):
            kept.extend(node for node in value if not isinstance(node, ast.Comment))
        else:
            kept.append(ast.IdentToken(0, 0, "initial"))
        return end

    def _clean_node(self, node: ast.Node, context: str, depth: int) -> ast.Node | None:  # noqa: PLR0911  # a table
        match node:
            case ast.IdentToken():
                return self._ident(node)
            case ast.StringToken():
                return self._string(node.value, context)
            case ast.URLToken():
                return _url_token(node.value)
            case ast.FunctionBlock():
                return self._function(node, context, depth)
            case ast.CurlyBracketsBlock():
                return ast.CurlyBracketsBlock(0, 0, self._clean(node.content, "", depth + 1))
            case ast.SquareBracketsBlock():
                return ast.SquareBracketsBlock(0, 0, self._attribute_selector(node.content, depth))
            case ast.ParenthesesBlock():
                return ast.ParenthesesBlock(0, 0, self._clean(node.content, context, depth + 1))
            case _:
                return self._clean_leaf(node)

    def _clean_leaf(self, node: ast.Node) -> ast.Node | None:
        match node:
            case (
                ast.WhitespaceToken()
                | ast.LiteralToken()
                | ast.NumberToken()
                | ast.PercentageToken()
                | ast.UnicodeRangeToken()
            ):
                return node
            case ast.HashToken():
                return node if HEX_COLOUR.fullmatch(node.value) else self._hash(node)
            case ast.AtKeywordToken():
                return node if _VENDOR.sub("", node.lower_value) in AT_RULES else None
            case ast.DimensionToken():
                return node if passes_name(node.unit.lstrip("-")) else _number_of(node)
            case ast.Comment():
                return node if node.value == _SPLIT_MARK else None
            case _:
                return None

    def font(self, name: str) -> str:
        """Write the name of a font that may not be shown, the same for the same font."""
        return self._name(f"font {name}")

    def _name(self, value: str) -> str:
        """The name itself if it passes rule i, else a placeholder."""
        prefix = _PREFIX.match(value)
        if passes_attribute_name(value[prefix.end() :] if prefix else value) or value == "-":
            return value
        index = self._names.setdefault(value, len(self._names))
        return f"\ue000{index}\ue001"

    def _ident(self, node: ast.IdentToken) -> ast.IdentToken:
        return ast.IdentToken(0, 0, self._name(node.value))

    def _hash(self, node: ast.HashToken) -> ast.HashToken:
        return ast.HashToken(0, 0, self._name(node.value), True)  # noqa: FBT003

    def _function(self, node: ast.FunctionBlock, context: str, depth: int) -> ast.Node:
        name = node.lower_name
        if name in _URL_FUNCTIONS:
            first = next((argument for argument in node.arguments if isinstance(argument, ast.StringToken)), None)
            return _url_token(first.value if first else "")
        inner = f"{name}()" if name in {"format", "tech"} else context
        return ast.FunctionBlock(0, 0, self._name(node.name), self._clean(node.arguments, inner, depth + 1))

    def _string(self, value: str, context: str) -> ast.Node:
        if context == "@import":
            return _url_token(value)
        if context in _FONT_PROPERTIES and value:
            value = value if value.strip().lower() in PLAIN_FONTS else self.font(value)
            return ast.StringToken(0, 0, value, f'"{value}"')
        kept = value if _is_plain_string(value, context) else ""
        return ast.StringToken(0, 0, kept, f'"{kept}"')

    def _attribute_selector(self, content: Sequence[ast.Node], depth: int) -> list[ast.Node]:
        """Keep the attribute's name and the operator; keep the value only where the standard defines the values.

        Grid lines (`[full-start]`) are brackets as well: they hold names and no operator.
        """
        operator = next((index for index, node in enumerate(content) if _is_comparison(node)), None)
        if operator is None:
            return self._clean(content, "[]", depth + 1)
        names = [node.lower_value for node in content[:operator] if isinstance(node, ast.IdentToken)]
        enumerated = names[-1:] and names[-1] in ENUMERATED_ATTRIBUTES
        values = [node for node in content[operator + 1 :] if isinstance(node, (ast.IdentToken, ast.StringToken))]
        kept = self._clean(content[: operator + 1], "[]", depth + 1)
        for value in values[:1]:
            text = value.value if enumerated and value.value.lower() in ENUMERATED_VALUES else ""
            kept.append(ast.StringToken(0, 0, text, f'"{text}"'))
        if any(isinstance(flag, ast.IdentToken) and flag.lower_value == "i" for flag in values[1:]):
            kept += [ast.WhitespaceToken(0, 0, " "), ast.IdentToken(0, 0, "i")]
        return kept


def is_plain_value(nodes: Sequence[ast.Node], depth: int = 0) -> bool:
    """Tell whether these component values are numbers, lengths, colours and keywords only."""
    if depth > MAX_DEPTH:
        return False
    whole = "".join(node.representation for node in nodes if isinstance(node, ast.NumberToken) and node.is_integer)
    if depth == 0 and sum(map(str.isdigit, whole)) >= _TOO_MANY_DIGITS:
        return False
    return all(_is_plain_node(node, depth) for node in nodes)


def is_plain_text(value: str) -> bool:
    """As `is_plain_value`, for a value's text."""
    try:
        return is_plain_value(tinycss2.parse_component_value_list(value))
    except FAILURES:
        return False


def _is_plain_node(node: ast.Node, depth: int) -> bool:  # noqa: PLR0911  # a table
    match node:
        case ast.WhitespaceToken() | ast.LiteralToken() | ast.Comment():
            return True
        case ast.NumberToken() | ast.PercentageToken():
            return _is_short(node.representation)
        case ast.DimensionToken():
            known = node.lower_unit in UNITS or UNIT_TIMES.fullmatch(node.unit) is not None
            return known and _is_short(node.representation)
        case ast.HashToken():
            return HEX_COLOUR.fullmatch(node.value) is not None
        case ast.IdentToken():
            dashed = node.value.startswith("--") and passes_name(node.value[2:])
            return (dashed and depth > 0) or node.lower_value in PLAIN_WORDS
        case ast.FunctionBlock():
            return node.lower_name in PLAIN_FUNCTIONS and is_plain_value(node.arguments, depth + 1)
        case ast.ParenthesesBlock():
            return is_plain_value(node.content, depth + 1)
        case _:
            return False


def _is_short(number: str) -> bool:
    return _DIGIT_RUN.search(number.partition(".")[0]) is None


UNITS: Final = frozenset(
    "px em rem ex ch lh rlh vw vh vmin vmax vi vb svw svh lvw lvh dvw dvh cqw cqh cqi cqb cqmin cqmax cm mm q in pt pc "
    "deg grad rad turn s ms hz khz dpi dpcm dppx x fr w h".split()
)


def _is_plain_string(value: str, context: str) -> bool:
    match context:
        case "format()" | "tech()":
            return value.lower() in FONT_FORMATS
        case "@charset":
            return _CHARSET.fullmatch(value.lower()) is not None
        case "@namespace":
            return value in _NAMESPACES
        case _ if context in _FEATURES:
            return value.lower() in FONT_FEATURES
        case _ if context in _AREAS:
            # Each word is also the identifier a `grid-area` names, and those are kept when they pass.
            return all(word.strip(".") == "" or passes_name(word) for word in value.split())
        case _:
            return False


def _url_token(value: str) -> ast.URLToken:
    is_data = url_scheme(value) == "data"
    kept = mask_reference(value) if not is_data else value if is_raster_or_font(value) else ""
    # What the URL rule leaves holds no quote, backslash or line end; parentheses are legal inside quotes.
    return ast.URLToken(0, 0, kept, f'url("{kept}")' if kept else "url()")


def _number_of(node: ast.DimensionToken) -> ast.NumberToken:
    return ast.NumberToken(0, 0, node.value, node.int_value, node.representation)


def _is_comparison(node: ast.Node) -> bool:
    return isinstance(node, ast.LiteralToken) and node.value.endswith("=")


def _is_literal(node: ast.Node, value: str) -> bool:
    return isinstance(node, ast.LiteralToken) and node.value == value


def _colon_after(nodes: Sequence[ast.Node], position: int) -> int:
    """Where the value begins if a colon follows (perhaps after white space and comments), else 0."""
    while position < len(nodes) and isinstance(nodes[position], (ast.WhitespaceToken, ast.Comment)):
        position += 1
    return position + 1 if position < len(nodes) and _is_literal(nodes[position], ":") else 0


def _next_context(nodes: Sequence[ast.Node], position: int, context: str) -> str:
    """The property or at-rule that strings from here on belong to."""
    node = nodes[position - 1]
    match node:
        case ast.AtKeywordToken():
            return f"@{node.lower_value}"
        case ast.CurlyBracketsBlock():
            return ""
        case ast.IdentToken() if not context.startswith("@") and _colon_after(nodes, position):
            return str(node.lower_value)
        case _:
            return "" if _is_literal(node, ";") else context
