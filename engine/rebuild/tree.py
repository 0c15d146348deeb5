"""Masks a tree of rrweb nodes and mirrors it, in one walk."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from detectors.elements import LABEL_MAX_CHARACTERS, Element
from engine.masking.elements import own_flags
from engine.masking.flags import (
    BLOCKED,
    CROSSES_ROOT,
    DROPPED_TEXT,
    INHERITED,
    INTERACTIVE,
)
from engine.reasons import Reason
from engine.rebuild.page import DOCUMENT_TAG, OTHER_TAG, TEXT_TAG, Page
from schemas.rrweb_nodes import CdataNode, CommentNode, DoctypeNode, DocumentNode, ElementNode, Node, TextNode

TAG_NAME: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,63}", re.ASCII)
"""Names a player can create; others become `div`, as rrweb's own recorder does (`snapshot.ts`, getValidTagName)."""

Sticky = Mapping[int, tuple[str, int]]
Note = Callable[[Reason], None]


class TreeMasker:
    """Masks nodes in place of a tree decoded for the purpose, and registers each in a page's mirror.

    `sticky` holds, by node id, tag and flags of nodes that were here before (a checkout, a move): where the tag is
    the same its sticky flags hold on. `note` counts what is dropped. Nodes deeper than `max_depth` levels and beyond
    `max_nodes` a page are dropped with everything below.
    """

    __slots__ = (
        "_attributes",
        "_decide",
        "_max_depth",
        "_max_nodes",
        "_note",
        "_page",
        "_selectors",
        "_sticky",
        "_text",
    )

    def __init__(self, page: Page, sticky: Sticky, note: Note, max_depth: int, max_nodes: int) -> None:
        self._page = page
        self._sticky = sticky
        self._note = note
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self._attributes = page.masker.attributes
        self._text = page.masker.text
        self._selectors = page.policy.selectors

    def add(self, node: Node, parent: Element | None, inherited: int, depth: int = 0) -> bool:
        """Mask and register `node` and everything below it; return false if it has to be left out.

        `inherited` are the parent's flags that children take over; a shadow root or an inner document lets only
        some of them through.
        """
        nodes = self._page.nodes
        if depth > self._max_depth or len(nodes) >= self._max_nodes:
            self._note(Reason.NODE_TOO_DEEP if depth > self._max_depth else Reason.TOO_MANY_NODES)
            return False
        kind = type(node)
        if kind is ElementNode:
            return self._add_element(node, parent, inherited, depth)  # type: ignore[arg-type]  # just tested
        if kind is TextNode:
            self._add_text(node, parent, inherited)  # type: ignore[arg-type]
        elif kind is DocumentNode:
            element = self._register(node.id, DOCUMENT_TAG, parent, inherited & CROSSES_ROOT)
            self._add_children(node, element, element.flags & INHERITED, depth)  # type: ignore[arg-type]
        else:
            self._add_other(node, parent, inherited)  # type: ignore[arg-type]
        return True

    def _register(self, node_id: int, tag: str, parent: Element | None, flags: int, text: str = "") -> Element:
        sticky = self._sticky.get(node_id)
        if sticky is not None and sticky[0] == tag:
            flags |= sticky[1]
        element = Element(node_id, tag, {}, parent, None, text, flags)
        self._page.nodes[node_id] = element
        if parent is not None:
            if parent.children is None:
                parent.children = {node_id: None}
            else:
                parent.children[node_id] = None
        return element

    def _add_element(self, node: ElementNode, parent: Element | None, inherited: int, depth: int) -> bool:
        tag = node.tag_name = tag_name(node.tag_name)
        attributes = node.attributes
        if node.is_shadow is True:
            inherited &= CROSSES_ROOT
        flags = own_flags(tag, attributes, is_custom=node.is_custom is True) | inherited
        element = self._register(node.id, tag, parent, flags)
        bits = self._selectors.own_bits(tag, attributes)
        if bits:
            self._page.bits[node.id] = bits
            element.flags |= self._selectors.decide(self._page.bits_outwards(element))
        if attributes:
            node.attributes = element.attributes = self._attributes(tag, element.flags, attributes)
        if node.child_nodes:
            self._add_children(node, element, element.flags & INHERITED, depth)
        return True

    def _add_children(self, node: ElementNode | DocumentNode, element: Element, inherited: int, depth: int) -> None:
        depth += 1
        if inherited & BLOCKED:
            for child in node.child_nodes:
                self.add(child, element, inherited, depth)
            node.child_nodes = []
            return
        add = self.add
        kept = [child for child in node.child_nodes if add(child, element, inherited, depth)]
        if len(kept) != len(node.child_nodes):
            node.child_nodes = kept

    def _add_text(self, node: TextNode, parent: Element | None, inherited: int) -> None:
        if node.is_shadow is True:
            inherited &= CROSSES_ROOT
        text = node.text_content = self._text(node.text_content, inherited)
        label = text.strip()[:LABEL_MAX_CHARACTERS] if inherited & INTERACTIVE else ""
        self._register(node.id, TEXT_TAG, parent, inherited, label)

    def _add_other(self, node: CommentNode | CdataNode | DoctypeNode, parent: Element | None, inherited: int) -> None:
        if isinstance(node, DoctypeNode):
            node.name, node.public_id, node.system_id = doctype(node)
        else:
            node.text_content = ""
        self._register(node.id, OTHER_TAG, parent, inherited | DROPPED_TEXT)


_known_tags: Final = frozenset(
    "html head body meta link script style title base div span p a img svg path g rect circle line polygon polyline "
    "ul ol li table thead tbody tfoot tr td th caption col colgroup h1 h2 h3 h4 h5 h6 header footer main nav section "
    "article aside form input button select option optgroup textarea label fieldset legend datalist output progress "
    "meter details summary dialog menu iframe video audio source track canvas picture figure figcaption b i u s em "
    "strong small sub sup code pre kbd samp var blockquote q cite abbr time mark ruby rt rp bdi bdo br hr wbr ins del "
    "noscript template slot object embed param map area dl dt dd address use defs symbol text tspan".split()
)


def tag_name(name: str) -> str:
    """Return an element's name in lower case, `div` if no player could create it."""
    if name in _known_tags:
        return name
    lower = name.lower()
    return lower if TAG_NAME.fullmatch(lower) else "div"


def doctype(node: DoctypeNode) -> tuple[str, str, str]:
    """Return a doctype's name and ids if they are of the known harmless form, else the plain `html`."""
    plain = re.fullmatch(r"[a-z]{1,32}", node.name, re.IGNORECASE)
    ids = (node.public_id, node.system_id)
    if plain and all(re.fullmatch(r"[\w\-./:+ ]{0,200}", text, re.ASCII) for text in ids):
        return node.name, *ids
    return "html", "", ""
