"""What an element is to the rules: its category and its sensitivity, from tag and attributes alone.

Sources: the rows of the levels' table, the autofill tokens of the HTML standard, and the field names that make card,
password and identity forms recognisable (Mixpanel's and Clarity's lists among them).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from engine.masking.flags import (
    BUTTON_FIELD,
    CHOICE,
    CUSTOM,
    DROPPED_TEXT,
    EDITABLE,
    FIELD,
    FIELD_TEXT,
    FLOOR,
    INTERACTIVE,
    SENSITIVE,
    STYLE_TEXT,
    TITLE,
)
from engine.masking.values import normalise
from schemas.rrweb_nodes import AttributeValue

TAG_FLAGS: Final[dict[str, int]] = {
    "input": FIELD,
    "textarea": FIELD | FIELD_TEXT,
    "select": FIELD,
    "option": FIELD | FIELD_TEXT | INTERACTIVE,
    "optgroup": FIELD | FIELD_TEXT,
    "datalist": FIELD | FIELD_TEXT,
    "output": FIELD | FIELD_TEXT,
    "keygen": FIELD,
    "isindex": FIELD,
    "script": DROPPED_TEXT,
    "noscript": DROPPED_TEXT,
    "template": DROPPED_TEXT,
    "noembed": DROPPED_TEXT,
    "noframes": DROPPED_TEXT,
    "xmp": DROPPED_TEXT,
    "plaintext": DROPPED_TEXT,
    "style": STYLE_TEXT,
    "title": TITLE,
    "button": INTERACTIVE,
    "a": INTERACTIVE,
    "label": INTERACTIVE,
    "summary": INTERACTIVE,
    "area": INTERACTIVE,
}

_HYPHENATED_STANDARD: Final = frozenset(
    "annotation-xml color-profile font-face font-face-src font-face-uri font-face-format font-face-name "
    "missing-glyph".split()
)
_FIELD_NAME: Final = re.compile(r"input|field|select|area|picker")

INDIFFERENT: Final = frozenset(
    "class id d fill stroke stroke-width opacity href width height aria-label viewbox viewBox cx cy r style src "
    "name rel "
    "data-id aria-pressed aria-live aria-expanded aria-haspopup aria-hidden title alt for target x y x1 x2 y1 y2 "
    "points "
    "transform xmlns focusable fill-rule clip-rule stroke-linecap stroke-linejoin xlink:href tabindex lang dir srcset "
    "colspan rowspan disabled hidden rr_width rr_height rr_scrollTop rr_scrollLeft loading sizes".split()
)
"""Attributes that change nothing about an element that is no field; any other is looked at."""

_QUIET: Final[dict[str, frozenset[object]]] = {
    "role": frozenset(
        "img presentation none group list listitem menu navigation main region banner contentinfo complementary dialog "
        "heading status alert article row cell gridcell grid table rowgroup separator tablist tabpanel toolbar".split()
    ),
    "type": frozenset("button submit reset text/css text/javascript module image/png image/svg+xml".split()),
}
"""Frequent values of telling attributes that say nothing: others are looked at with care."""

_TELLING: Final = frozenset({"contenteditable", "role", "data-rr-is-password", "value", "type", "autocomplete"})

_EDITABLE_ROLES: Final = frozenset("textbox searchbox combobox spinbutton".split())
_INTERACTIVE_ROLES: Final = frozenset(
    "button link tab option menuitem menuitemcheckbox menuitemradio checkbox radio switch treeitem".split()
)

_INPUT_TYPES: Final[dict[str, int]] = {
    "password": FLOOR | SENSITIVE,
    "hidden": FLOOR | SENSITIVE,
    "email": SENSITIVE,
    "tel": SENSITIVE,
    "file": SENSITIVE,
    "radio": CHOICE,
    "checkbox": CHOICE,
    "submit": BUTTON_FIELD | INTERACTIVE,
    "button": BUTTON_FIELD | INTERACTIVE,
    "reset": BUTTON_FIELD | INTERACTIVE,
    "image": INTERACTIVE,
}

_AUTOCOMPLETE_FLOOR: Final = frozenset({"new-password", "current-password", "one-time-code"})
_AUTOCOMPLETE_SENSITIVE: Final = frozenset({"email", "username", "tel", "bday", "impp"})

_FLOOR_NAMES: Final = re.compile(
    r"card.?(?:number|num|no)|(?:^|[^a-z])pan(?:$|[^a-z])|cc.?(?:num|number|no|exp|csc)|(?:^|[^a-z])(?:cvv2?|"
    r"cvc2?|csc)|cvv|"
    r"passw|pwd|passwd|passphrase|(?:^|[^a-z])ssn|ssn(?:$|[^a-z])|social.?security"
)
_SENSITIVE_NAMES: Final = re.compile(
    r"secret|token|api.?key|account.?(?:number|num|no)|acct|routing|iban|sort.?code|(?:^|[^a-z])(?:otp|pin|dob|"
    r"rrn|bic)(?:$|[^a-z])|"
    r"pin.?code|passcode|birth|passport|licen[cs]e|tax.?(?:id|number)|jumin|resident.?(?:number|no|reg)|phone|"
    r"mobile|e.?mail|"
    r"expir|(?:^|[^a-z])exp(?:$|[^a-z])|valid.?(?:thru|until)|mm ?/ ?yy|"
    r"security.?(?:code|answer|question)|credit|verification|two.?factor|2fa|(?:^|[^a-z])(?:tin|ein|vat)(?:$|[^a-z])"
)
_CAMEL_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_DESCRIBING: Final = ("name", "id", "class", "placeholder", "title", "aria-label")
_FLOOR_DESCRIBING: Final = ("name", "id")
_MAX_DESCRIPTION: Final = 500


def own_flags(tag: str, attributes: Mapping[str, AttributeValue], is_custom: bool) -> int:  # noqa: FBT001
    """Return the flags an element has of itself, whatever its ancestors and selectors add.

    `tag` is lower case; attribute names may have any case; `is_custom` is what the recorder says.
    """
    flags = TAG_FLAGS.get(tag, 0)
    if flags & FIELD or is_custom or "-" in tag:
        return _careful_flags(tag, flags, attributes, is_custom=is_custom)
    if INDIFFERENT.issuperset(attributes) or all(map(_says_nothing, attributes.items())):
        return flags
    return _careful_flags(tag, flags, attributes, is_custom=is_custom)


def _says_nothing(attribute: tuple[str, AttributeValue]) -> bool:
    """Tell whether an attribute makes nothing of an element that is no field."""
    name, value = attribute
    return name in INDIFFERENT or value in _QUIET.get(name, ()) or name.lower() not in _TELLING


def _careful_flags(tag: str, flags: int, attributes: Mapping[str, AttributeValue], *, is_custom: bool) -> int:
    texts = {name.lower(): "" if value is True else str(value) for name, value in attributes.items()}
    roles = texts.get("role", "").lower().split()
    if _EDITABLE_ROLES.intersection(roles):
        flags |= EDITABLE
    if _INTERACTIVE_ROLES.intersection(roles):
        flags |= INTERACTIVE
    if texts.get("contenteditable", "false").strip().lower() not in {"false", "inherit"}:
        flags |= EDITABLE
    if is_custom or ("-" in tag and tag not in _HYPHENATED_STANDARD):
        flags |= CUSTOM
        if "value" in texts or _FIELD_NAME.search(tag):
            flags |= FIELD | FIELD_TEXT
    kind = texts.get("type", "").strip().lower()
    if tag == "input":
        flags |= _INPUT_TYPES.get(kind, 0)
    if kind == "password" or "data-rr-is-password" in texts:
        flags |= FLOOR | SENSITIVE | FIELD
    if flags & (FIELD | EDITABLE) and not flags & BUTTON_FIELD:
        flags |= _sensitivity(tag, texts)
    return flags


def _sensitivity(tag: str, texts: Mapping[str, str]) -> int:
    flags = _autocomplete_flags(texts.get("autocomplete", ""))
    if texts.get("type", "").strip().lower() in {"password", "hidden"} and tag not in {"option", "output"}:
        flags |= FLOOR | SENSITIVE
    if texts.get("maxlength", "").strip() == "1":
        flags |= SENSITIVE
    for name in _DESCRIBING:
        if name in texts:
            named = named_flags(texts[name][:_MAX_DESCRIPTION])
            flags |= named if name in _FLOOR_DESCRIBING else named & SENSITIVE
    return flags


def _autocomplete_flags(value: str) -> int:
    flags = 0
    for token in value.lower().split():
        if token.startswith("cc-") or token in _AUTOCOMPLETE_FLOOR:
            flags |= FLOOR | SENSITIVE
        elif token in _AUTOCOMPLETE_SENSITIVE or token.startswith(("tel-", "bday-")):
            flags |= SENSITIVE
    return flags


@lru_cache(maxsize=5_000)
def named_flags(text: str) -> int:
    """Return the flags that a field has by a name or a label of it."""
    plain = _CAMEL_HUMP.sub(" ", normalise(text)).lower()
    if _FLOOR_NAMES.search(plain):
        return FLOOR | SENSITIVE
    return SENSITIVE if _SENSITIVE_NAMES.search(plain) else 0
