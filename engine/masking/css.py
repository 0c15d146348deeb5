"""Rule c: what is left of CSS (style sheets, rules, declarations, single values, font sources).

Sheets are large and made mostly of items (`selector {`, `property: value;`) in which no rule could change anything.
Those are recognised by two regular expressions and passed as they are; only the others are tokenised, each by itself.
Where that cut could be wrong (escapes that spell `url`, brackets across items, broken strings) the whole sheet is
tokenised. A property test holds both ways against each other.
"""

import re
from typing import Final

from engine.masking.css_strict import is_property, keep_css_only
from engine.masking.css_tokens import GIVEAWAY, MAX_SHEET_CHARACTERS, CssScrubber
from engine.masking.css_vocabulary import PLAIN_FONTS
from engine.masking.decisions import Decision, Deferred
from engine.masking.identifiers import passes_name
from engine.masking.urls import url_scheme

_LINE_ENDS: Final = re.compile(r"\r\n?|\f")

_ITEM: Final = re.compile(
    r"""(?>
        [^{};"'\\/uU]++
      | [uU](?![rR][lL]\()
      | (?<![\w\\-]) (?<![^\x00-\x7f]) (?<!\\.) [uU][rR][lL]\( (?: (?=[ \n\t]*+["']) | (?>[^)\\]++|\\[\s\S])*+\) )
      | /(?!\*)
      | /\*(?>[^*]++|\*(?!/))*+\*/
      | "(?>[^"\\\n]++|\\[\s\S])*+"
      | '(?>[^'\\\n]++|\\[\s\S])*+'
      | \\[^\n]
    )*+ [{};]?""",
    re.VERBOSE,
)
"""One item with the delimiter that ends it; it stops early at anything it cannot be sure of."""

_HIDDEN_URL: Final = re.compile(
    r"\\(?:0{0,4}(?:[57][25]|[46]c)(?![0-9a-f])|[url]|[0-9a-f]{1,6}[ \n\t]url\()", re.IGNORECASE
)
"""An escape that spells a letter of `url`, or makes a longer name of it: the item pattern would misread it."""

_INERT: Final = re.compile(
    r"""/\*(?>[^*]++|\*(?!/))*+\*/ | "(?>[^"\\\n]++|\\[\s\S])*+" | '(?>[^'\\\n]++|\\[\s\S])*+'
      | [uU][rR][lL]\((?![ \n\t]*+["'])(?>[^)\\]++|\\[\s\S])*+\) | \\[\s\S]""",
    re.VERBOSE,
)
"""Where brackets have no meaning: comments, strings, URLs, escapes."""

_BRACKET: Final = re.compile(r"[()\[\]]")
_PAIRS: Final = frozenset({"()", "[]"})

_CUSTOM_PROPERTY: Final = re.compile(r"(?:(?<![\w-])|[uU]\+[0-9a-fA-F?-]*)--[^\s:;{}()]*\s*:")

_SUSPICIOUS: Final = (
    r"(?i:url\(|src\()|sk[_-]|[pr]k_|gh[oprsu]_|github_|glpat|xox|npm_|shp|ya29|AKIA|ASIA|AIza|SG|data-v-"
)
_WORD: Final = rf"(?!{_SUSPICIOUS})[A-Za-z]++"
_IDENTIFIER: Final = rf"(?![\w-]{{32}}){_WORD}(?>[_-]{{1,2}}{_WORD})*+(?>-?\d{{1,4}})?+(?![\w\\-])"

_PLAIN: Final = re.compile(
    rf"""(?>
        [ \n\t{{}};:,>+~*()!&|^$=?]++
      | %(?!\d)
      | {_IDENTIFIER}
      | [.#](?={_IDENTIFIER})
      | \#(?:[0-9a-fA-F]{{3,4}}|[0-9a-fA-F]{{6}}|[0-9a-fA-F]{{8}})(?![\w\\-])
      | -(?=\d|\.\d|[ \n\t])
      | \d{{1,10}}+(?:\.\d{{1,20}}+)?+(?:[A-Za-z]{{1,5}}+)?+(?![\w\\-])
      | \.\d{{1,20}}+(?:[A-Za-z]{{1,5}}+)?+(?![\w\\-])
      | -(?={_IDENTIFIER})
      | --(?={_IDENTIFIER}[ \n\t]*[,)])
      | /(?!\*)
    )*+""",
    re.VERBOSE,
)
"""Text which the token rules would leave as it is: short words, few digits, no string, no URL, no custom property."""

_PROPERTY_NAME: Final = re.compile(r"-{0,2}[A-Za-z_][A-Za-z0-9_-]*")
_FONT_BYTES: Final = re.compile(r"\[\s*(?:\d{1,3}\s*,\s*)*\d{1,3}\s*\]")
_FONT_STARTS: Final = re.compile(
    r"\[\s*(?:119\s*,\s*79\s*,\s*70\s*,\s*(?:70|50)|0\s*,\s*1\s*,\s*0\s*,\s*0|79\s*,\s*84)\b"
)
_PRIORITIES: Final = frozenset({"", "important"})


def scrub_css(text: str, *, strict: bool = False) -> Decision:
    """Scrub a sheet, a rule or a list of declarations; what cannot be understood is dropped, piece by piece.

    A `strict` one holds nothing but CSS: no words that neither standards nor names of a sheet explain.
    """
    if len(text) > MAX_SHEET_CHARACTERS:
        return ""
    plain = _LINE_ENDS.sub("\n", text).replace("\0", "\ufffd")
    scrubber = CssScrubber()
    pieces = _scrub_items(plain, scrubber)
    scrubbed = scrubber.scrub(plain) if pieces is None else "".join(pieces)
    return scrubber.finish(keep_css_only(scrubbed, scrubber) if strict else scrubbed)


def scrub_css_strictly(text: str) -> Decision:
    """Scrub as `scrub_css` does where no text of a page may show."""
    return scrub_css(text, strict=True)


def scrub_css_by_tokens(text: str) -> Decision:
    """Scrub as `scrub_css` does, without its short cut: the reference that tests compare with."""
    scrubber = CssScrubber()
    return scrubber.finish(scrubber.scrub(text))


def scrub_property(name: str, value: str, *, strict: bool = False) -> Decision:
    """Scrub one declaration's value; `None` drops the declaration because of its name.

    A `strict` one is dropped too if its value has words that are none of CSS.
    """
    if not _PROPERTY_NAME.fullmatch(name) or not passes_name(name.lstrip("-")):
        return None
    scrubber = CssScrubber()
    if name.startswith("--"):
        written = scrubber.finish(scrubber.scrub(f"{name}:{value}"))
        # Whatever follows a semicolon in the value is no part of it.
        return _after_colon(written)
    scrubbed = scrubber.scrub(value, name.lower())
    if strict and scrubbed.strip():
        declared = keep_css_only(f"{name}:{scrubbed}", scrubber)
        scrubbed = declared.partition(":")[2]
        if not scrubbed:
            return None
    return scrubber.finish(scrubbed) if not strict or is_property(name.lower()) else None


def scrub_font_family(name: str) -> Decision:
    """Keep the names of well-known fonts; others become a token of the session."""
    plain = name.strip().strip("\"'")
    return plain if plain.lower() in PLAIN_FONTS or not plain else Deferred(("", f"font {plain}", ""))


def scrub_font_source(value: str) -> Decision:
    """Scrub the source of a font face: CSS `url(...)`, or a JSON array of a font file's bytes."""
    if value.lstrip().startswith("["):
        return value if _FONT_BYTES.fullmatch(value) and _FONT_STARTS.match(value) else None
    if url_scheme(value):
        return None
    return scrub_property("src", value, strict=True)


def is_priority(value: str) -> bool:
    """Tell whether this is a declaration's priority."""
    return value in _PRIORITIES


def _after_colon(written: Decision) -> Decision:
    if isinstance(written, str):
        return written.partition(":")[2].partition(";")[0].strip()
    return "initial"


def _scrub_items(text: str, scrubber: CssScrubber) -> list[str] | None:
    """Scrub item by item; `None` where the sheet cannot be cut safely."""
    if _HIDDEN_URL.search(text):
        return None
    pieces: list[str] = []
    seen: dict[str, str] = {}
    position = depth = 0
    while position < len(text):
        end = _ITEM.match(text, position).end()  # type: ignore[union-attr]  # it matches the empty text
        item = text[position:end]
        depth += item.endswith("{") - item.endswith("}")
        if end == position or depth < 0 or not _stands_alone(item):
            return None
        scrubbed = seen.get(item)
        if scrubbed is None:
            plain = _PLAIN.fullmatch(item) is not None and "eyJ" not in item and not GIVEAWAY.search(item)
            scrubbed = seen[item] = item if plain else _scrub_item(item, scrubber)
        pieces.append(scrubbed)
        position = end
    return pieces


def _stands_alone(item: str) -> bool:
    """Tell whether no bracket and no custom property reaches beyond the item."""
    if item.endswith("{") and "--" in item and _CUSTOM_PROPERTY.search(item):
        return False
    return ("(" not in item and "[" not in item and ")" not in item and "]" not in item) or _is_balanced(item)


def _is_balanced(item: str) -> bool:
    opened: list[str] = []
    for bracket in _BRACKET.findall(_INERT.sub("", item)):
        if bracket in "([":
            opened.append(bracket)
        elif not opened or opened.pop() + bracket not in _PAIRS:
            return False
    return not opened


def _scrub_item(item: str, scrubber: CssScrubber) -> str:
    if item[-1] in "{};":
        return scrubber.scrub(item[:-1]) + item[-1]
    return scrubber.scrub(item)
