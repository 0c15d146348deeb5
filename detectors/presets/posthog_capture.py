"""What PostHog's ordinary click capture takes, and by what labels it knows pagers; rage clicks need both."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from detectors.elements import Element
from detectors.machines.gestures import Pointer
from detectors.machines.selectors import Selectors
from detectors.presets.options import On, Patterns, Selector, inside, url_matcher

CAPTURED_TAGS: Final = frozenset({"a", "button", "form", "input", "select", "textarea", "label"})
NO_CAPTURE: Final = Selectors((".ph-no-capture",))


class Autocapture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the ordinary click capture leaves out; rage clicks need it."""

    enabled: On = True
    dom_event_allowlist: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(description="Kinds of browser events that are captured; none: all. Without `click` there is no rage."),
    ] = ()
    url_allowlist: Patterns = ()
    url_ignorelist: Patterns = ()
    css_selector_allowlist: Annotated[
        tuple[Selector, ...], Meta(description="CSS selectors of which one must match; none: all clicks are captured.")
    ] = ()
    element_allowlist: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...], Meta(description="Tags of which one must be in the path.")
    ] = ()


class Captured:
    """Whether the ordinary click capture takes a click."""

    def __init__(self, settings: Autocapture) -> None:
        events = settings.dom_event_allowlist
        self._takes_clicks = settings.enabled and (not events or "click" in events)
        self._urls = url_matcher(settings.url_allowlist) if settings.url_allowlist else None
        self._ignored_urls = url_matcher(settings.url_ignorelist)
        self._selectors = Selectors(settings.css_selector_allowlist) if settings.css_selector_allowlist else None
        self._tags = frozenset(settings.element_allowlist)

    def __call__(self, click: Pointer, element: Element) -> bool:
        """Tell whether it takes `click`, on `element`."""
        if not self._takes_clicks or (self._urls and not self._urls(click.page)) or self._ignored_urls(click.page):
            return False
        if self._tags and not inside(element, lambda node: node.tag in self._tags):
            return False
        if self._selectors is not None and self._selectors.closest(element) is None:
            return False
        return NO_CAPTURE.closest(element) is None and _is_clickable(element)


def _is_clickable(element: Element) -> bool:
    if element.tag == "html":
        return False
    if element.cursor:
        return True
    if element.tag == "form":
        return False
    above = element.parent if element.tag != "body" else None
    if above is not None and inside(above, lambda node: node.tag in CAPTURED_TAGS or bool(node.cursor)):
        return True
    return element.tag in CAPTURED_TAGS or element.attributes.get("contenteditable") == "true"


def is_labelled(element: Element, words: tuple[str, ...]) -> bool:
    """Tell whether one of the words is in the element's own text or label; a sign has to be all of it."""
    labels = (element.text.strip().lower(), element.attributes.get("aria-label", "").strip().lower())
    return any(word in label if _is_word(word) else word == label for word in words for label in labels)


def _is_word(text: str) -> bool:
    return any(character.isascii() and character.isalnum() for character in text)
