"""What a node is by itself: its tag, what it takes over from its parent, and what detectors may read of it."""

from collections.abc import Mapping
from typing import Final

from detectors.elements import DETECTION_ATTRIBUTES, LABEL_MAX_CHARACTERS, Element
from engine.masking.flags import BLOCKED, CROSSES_ROOT, INHERITED, MASKED
from schemas.rrweb_nodes import AttributeValue, DocumentNode, ElementNode, Node, TextNode

PARENTS: Final = (ElementNode, DocumentNode)
"""Nodes that can have children."""

DOCUMENT_TAG: Final = "#document"
TEXT_TAG: Final = "#text"
OTHER_TAG: Final = "#other"

NO_PARENT: Final = 0
"""Parent of the document, and of nodes whose place is not known; rrweb's ids are positive."""

PREPARED: Final = 1 << 30
"""Set on elements whose attributes and label are in the form detectors read; engine-internal, never stored."""

ATTRIBUTE_MAX_CHARACTERS: Final = 1_000
"""Longer attributes are cut for detectors, and so for the stored state, which a page of long texts would fill."""


def closed_root(element: Element) -> Element:
    """Return the outermost element of the blocked or masked area an element lies in."""
    closed = element.flags & (BLOCKED | MASKED)
    while element.parent is not None and element.parent.flags & closed:
        element = element.parent
    return element


def inherited_mask(node: Node) -> int:
    """Return which flags a node takes over from its parent: a shadow root or an inner document lets fewer through."""
    return CROSSES_ROOT if node.is_shadow is True or isinstance(node, DocumentNode) else INHERITED


def tag_of(node: Node) -> str:
    """Return the tag a node has in the mirror."""
    if isinstance(node, ElementNode):
        return node.tag_name
    if isinstance(node, TextNode):
        return TEXT_TAG
    return DOCUMENT_TAG if isinstance(node, DocumentNode) else OTHER_TAG


def label_text(text: str) -> str:
    """Cut a text for labels."""
    return text.strip()[:LABEL_MAX_CHARACTERS]


def detection_attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    """Keep of masked attributes what detectors may read, as texts (`""` for values that aren't)."""
    if DETECTION_ATTRIBUTES.isdisjoint(attributes):
        return {}
    return {
        name: value[:ATTRIBUTE_MAX_CHARACTERS] if isinstance(value, str) else ""
        for name, value in attributes.items()
        if name in DETECTION_ATTRIBUTES
    }
