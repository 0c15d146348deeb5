"""Rule c where no text of a page may show: of a scrubbed style sheet only what is CSS stays.

Scrubbing (`engine.masking.css`) takes away strings, comments and addresses. What is left can still be words that are no
CSS at all: `<style>Jane Doe</style>`, `color: Jane`. Here they go: text that is no rule and no declaration, properties
nobody has defined, values with words that are neither keywords nor names a sheet may give.
"""

from collections.abc import Sequence
from typing import Final

import tinycss2
from tinycss2 import ast

from engine.masking.css_keywords import FUNCTIONS, KEYWORDS, PROPERTY_WORDS
from engine.masking.css_tokens import FAILURES, HEX_COLOUR, MAX_DEPTH, UNIT_TIMES, UNITS, CssScrubber
from engine.masking.css_vocabulary import PLAIN_FONTS, PLAIN_FUNCTIONS, PLAIN_WORDS

MASKED_TYPE: Final = "rr-masked"
"""Stands in selectors for elements that no standard has."""

_WORDS: Final = KEYWORDS | PLAIN_WORDS
_FUNCTIONS: Final = FUNCTIONS | PLAIN_FUNCTIONS
_VENDORS: Final = ("-webkit-", "-moz-", "-ms-", "-o-", "-khtml-", "-apple-")
_FONTS: Final = frozenset({"font-family", "font"})
_NAMING: Final = (
    "animation", "grid", "counter-", "container", "will-change", "transition", "view-transition", "page", "list-style",
    "anchor", "position-", "timeline", "scroll-timeline", "view-timeline", "font-palette", "src-", "property",
)  # fmt: skip
"""Properties whose values name things of the page's author: names as classes are, by rule i."""
_NAMING_FUNCTIONS: Final = frozenset("counter counters attr var env anchor anchor-size".split())
_UNICODE_RANGE: Final = "unicode-range"
_CONDITIONAL: Final = frozenset({"media", "supports", "import"})
_KEYFRAMES: Final = frozenset({"from", "to"})
_TYPES: Final = frozenset(
    "html head body meta link script style title base div span p a img svg path g rect circle ellipse line polygon "
    "polyline ul ol li table thead tbody tfoot tr td th caption col colgroup h1 h2 h3 h4 h5 h6 header footer main nav "
    "section article aside form input button select option optgroup textarea label fieldset legend datalist output "
    "progress meter details summary dialog menu iframe video audio source track canvas picture figure figcaption b i u "
    "s em strong small sub sup code pre kbd samp var blockquote q cite abbr time mark ruby rt rp bdi bdo br hr wbr ins "
    "del noscript template slot object embed param map area dl dt dd address use defs symbol text tspan textpath image "
    "mask pattern filter marker stop lineargradient radialgradient clippath foreignobject desc hgroup search center "
    "font tt big strike acronym applet basefont dir frame frameset noframes nobr marquee data math mi mn mo mrow msup "
    "msub mfrac main menuitem even odd of n not is where has host root n- -n- -n".split()
)

_Nodes = Sequence[ast.Node]


def keep_css_only(text: str, scrubber: CssScrubber) -> str:
    """Keep the rules and declarations of a scrubbed text; font names become names of `scrubber`."""
    try:
        return str(tinycss2.serialize(_block(tinycss2.parse_component_value_list(text), scrubber, 0)))
    except FAILURES:
        return ""


def _block(nodes: _Nodes, scrubber: CssScrubber, depth: int) -> list[ast.Node]:
    """Filter what stands in a sheet or between braces, item by item."""
    if depth > MAX_DEPTH:
        raise RecursionError
    kept: list[ast.Node] = []
    item: list[ast.Node] = []
    for node in nodes:
        if isinstance(node, ast.CurlyBracketsBlock):
            kept += _prelude(item)
            kept.append(ast.CurlyBracketsBlock(0, 0, _block(node.content, scrubber, depth + 1)))
            item = []
        elif isinstance(node, ast.LiteralToken) and node.value == ";":
            statement = _statement(item, scrubber)
            kept += [*statement, node] if statement else []
            item = []
        else:
            item.append(node)
    return kept + _statement(item, scrubber)


def _statement(item: list[ast.Node], scrubber: CssScrubber) -> list[ast.Node]:
    """A declaration or an at-rule without a block; nothing of any other text but its white space."""
    start = next((place for place, node in enumerate(item) if not _is_space(node)), len(item))
    if start == len(item):
        return item
    if isinstance(item[start], ast.AtKeywordToken):
        return _prelude(item)
    colon = next((place for place, node in enumerate(item) if _is_literal(node, ":")), 0)
    names = [node for node in item[start:colon] if not _is_space(node)]
    if len(names) != 1 or not isinstance(names[0], ast.IdentToken):
        return []
    name = names[0].lower_value
    if name.startswith("--"):
        return item
    if not is_property(name):
        return []
    value = _value(item[colon + 1 :], name, scrubber)
    return [] if value is None else [*item[: colon + 1], *value]


def is_property(name: str) -> bool:
    """Tell whether a property's name is made of the words that names of properties are made of."""
    return all(word in PROPERTY_WORDS for word in name.strip("-").split("-"))


def _value(nodes: _Nodes, name: str, scrubber: CssScrubber) -> list[ast.Node] | None:
    """A declaration's value; `None` if a word in it is none of CSS."""
    plain = name.removeprefix("-webkit-").removeprefix("-moz-")
    if plain in _FONTS:
        nodes = _with_masked_fonts(nodes, scrubber)
    naming = plain.startswith(_NAMING) or plain == _UNICODE_RANGE or plain in _FONTS
    return list(nodes) if all(_is_known(node, naming=naming, depth=0) for node in nodes) else None


def _is_known(node: ast.Node, *, naming: bool, depth: int) -> bool:  # noqa: PLR0911  # a table
    if depth > MAX_DEPTH:
        return False
    match node:
        case ast.IdentToken():
            return naming or _is_word(node.lower_value)
        case ast.DimensionToken():
            return node.lower_unit in UNITS or UNIT_TIMES.fullmatch(node.unit) is not None
        case ast.HashToken():
            return HEX_COLOUR.fullmatch(node.value) is not None
        case ast.FunctionBlock():
            known = _without_vendor(node.lower_name) in _FUNCTIONS or node.lower_name in _FUNCTIONS
            inner = naming or node.lower_name in _NAMING_FUNCTIONS
            return known and all(_is_known(part, naming=inner, depth=depth + 1) for part in node.arguments)
        case ast.ParenthesesBlock() | ast.SquareBracketsBlock():
            return all(_is_known(part, naming=naming, depth=depth + 1) for part in node.content)
        case ast.CurlyBracketsBlock() | ast.AtKeywordToken():
            return False
        case _:
            return True


def _is_word(word: str) -> bool:
    return word in _WORDS or _without_vendor(word) in _WORDS or "\ue000" in word


def _without_vendor(word: str) -> str:
    vendor = next((prefix for prefix in _VENDORS if word.startswith(prefix)), "")
    return word[len(vendor) :]


def _with_masked_fonts(nodes: _Nodes, scrubber: CssScrubber) -> list[ast.Node]:
    """Name unquoted fonts as quoted ones are named; in `font` they begin after the size."""
    kept: list[ast.Node] = []
    family: list[ast.IdentToken] = []
    for node in (*nodes, ast.LiteralToken(0, 0, ",")):
        if isinstance(node, ast.IdentToken) and (family or not _is_word(node.lower_value)):
            family.append(node)
        elif family and _is_space(node):
            continue
        else:
            if family:
                kept += _font(family, scrubber)
                family = []
            kept.append(node)
    # Without the comma that ended the last name.
    return kept[:-1]


def _font(family: Sequence[ast.IdentToken], scrubber: CssScrubber) -> list[ast.Node]:
    name = " ".join(node.value for node in family)
    if name.lower() not in PLAIN_FONTS and not _is_word(name.lower()):
        return [ast.IdentToken(0, 0, scrubber.font(name))]
    parts: list[ast.Node] = [part for node in family for part in (ast.WhitespaceToken(0, 0, " "), node)]
    return parts[1:]


def _prelude(item: list[ast.Node]) -> list[ast.Node]:
    """What stands before a block: a selector, or an at-rule and its conditions."""
    rules = [node.lower_value for node in item if isinstance(node, ast.AtKeywordToken)]
    if not rules:
        return _selector(item)
    return _conditions(item) if _CONDITIONAL.intersection(rules) else item


def _conditions(nodes: _Nodes) -> list[ast.Node]:
    """Conditions of an at-rule in which every word is one of CSS: others can hold nowhere."""
    kept: list[ast.Node] = []
    for node in nodes:
        match node:
            case ast.IdentToken():
                known = _is_word(node.lower_value) or is_property(node.lower_value)
                kept.append(node if known else ast.IdentToken(0, 0, MASKED_TYPE))
            case ast.ParenthesesBlock():
                kept.append(ast.ParenthesesBlock(0, 0, _conditions(node.content)))
            case ast.FunctionBlock():
                kept.append(ast.FunctionBlock(0, 0, node.name, _conditions(node.arguments)))
            case _:
                kept.append(node)
    return kept


def _selector(nodes: _Nodes) -> list[ast.Node]:
    """A selector in which only known elements are named; classes, ids and attributes are names by rule i."""
    kept: list[ast.Node] = []
    before = ""
    for node in nodes:
        if isinstance(node, ast.IdentToken) and before not in {".", ":"} and not _is_type(node.lower_value):
            kept.append(ast.IdentToken(0, 0, MASKED_TYPE))
        elif isinstance(node, ast.FunctionBlock):
            kept.append(ast.FunctionBlock(0, 0, node.name, _selector(node.arguments)))
        else:
            kept.append(node)
        before = node.value if isinstance(node, ast.LiteralToken) else ""
    return kept


def _is_type(name: str) -> bool:
    return name in _TYPES or name in _KEYFRAMES or "-" in name or "\ue000" in name


def _is_space(node: ast.Node) -> bool:
    return isinstance(node, (ast.WhitespaceToken, ast.Comment))


def _is_literal(node: ast.Node, value: str) -> bool:
    return isinstance(node, ast.LiteralToken) and node.value == value
