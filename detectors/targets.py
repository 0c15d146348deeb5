"""How a signal names the element it is about: from the masked tree, short, and the same for the same place."""

import re
from functools import lru_cache
from typing import Final

from detectors.elements import LABEL_MAX_CHARACTERS, Element
from schemas.signals import Target

SELECTOR_PARTS: Final = 3
"""Elements in a selector: the target and what is needed to find it again by eye."""

NAME_MAX_CHARACTERS: Final = 40
"""Longer ids and classes are made by machines; they are left out of selectors."""

CACHED_MAX_CHARACTERS: Final = 200
"""Names made of longer class lists are made anew each time: the cache is bounded in bytes as well."""

PLACE_PARTS: Final = 6
PLACE_MAX_CHARACTERS: Final = 512

_UNSAFE: Final = re.compile(r"[^\w-]")
_BUTTON_TYPES: Final = frozenset({"button", "submit", "reset"})


def describe(element: Element) -> Target:
    """Make the `Target` of a signal. Everything in it comes from masked values."""
    return Target(element.node_id, selector_of(element), element.tag, label_of(element))


def selector_of(element: Element) -> str:
    """Give a short CSS path of masked names, for example `div.actions > button#btn-notify.btn`.

    The parent is always named, further ancestors only until an id was seen. Names with characters outside
    identifiers are escaped. The path need not be unique within the page.
    """
    parts = [_part(element)]
    seen_id = "id" in element.attributes
    node = element.parent
    while node is not None and len(parts) < SELECTOR_PARTS and node.tag not in {"body", "html", "#document"}:
        parts.append(_part(node))
        seen_id = seen_id or "id" in node.attributes
        if seen_id:
            break
        node = node.parent
    parts.reverse()
    return " > ".join(parts)


def place_of(element: Element, label: str | None) -> str:
    """Give a text by which an element that replaced another in the same place is found to be the same.

    It holds the `label`, which siblings differ in, and the path up to `PLACE_PARTS` elements or to the first id.
    """
    parts = [label or ""]
    node: Element | None = element
    while node is not None and len(parts) <= PLACE_PARTS:
        own_id = node.attributes.get("id")
        if own_id:
            parts.append(f"{node.tag}#{own_id}")
            break
        parts.append(f"{node.tag}.{node.attributes.get('class', '')}")
        node = node.parent
    return "<".join(parts)[:PLACE_MAX_CHARACTERS]


def label_of(element: Element) -> str | None:
    """Give what a visitor would call the element, at most `LABEL_MAX_CHARACTERS` long; `None` without a name."""
    attributes = element.attributes
    value = attributes.get("value", "") if attributes.get("type") in _BUTTON_TYPES else ""
    label = (
        attributes.get("aria-label") or element.text or value or attributes.get("alt") or attributes.get("title") or ""
    )
    return " ".join(label[: 2 * LABEL_MAX_CHARACTERS].split())[:LABEL_MAX_CHARACTERS] or None


def _part(element: Element) -> str:
    attributes = element.attributes
    if not attributes:
        return element.tag
    own_id, class_names = attributes.get("id", ""), attributes.get("class", "")
    name = _cached_name if len(own_id) + len(class_names) <= CACHED_MAX_CHARACTERS else _name
    return name(element.tag, own_id, class_names)


def _name(tag: str, own_id: str, class_names: str) -> str:
    text = f"{tag}#{_escaped(own_id)}" if 0 < len(own_id) <= NAME_MAX_CHARACTERS else tag
    room = 1 if own_id else 2
    for name in class_names.split(maxsplit=8):
        if len(name) <= NAME_MAX_CHARACTERS:
            text += "." + _escaped(name)
            room -= 1
            if not room:
                break
    return text


_cached_name: Final = lru_cache(maxsize=2_000)(_name)


def _escaped(name: str) -> str:
    if name.replace("-", "").replace("_", "").isalnum():
        return name
    return _UNSAFE.sub(r"\\\g<0>", name)
