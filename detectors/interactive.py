"""Which elements ask to be clicked, and which of them can be blamed for not answering.

Sources: the eligibility and exemption columns of the public rules of Datadog, Sentry, Amplitude, Mixpanel and Splunk.
A recording shows attributes and no listeners, so we go by markup and, last of all, by what style sheets say of
clickable things: the cursor that they give them, and their names.
"""

import re
from typing import Final

from detectors.elements import ASKS, OPTS_OUT, TELLS, Element

MAX_ANCESTORS: Final = 32
"""Ancestors looked at before we give up: deeper than real controls are nested, and hostile pages nest deeper."""

WEAK_REACH: Final = 3
"""Weak signs (names, handlers, tabindex) speak for an element, its child and grandchild; beyond, it is a container."""

CLICK_ROLES: Final = frozenset(
    {
        "button", "link", "menuitem", "menuitemcheckbox", "menuitemradio", "option", "tab", "treeitem", "switch",
        "checkbox", "radio",
    }
)  # fmt: skip

CLICK_INPUTS: Final = frozenset({"button", "submit", "reset", "image", "checkbox", "radio"})
"""Input types that act when clicked. A file, colour or date input opens a picker that no recording shows."""

FIELD_TAGS: Final = frozenset({"textarea", "select"})
UNSEEN_TAGS: Final = frozenset({"canvas", "video", "audio", "iframe", "embed", "object"})
"""What happens inside these need not reach the recording."""

_IDENTITY_TAGS: Final = frozenset({"a", "area", "button", "summary", "input", "select", "textarea", "option", "label"})
_ACTING_TAGS: Final = frozenset({"button", "summary"})
_CONTAINER_TAGS: Final = frozenset(
    {"html", "body", "main", "nav", "header", "footer", "form", "ul", "ol", "table", "tbody", "tr", "#document"}
)
_DRAWN_TAGS: Final = frozenset(
    {"path", "g", "use", "circle", "ellipse", "line", "polygon", "polyline", "rect", "text", "tspan"}
)
_TELLING_TAGS: Final = UNSEEN_TAGS | (_IDENTITY_TAGS - {"option"})
"""Elements that are none of these, and whose attributes tell nothing, most by far, are passed over."""

_MODULE_NAME: Final = re.compile(r"\A[A-Za-z][\w-]*?_([A-Za-z][A-Za-z0-9-]*)__[\w-]{4,8}\Z")
_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_CLICK_WORDS: Final = frozenset({"link", "btn", "button", "clickable", "cta", "pointer"})


_CHOICE_ROLES: Final = frozenset({"radio", "menuitemradio", "option", "tab"})
_CHOSEN_WORDS: Final = frozenset({"active", "selected", "current", "is-active", "is-selected", "is-current"})


class Candidate:
    """An element that owes its visitor an answer, and the `sign` that says so."""

    __slots__ = ("element", "sign")

    def __init__(self, element: Element, sign: str) -> None:
        self.element = element
        self.sign = sign


def closest_interactive(element: Element) -> Element | None:
    """Find the nearest interactive element at or above `element`, up to `MAX_ANCESTORS` away."""
    node: Element | None = element
    for _ in range(MAX_ANCESTORS):
        if node is None:
            return None
        if node.tag in _IDENTITY_TAGS:
            return node
        if node.glance() & ASKS and _is_marked(node.attributes):
            return node
        if node.cursor and node.tag not in _CONTAINER_TAGS:
            return node
        node = node.parent
    return None


def whole_drawing(element: Element) -> Element:
    """Give the drawing (`svg`) that `element` is a part of, if it is one: its path is clicked for the whole icon."""
    if element.tag not in _DRAWN_TAGS:
        return element
    node: Element | None = element
    for _ in range(MAX_ANCESTORS):
        if node is None:
            break
        if node.tag == "svg":
            return node
        node = node.parent
    return element


def is_ignored(element: Element) -> bool:
    """Tell whether the site opted this element or one above it out of all detectors (`data-wince-ignore`)."""
    node: Element | None = element
    for _ in range(MAX_ANCESTORS):
        if node is None:
            return False
        if node.glance() & OPTS_OUT:
            return True
        node = node.parent
    return False


def is_text_field(element: Element) -> bool:
    """Tell whether the visitor types or picks here: text-like inputs, text areas, selects, editable content."""
    if element.tag == "input":
        return element.attributes.get("type", "text").lower() not in CLICK_INPUTS
    return element.tag in FIELD_TAGS or _is_editable(element.attributes)


def is_disabled(element: Element) -> bool:
    """Tell whether the browser (or the page, by `aria-disabled`) refuses clicks on this very element."""
    attributes = element.attributes
    return "disabled" in attributes or attributes.get("aria-disabled") == "true"


def is_chosen(element: Element) -> bool:
    """Tell whether a control is chosen already, so that choosing it again changes nothing: a tab, a page, an option."""
    attributes = element.attributes
    if attributes.get("aria-selected") == "true" or attributes.get("aria-current", "false") != "false":
        return True
    if attributes.get("role") in _CHOICE_ROLES and attributes.get("aria-checked") == "true":
        return True
    names = attributes.get("class", "").lower()
    if not ("active" in names or "selected" in names or "current" in names):
        return False  # as most: none of the words can be there
    return not _CHOSEN_WORDS.isdisjoint(names.replace("--", " ").replace("_", " ").split())


def candidate(element: Element, page: str) -> Candidate | None:
    """Find who owes an answer to a click on `element` of `page` (masked URL); `None` where nobody does.

    Controls and roles count at any distance. Weak signs count nearby and only if no control or exempt element is
    above. Exempt are fields, canvas and media, labels (their control gets a click of its own), disabled elements and
    links with a real address: with a modifier key, as a download, or in another window, they work without a trace.
    """
    weak: Candidate | None = None
    node: Element | None = element
    for distance in range(MAX_ANCESTORS):
        if node is None:
            break
        if node.tag in _TELLING_TAGS or node.glance() & TELLS:
            if _is_exempt(node, page):
                return None
            sign = _strong_sign(node)
            if sign is not None:
                return Candidate(node, sign)
        if weak is None and distance < WEAK_REACH:
            weak = _weak_candidate(node, distance)
        node = node.parent
    return weak


def _is_marked(attributes: dict[str, str]) -> bool:
    return (
        attributes.get("role") in CLICK_ROLES
        or "onclick" in attributes
        or _is_focusable(attributes)
        or _is_editable(attributes)
    )


def _is_focusable(attributes: dict[str, str]) -> bool:
    return attributes.get("tabindex", "").strip().isdecimal()


def _is_editable(attributes: dict[str, str]) -> bool:
    return attributes.get("contenteditable", "false") != "false"


def _is_exempt(node: Element, page: str) -> bool:
    tag = node.tag
    if tag == "label" or tag in UNSEEN_TAGS or is_text_field(node) or is_disabled(node) or _is_radio(node):
        return True
    return tag in {"a", "area"} and _leads_away(node.attributes, page)


def _is_radio(node: Element) -> bool:
    """Tell whether this is a radio button: one that is clicked in vain is on already, which no recording shows."""
    return node.tag == "input" and node.attributes.get("type", "").lower() == "radio"


def _leads_away(attributes: dict[str, str], page: str) -> bool:
    if "download" in attributes or attributes.get("target", "_self") not in {"", "_self"}:
        return True
    href = attributes.get("href")
    if href is None or href.startswith(("#", "javascript:")):
        return False
    address, hash_sign, name = href.partition("#")  # recorders make "#" absolute
    return not hash_sign or (bool(name) and address != page.partition("#")[0])


def _strong_sign(node: Element) -> str | None:
    if node.tag in _ACTING_TAGS or node.tag == "input":
        return "control"
    if node.tag == "a" and "name" not in node.attributes:
        return "link"
    return "role" if node.attributes.get("role") in CLICK_ROLES else None


def _weak_candidate(node: Element, distance: int) -> Candidate | None:
    if node.tag in _CONTAINER_TAGS:
        return None
    attributes = node.attributes
    if node.cursor:
        return Candidate(node, "cursor")
    if attributes:
        if "onclick" in attributes:
            return Candidate(node, "handler")
        if "role" not in attributes and "tabindex" in attributes and _is_focusable(attributes):
            return Candidate(node, "focusable")
        if "class" in attributes and _has_click_name(attributes["class"]):
            return Candidate(node, "name")
    return Candidate(node, "image") if node.tag == "img" and distance == 0 else None


def _has_click_name(class_names: str) -> bool:
    for name in class_names.split(maxsplit=32):
        # `card__cta--large` is a `card__cta`, and a style module's `Card_cta__x1Y2z` is a `cta`.
        module = _MODULE_NAME.match(name)
        base = module[1] if module else name.partition("--")[0]
        if _WORD_START.sub("-", base).lower().replace("_", "-").rpartition("-")[2] in _CLICK_WORDS:
            return True
    return False
