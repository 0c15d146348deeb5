"""Values of structural attributes: kept only in the shape their attribute defines, so that no data hides in them."""

import re
from collections.abc import Callable
from typing import Final

from engine.masking.css_tokens import is_plain_text
from engine.masking.decisions import Decision, Scalar
from engine.masking.urls import is_local_reference
from engine.masking.values import scrub

_MEASURE: Final = re.compile(
    r"\s*[-+]?(?:\d{1,6}(?:\.\d{0,20})?|\.\d{1,20})(?:px|r?em|ex|ch|v[hw]|vmin|vmax|pt|pc|cm|mm|in|fr|deg|%|\*)?\s*|auto",
    re.ASCII,
)
_LARGEST_MEASURE: Final = 1e7

_GEOMETRY: Final = b" \t\n\r,.+-0123456789eEMmLlHhVvCcSsQqTtAaZz%"
_LONG_NUMBER: Final = re.compile(rb"(?<![.\d])\d{9}")
_TRANSFORM: Final = re.compile(
    r"(?>\s*+(?:translate|rotate|scale|matrix|skew)(?:[XYZ]|3d)?\s*+"
    r"\((?>[-+\d.,eE\s%]++|deg|px|em|rad|turn)*+\)\s*+,?)++\s*+"
)
_PAINT_REFERENCE: Final = re.compile(r"""\s*url\(\s*["']?(#[^"'()\s]{1,80})["']?\s*\)(?:\s+(.{1,60}))?\s*""")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_CHARSET: Final = re.compile(
    r"utf-?(?:8|16(?:le|be)?)|us-ascii|ascii|latin-?1|(?:iso-?8859|windows|cp)-?\d{1,4}(?:-[ei])?|iso-2022-(?:jp|kr|cn)|"
    r"x-sjis|s(?:hift)?[_-]?jis|euc-(?:jp|kr|tw)|gbk|gb2312|gb18030|hz-gb-2312|big5(?:-hkscs)?|koi8-[ru]|macintosh|"
    r"x-(?:mac-cyrillic|user-defined)|ibm866|tis-620",
    re.IGNORECASE,
)
_MEDIA_TYPE: Final = re.compile(
    r"(?:text|application|image|video|audio|font|model)/[a-z][a-z0-9.+-]{0,40}(?:;\s*charset=[a-z0-9-]{1,12})?",
    re.IGNORECASE,
)
_ICON_SIZES: Final = re.compile(r"(?:any|\d{1,4}[xX]\d{1,4})(?:\s+\d{1,4}[xX]\d{1,4})*")
_LARGE_GEOMETRY: Final = 200_000
_SHORT_GEOMETRY: Final = 40

_INPUT_TYPES: Final = (
    "text password hidden search email tel url number range color date time datetime datetime-local month week file "
    "checkbox radio button submit reset image"
)
_WORDS: Final[dict[str, str]] = {
    "type": f"{_INPUT_TYPES} module importmap speculationrules context command toolbar 1 a i disc circle square "
    "select-one select-multiple matrix saturate huerotate luminancetoalpha turbulence fractalnoise linear table "
    "discrete gamma identity translate rotate scale skewx skewy",
    "role": "alert alertdialog application article banner blockquote button caption cell checkbox code columnheader "
    "combobox complementary contentinfo definition deletion dialog directory document emphasis feed figure form "
    "generic grid gridcell group heading img image insertion link list listbox listitem log main mark marquee math "
    "menu menubar menuitem menuitemcheckbox menuitemradio meter navigation none note option paragraph presentation "
    "progressbar radio radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider "
    "spinbutton status strong subscript suggestion superscript switch tab table tablist tabpanel term textbox time "
    "timer toolbar tooltip tree treegrid treeitem",
    "target": "_blank _self _parent _top",
    "method": "get post dialog",
    "crossorigin": "anonymous use-credentials",
    "preload": "none metadata auto",
    "decoding": "sync async auto",
    "wrap": "soft hard off",
    "spellcheck": "true false",
    "draggable": "true false auto",
    "focusable": "true false auto",
    "dir": "ltr rtl auto",
    "inputmode": "none text decimal numeric tel search email url",
    "contenteditable": "true false plaintext-only inherit",
    "rel": "alternate author bookmark canonical dns-prefetch expect external help icon shortcut license manifest "
    "modulepreload me next nofollow noopener noreferrer opener pingback preconnect prefetch preload prerender prev "
    "privacy-policy search stylesheet tag terms-of-service apple-touch-icon apple-touch-icon-precomposed mask-icon "
    "stylesheet/less ugc sponsored amphtml",
    "as": "audio audioworklet document embed fetch font image json manifest object paintworklet report script "
    "serviceworker sharedworker style track video worker xslt",
    "loading": "lazy eager auto",
    "scope": "row col rowgroup colgroup auto",
    "align": "left right center justify char top middle bottom baseline absmiddle texttop absbottom",
    "valign": "top middle bottom baseline",
    "hidden": "until-found hidden true false",
    "aria-hidden": "true false",
    "aria-expanded": "true false undefined",
    "aria-disabled": "true false",
    "aria-haspopup": "true false menu listbox tree grid dialog",
    "aria-modal": "true false",
    "aria-busy": "true false",
    "aria-live": "off polite assertive",
    "rr_mediastate": "played paused",
    "rr_open_mode": "modal non-modal",
    "stroke-linecap": "butt round square inherit",
    "stroke-linejoin": "miter round bevel arcs inherit",
    "fill-rule": "nonzero evenodd inherit",
    "clip-rule": "nonzero evenodd inherit",
    "preserveaspectratio": "none xminymin xmidymin xmaxymin xminymid xmidymid xmaxymid xminymax xmidymax xmaxymax meet "
    "slice",
}

WORD_ATTRIBUTES: Final = frozenset(_WORDS)
"""Attributes whose values are words a standard defines."""

WordRule = Callable[[str], Decision]


def words_of(attribute: str) -> WordRule:
    """Make the rule of an attribute in `WORD_ATTRIBUTES`: each word must be one of the standard's, else it goes."""
    allowed = frozenset(_WORDS[attribute].split())
    takes_media_types = attribute == "type"

    def decide(value: str) -> Decision:
        words = value.split()
        if takes_media_types and _MEDIA_TYPE.fullmatch(value):
            return value
        if all(word.lower() in allowed for word in words):
            return value
        return " ".join([word for word in words if word.lower() in allowed]) or None

    return decide


def decide_measure(value: str) -> Decision:
    """Keep a number with at most six whole digits and a unit."""
    return value if _MEASURE.fullmatch(value) or not value else None


def measure_scalar(value: Scalar) -> Scalar | None:
    """Keep a number that can be a size, a position or a count."""
    return value if isinstance(value, bool) or abs(value) < _LARGEST_MEASURE else None


def decide_geometry(value: str) -> Decision:
    """Keep path data and lists of numbers."""
    if len(value) > _LARGE_GEOMETRY or not value.isascii():
        return None
    if len(value) <= _SHORT_GEOMETRY and scrub(value) != value:
        return None
    data = value.encode()
    return None if data.translate(None, _GEOMETRY) or _LONG_NUMBER.search(data) else value


def decide_transform(value: str) -> Decision:
    """Keep a list of transform functions, or `none`."""
    return value if _TRANSFORM.fullmatch(value) or value == "none" else None


def decide_paint(value: str) -> Decision:
    """Keep a colour, a keyword, a number or a reference to an element of the same document."""
    if is_plain_text(value):
        return value
    match = _PAINT_REFERENCE.fullmatch(value)
    if match is None or not is_local_reference(match[1]):
        return None
    fallback = f" {match[2]}" if match[2] and is_plain_text(match[2]) else ""
    return f"url({match[1]}){fallback}"


def decide_boolean(value: str) -> Decision:
    """Keep `true` and `false`; any other value means no more than that the attribute is there."""
    return value if value in {"true", "false"} else ""


def boolean_scalar(value: Scalar) -> bool:
    """Keep the truth of a boolean attribute."""
    return bool(value)


def decide_language(value: str) -> Decision:
    """Keep a language tag."""
    return value if _LANGUAGE.fullmatch(value) or not value else None


def decide_charset(value: str) -> Decision:
    """Keep the name of an encoding."""
    return value if _CHARSET.fullmatch(value) else None


def decide_media(value: str) -> Decision:
    """Keep a media query, icon sizes, or image sizes that consist of the standard's words and of lengths."""
    return value if _ICON_SIZES.fullmatch(value) or is_plain_text(value) else None
