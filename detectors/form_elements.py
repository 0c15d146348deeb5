"""What belongs to a form: which form an element is part of, which fields look for something, what sends a form."""

from typing import Final

from detectors.elements import HAS_ROLE, Element
from detectors.interactive import MAX_ANCESTORS
from detectors.targets import label_of

SEARCH_WORDS: Final = frozenset({"search", "q", "query", "filter"})


def form_of(element: Element) -> Element | None:
    """Find the form that `element` belongs to; the closest dialog will do where there is none."""
    node: Element | None = element
    dialog: Element | None = None
    for _ in range(MAX_ANCESTORS):
        if node is None:
            break
        tag = node.tag
        role = node.attributes.get("role") if node.glance() & HAS_ROLE else None
        if tag == "form" or role == "form":
            return node
        if dialog is None and (tag == "dialog" or role == "dialog"):
            dialog = node
        node = node.parent
    return dialog


def is_search(field: Element) -> bool:
    """Tell whether a field is there to look for something: by type, role or name, or that of its form."""
    node: Element | None = field
    for _ in range(MAX_ANCESTORS):
        if node is None or node.tag == "body":
            return False
        attributes = node.attributes
        if attributes.get("type") == "search" or attributes.get("role") in {"search", "searchbox", "combobox"}:
            return True
        if node is field and not SEARCH_WORDS.isdisjoint(_words(field)):
            return True
        node = node.parent
    return False


def is_sender(control: Element) -> bool:
    """Tell whether a click on `control` sends its form: by the rules of HTML, or a button outside any form."""
    if _submits(control):
        return True
    is_plain = control.tag == "button" and control.attributes.get("type", "").lower() == "button"
    return is_plain and form_of(control) is None


def sends_form(control: Element) -> bool:
    """Tell whether a click on `control` sends a form that it is in."""
    return _submits(control) and form_of(control) is not None


def _submits(control: Element) -> bool:
    kind = control.attributes.get("type", "").lower()
    if control.tag == "input":
        return kind in {"submit", "image"}
    return control.tag == "button" and kind not in {"button", "reset"}


def _words(field: Element) -> set[str]:
    attributes = field.attributes
    text = " ".join((attributes.get("name", ""), attributes.get("id", ""), label_of(field) or ""))
    return set(text.lower().replace("-", " ").replace("_", " ").split())
