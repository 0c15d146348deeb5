"""What the machines of presets share: gestures, elements above an element, findings."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from detectors.elements import Element
from detectors.interactions import AuxClick, Click
from detectors.protocol import Finding
from detectors.targets import describe
from schemas.signals import EvidenceValue, Target

MAX_ANCESTORS: Final = 64
"""Elements looked at above an element; hostile pages nest deeper."""

MAX_LISTED: Final = 32
"""Times listed in the evidence."""

Pointer = Click | AuxClick


class Place(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where something was clicked, as a state keeps it: the page's masked URL and the element described."""

    page: str
    target: Target

    @property
    def node_id(self) -> int | str:
        """The element's id within its page load."""
        return self.target.node_id


def place_of(click: Pointer, element: Element) -> Place:
    """Describe where `click` was, on `element`."""
    return Place(click.page, describe(element))


def press_time(click: Pointer) -> int:
    """Give when the button went down (epoch ms), never later than the click."""
    return min(click.press_t or click.t, click.t)


def release_time(click: Pointer) -> int:
    """Give when the button went up (epoch ms), never later than the click."""
    return min(click.release_t or click.t, click.t)


def path_of(element: Element) -> Iterator[Element]:
    """Yield an element and the elements above it, nearest first; the document is none."""
    node: Element | None = element
    for _ in range(MAX_ANCESTORS):
        if node is None or node.tag.startswith("#"):
            return
        yield node
        node = node.parent


def closest_tag(element: Element, tags: frozenset[str]) -> Element | None:
    """Find the nearest element with one of these tags, at or above `element`."""
    return next((node for node in path_of(element) if node.tag in tags), None)


def finding(  # noqa: PLR0913  # a finding has that many parts
    rule: str,
    t: int,
    place: Place | None,
    evidence: Mapping[str, EvidenceValue],
    *,
    end_t: int | None = None,
    count: int | None = None,
    page: str = "",
    key: str = "",
) -> Finding:
    """Make a finding of `rule` (`preset/detector@version`); the detector's name is the rule's."""
    detector = rule.partition("/")[2].partition("@")[0]
    last_t = t if end_t is None else end_t
    target, page = (None, page) if place is None else (place.target, place.page)
    return Finding(detector, t, last_t, page, target, rule, dict(evidence), count, key)
