"""One page load of one window: the mirror of its masked tree, and the decisions that stick to its nodes."""

from collections.abc import Iterator, Mapping
from typing import Final

from detectors.elements import DETECTION_ATTRIBUTES, LABEL_MAX_CHARACTERS, Element
from engine.masking.flags import BLOCKED, INHERITED, INTERACTIVE, MASKED, STICKY, UNKNOWN
from engine.masking.masker import Masker
from engine.masking.policy import Policy
from schemas.rrweb_nodes import AttributeValue

DOCUMENT_TAG: Final = "#document"
TEXT_TAG: Final = "#text"
OTHER_TAG: Final = "#other"

PREPARED: Final = 1 << 30
"""Set on elements whose attributes and label are in the form detectors read; engine-internal, never stored."""

LABEL_MAX_NODES: Final = 32
"""A label is read from at most this many nodes of an element's subtree."""


class Page:
    """The mirror. `nodes` maps rrweb ids to elements; a node without parent, the root apart, hangs nowhere known.

    `known` is false until the page's first full snapshot: everything before is masked as unknown. `bits` holds, for
    each element on which a configured selector part is true, which parts are (decisions, never originals).
    """

    __slots__ = ("bits", "href_key", "known", "masker", "nodes", "policy", "scroll_x", "scroll_y", "url")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.masker: Masker = policy.masker(policy.level)
        self.nodes: dict[int, Element] = {}
        self.bits: dict[int, int] = {}
        self.known = False
        self.url = ""
        self.href_key = 0
        self.scroll_x = 0.0
        self.scroll_y = 0.0

    def enter(self, href: str) -> None:
        """Take `href` as the page's address: it decides the privacy level and is shown masked."""
        self.masker = self.policy.masker(self.policy.level_for(href))
        self.url = self.masker.url(href)

    def flags(self, node_id: int) -> int:
        """Return what is decided about a node; `UNKNOWN` for one that isn't in the mirror."""
        element = self.nodes.get(node_id)
        return UNKNOWN if element is None else element.flags

    def public_id(self, node_id: int) -> int:
        """Return the id to publish as a pointer's target: -1 for unknown nodes, the root of a closed area."""
        element = self.nodes.get(node_id)
        if element is None:
            return -1
        if not element.flags & (BLOCKED | MASKED):
            return node_id
        return closed_root(element).node_id  # type: ignore[return-value]  # mirrored nodes have integer ids

    def target(self, node_id: int) -> Element | None:
        """Return the element a detector may see for a pointer's target, with attributes and labels prepared."""
        element = self.nodes.get(node_id)
        if element is None:
            return None
        if element.flags & (BLOCKED | MASKED):
            element = closed_root(element)
        if element.tag == TEXT_TAG and element.parent is not None:
            element = element.parent
        self.prepare(element)
        return element

    def prepare(self, element: Element) -> None:
        """Bring an element and its ancestors into the form detectors read, as far as that isn't done."""
        current: Element | None = element
        while current is not None:
            if not current.flags & PREPARED:
                current.attributes = detection_attributes(current.attributes)
                if current.flags & INTERACTIVE:
                    current.text = self.label(current)
                current.flags |= PREPARED
            current = current.parent

    def label(self, element: Element) -> str:
        """Join the (masked) texts an interactive element's subtree shows, cut to `LABEL_MAX_CHARACTERS`."""
        texts = [node.text for node in self._subtree(element, LABEL_MAX_NODES) if node.tag == TEXT_TAG and node.text]
        return " ".join(" ".join(texts).split())[:LABEL_MAX_CHARACTERS]

    def _subtree(self, element: Element, limit: int) -> Iterator[Element]:
        waiting = [element]
        while waiting and limit:
            limit -= 1
            node = waiting.pop()
            yield node
            if node.children:
                waiting += [self.nodes[child] for child in sorted(node.children, reverse=True) if child in self.nodes]

    def subtree(self, element: Element) -> Iterator[Element]:
        """Yield an element and all mirrored nodes below it."""
        return self._subtree(element, len(self.nodes))

    def unprepare(self, element: Element | None) -> None:
        """Have labels read again: something within this element changed."""
        while element is not None:
            element.flags &= ~PREPARED
            element = element.parent if element.flags & INTERACTIVE else None

    def detach(self, element: Element, aside: dict[int, tuple[str, int]]) -> None:
        """Take a node and its subtree out of the mirror, noting in `aside` what sticks to each (tag, flags)."""
        parent = element.parent
        if parent is not None and parent.children is not None:
            parent.children.pop(element.node_id, None)  # type: ignore[arg-type]  # mirrored nodes have integer ids
            self.unprepare(parent)
        for node in list(self.subtree(element)):
            node_id: int = node.node_id  # type: ignore[assignment]  # as above
            aside[node_id] = (node.tag, node.flags & STICKY)
            del self.nodes[node_id]
            self.bits.pop(node_id, None)
            node.parent = None

    def bits_outwards(self, element: Element | None) -> list[int]:
        """Return which selector parts are true for an element and each of its ancestors, nearest first."""
        found = []
        while element is not None:
            found.append(self.bits.get(element.node_id, 0))  # type: ignore[arg-type]  # mirrored nodes have integer ids
            element = element.parent
        return found

    def mark(self, element: Element, flags: int) -> None:
        """Add decided `flags` to a node, and what children take over of them to everything below it."""
        element.flags = (element.flags | flags) & ~PREPARED
        inherited = flags & INHERITED
        if inherited and element.children:
            for node in self.subtree(element):
                node.flags = (node.flags | inherited) & ~PREPARED


def closed_root(element: Element) -> Element:
    """Return the outermost element of the blocked or masked area an element lies in."""
    closed = element.flags & (BLOCKED | MASKED)
    while element.parent is not None and element.parent.flags & closed:
        element = element.parent
    return element


def detection_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    """Keep of masked attributes what detectors may read, as texts (`""` for values that aren't)."""
    return {
        name: value if isinstance(value, str) else ""
        for name, value in attributes.items()
        if name in DETECTION_ATTRIBUTES
    }
