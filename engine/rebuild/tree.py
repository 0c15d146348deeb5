"""Masks a tree of rrweb nodes and mirrors it, in one walk."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import UNSET

from engine.masking.elements import own_flags
from engine.masking.flags import (
    BLOCKED,
    CROSSES_ROOT,
    EDITABLE,
    FIELD,
    FLOOR,
    INHERITED,
    MASKED,
    SENSITIVE,
    STYLE_TEXT,
    UNKNOWN,
    UNMASKED,
)
from engine.masking.plain import KNOWN_TAGS, NONE_PLAIN, plain_elements
from engine.reasons import Reason
from engine.rebuild.field_memory import (
    PASSWORD_FLAGS,
    is_password,
    read_labels,
    references_of,
    takes_place,
    texts_of,
)
from engine.rebuild.nodes import NO_PARENT, TEXT_TAG, tag_of
from engine.rebuild.page import Page
from schemas.rrweb_nodes import (
    AttributeValue,
    CdataNode,
    CommentNode,
    DoctypeNode,
    DocumentNode,
    ElementNode,
    Node,
    TextNode,
)
from schemas.rrweb_sources import StyleDifference

TAG_NAME: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,63}", re.ASCII)
"""Names a player can create; others become `div`, as rrweb's own recorder does (`snapshot.ts`, getValidTagName)."""

DOCTYPES: Final = frozenset({"html", "svg", "math"})
DOCTYPE_WORDS: Final = frozenset(
    "w c ietf wapforum oma dtd xhtml html svg mathml math wml mobile basic strict transitional frameset tiny final "
    "full plus level draft rdfa print events en http https www org about legacy compat tr graphics markup rec loose "
    "openmobilealliance tech flat".split()
)
DOCTYPE_MAX_CHARACTERS: Final = 120
DOCTYPE_MAX_DIGITS: Final = 10
DOCTYPE_PUNCTUATION: Final = re.compile(r"[\d\s/.,:+_-]*", re.ASCII)
"""What the identifiers of standards are made of: others may hold whatever a page wrote there."""

Sticky = Mapping[int, tuple[str, int]]
Changes = Mapping[str, AttributeValue | StyleDifference]
Note = Callable[[Reason], None]


class TreeMasker:
    """Masks nodes in place of a tree decoded for the purpose, and registers each in a page's mirror.

    `sticky` holds, by node id, tag and flags of nodes that were here before (a checkout, a move): the sticky flags hold
    on, in a new snapshot where the tag is the same. `coming` holds, by node id, what the payload at hand goes on to
    change of the attributes of nodes it adds: they are judged by both. `decided` holds what siblings decide, `labelled`
    are nodes within sensitive labels, `swapped` are parents that a password was taken from. `note` counts what is
    dropped. Nodes deeper than `max_depth` levels and beyond `max_nodes` a page are dropped with everything below, and
    so is a node whose id is taken.
    """

    __slots__ = (
        "_max_depth",
        "_max_nodes",
        "_note",
        "_page",
        "_plain",
        "_selectors",
        "below",
        "coming",
        "decided",
        "labelled",
        "refused",
        "same_page",
        "sticky",
        "swapped",
    )

    def __init__(self, page: Page, sticky: Sticky, note: Note, max_depth: int, max_nodes: int) -> None:
        self._page = page
        self.sticky = sticky
        self._note = note
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self._selectors = page.policy.selectors
        self._plain = plain_elements(self._selectors)
        self.below: dict[int, list[Node]] = {}
        self.coming: Mapping[int, Changes] = {}
        self.decided: Mapping[int, int] = {}
        self.same_page = False
        self.labelled: set[int] = set()
        self.swapped: set[int] = set()
        self.refused: set[int] = set()

    def add_document(self, document: DocumentNode) -> None:
        """Mask and register a page's own document with everything below."""
        self.read_labels([document])
        if self._page.structure is not None:
            self.decided = self._page.structure.add_document(document)
        self._walk([document], NO_PARENT, 0, 0)

    def read_labels(self, nodes: Sequence[Node]) -> bool:
        """Take note of the labels among nodes that are going to be added; return whether there is news of any."""
        page = self._page
        if not page.policy.reads_labels:
            return False
        before = len(page.memory.labelled) + len(page.memory.telling)
        self.labelled |= read_labels(page.memory, nodes, self.below, page.masker.identifier)
        return len(page.memory.labelled) + len(page.memory.telling) > before

    def add(self, siblings: Sequence[Node], parent_id: int, flags: int, depth: int) -> list[Node]:
        """Mask and register siblings and everything below them; return those that stay.

        `flags` are those of their parent, `parent_id`, which is `NO_PARENT` if their place is not known; `depth`
        counts their ancestors. What `below` holds for one of the nodes is taken out and added below it.
        """
        self.same_page = True
        if parent_id in self.swapped:
            return self._add_swapped(siblings, parent_id, flags, depth)
        if flags & BLOCKED:
            self.refused.update(map(id, siblings))
        return self._walk(siblings, parent_id, flags & INHERITED, depth)

    def _add_swapped(self, siblings: Sequence[Node], parent_id: int, flags: int, depth: int) -> list[Node]:
        """Add what comes where a password goes: whatever it is, it may show it."""
        kept = self._walk(siblings, parent_id, flags & INHERITED | FLOOR | SENSITIVE, depth)
        own = self._page.own
        for node in kept:
            own[node.id] = own.get(node.id, 0) | FLOOR | SENSITIVE
        return kept

    def _walk(self, siblings: Sequence[Node], parent_id: int, inherited: int, depth: int) -> list[Node]:
        """Mask and register siblings and what is below each; return those that stay. They take over `inherited`."""
        page, below, max_nodes = self._page, self.below, self._max_nodes
        # Where something may stick, no element is plain before it was looked at.
        plain_flags, plain_names, class_bits = NONE_PLAIN if self.sticky or self.coming or self.decided else self._plain
        nodes, parents, mask = page.nodes, page.parents, page.masker.attributes
        too_deep = depth > self._max_depth
        kept: list[Node] = []
        for node in siblings:
            node_id = node.id
            if node_id in parents or len(parents) >= max_nodes or too_deep:
                self._refuse(node, depth)
                continue
            nodes[node_id] = node
            parents[node_id] = parent_id
            kept.append(node)
            flags = inherited if node.is_shadow is not True else inherited & CROSSES_ROOT
            if type(node) is ElementNode:
                tag, attributes = node.tag_name, node.attributes
                own = plain_flags.get(tag, -1)
                name = attributes.get("class", "")
                if own >= 0 and plain_names.issuperset(attributes) and isinstance(name, str) and not class_bits[name]:
                    if own:
                        page.own[node_id] = own
                        flags |= own
                    node.attributes = mask(tag, flags, attributes) if attributes else attributes
                else:
                    flags = self._mask_element(node, flags)
            elif type(node) is TextNode:
                if self.sticky or flags & STYLE_TEXT:
                    self._mask_odd_text(node, siblings, parent_id, flags)
                else:
                    node.text_content = page.masker.text(node.text_content, flags)
                continue
            else:
                flags = self._stick(node_id, tag_of(node)) | self._mask_other(node, flags)  # type: ignore[arg-type]  # what is neither element nor text
                if not isinstance(node, DocumentNode):
                    continue
            if node.child_nodes or node_id in below:
                self._descend(node, flags, depth + 1)
        return kept

    def _mask_odd_text(self, node: TextNode, siblings: Sequence[Node], parent_id: int, flags: int) -> None:
        """Mask a text to which something may stick, or which is a style sheet."""
        flags |= self._stick(node.id, TEXT_TAG) | self._part_flags(siblings, parent_id, flags)
        node.text_content = self._page.masker.text(node.text_content, flags)
        if flags & STYLE_TEXT:
            self._page.learn_style(node.text_content)

    def _part_flags(self, siblings: Sequence[Node], parent_id: int, flags: int) -> int:
        """Mask a text that is not all of its sheet: half a comment or string would show what was in it."""
        is_part = len(siblings) > 1 or self._page.has_children(parent_id, 2)
        return MASKED if flags & STYLE_TEXT and is_part else 0

    def _descend(self, node: ElementNode | DocumentNode, flags: int, depth: int) -> None:
        """Go on below a node: its own children, and those that were sent apart."""
        page, node_id = self._page, node.id
        if node.child_nodes:
            node.child_nodes = self._walk(node.child_nodes, node_id, flags & INHERITED, depth)
            if flags & BLOCKED:
                page.hide_children(node_id)
        siblings = self.below.pop(node_id, None)
        if siblings:
            ids = [sibling.id for sibling in siblings]
            page.children[node_id] = dict.fromkeys([*page.children_of(node_id), *ids] if node.child_nodes else ids)
            if flags & BLOCKED or node_id in self.swapped:
                self.add(siblings, node_id, flags, depth)
            else:
                self._walk(siblings, node_id, flags & INHERITED, depth)

    def _refuse(self, node: Node, depth: int) -> None:
        """Leave a node out, and what was to come below it."""
        if depth > self._max_depth:
            self._note(Reason.NODE_TOO_DEEP)
        else:
            self._note(Reason.NODE_DROPPED if node.id in self._page.parents else Reason.TOO_MANY_NODES)
        waiting = [node]
        while waiting:
            left_out = waiting.pop()
            self.refused.add(id(left_out))
            if left_out.id not in self._page.parents:
                waiting += self.below.pop(left_out.id, ())

    def _mask_element(self, node: ElementNode, flags: int) -> int:
        """Mask an element about which there may be something to decide; return its flags."""
        page = self._page
        tag = node.tag_name = tag_name(node.tag_name)
        own = own_flags(tag, node.attributes, is_custom=node.is_custom is True) | self._stuck(node.id, tag)
        bits = self._selectors.own_bits(tag, node.attributes)
        if bits:
            page.bits[node.id] = bits
            own |= self._selectors.decide(page.bits_outwards(node.id))
        own |= self.decided.get(node.id, 0)
        change = self.coming.get(node.id)
        if change is not None:
            own |= self._decide_coming(node, change)
        if own & (FIELD | EDITABLE):
            own |= self._remembered(node, own)
        if own:
            page.own[node.id] = own
        flags |= own
        sent = node.attributes
        node.attributes = page.masker.attributes(tag, flags, sent)
        sheet = node.attributes.get("_cssText")
        if isinstance(sheet, str):
            page.learn_style(sheet)
        if page.echo is not None and flags & FIELD:
            self._hear(node, sent)
        return flags

    def _hear(self, node: ElementNode, sent: Mapping[str, AttributeValue]) -> None:
        """Let the echo rule know what a field holds already, but for hidden ones: nobody typed that."""
        value = sent.get("value")
        if isinstance(value, str) and node.attributes.get("type") != "hidden":
            self._page.heard(node.id, value, node.attributes.get("value"))

    def _remembered(self, node: ElementNode, own: int) -> int:
        """Return the flags a field has by what was there before it, and by its labels."""
        page = self._page
        memory, name, texts = page.memory, page.masker.identifier, texts_of(node)
        names = [name(value) for value in (texts.get("name", "").strip(), texts.get("id", "").strip()) if value]
        flags = 0
        if is_password(own, texts.get("type")):
            memory.note_password(names)
        elif (names and memory.was_password(names)) or (memory.places and takes_place(page, node.id)):
            flags = PASSWORD_FLAGS
        if page.policy.reads_labels:
            references = references_of(texts.get("aria-labelledby"), name)
            memory.refer(node.id, references)
            field_id = name(texts.get("id", "").strip())
            within = node.id in self.labelled or any(above in memory.labels for above in page.ancestry(node.id))
            flags |= SENSITIVE if within or memory.is_labelled(field_id, references) else 0
        return flags

    def _decide_coming(self, node: ElementNode, change: Changes) -> int:
        """Return the flags a node has by the attributes it is about to get."""
        page = self._page
        merged = {**node.attributes, **{name: value for name, value in change.items() if not isinstance(value, dict)}}
        attributes = {name: value for name, value in merged.items() if value is not None}
        bits = page.bits[node.id] = self._selectors.own_bits(node.tag_name, attributes)
        decided = self._selectors.decide(page.bits_outwards(node.id)) if bits else 0
        return own_flags(node.tag_name, attributes, is_custom=node.is_custom is True) | decided & ~UNMASKED

    def _stick(self, node_id: int, tag: str) -> int:
        """Let stick what stuck to a node that is no element; return its flags."""
        own = self._stuck(node_id, tag)
        if own:
            self._page.own[node_id] = own
        return own

    def _stuck(self, node_id: int, tag: str) -> int:
        before = self.sticky.get(node_id)
        if before is None:
            return UNKNOWN if self.same_page and node_id <= self._page.forgotten_id else 0
        return before[1] if self.same_page or before[0] == tag else 0

    def _mask_other(self, node: CommentNode | CdataNode | DoctypeNode | DocumentNode, flags: int) -> int:
        if isinstance(node, DocumentNode):
            node.compat_mode = "BackCompat" if node.compat_mode == "BackCompat" else UNSET
            return flags & CROSSES_ROOT
        if isinstance(node, DoctypeNode):
            node.name, node.public_id, node.system_id = doctype(node)
        else:
            node.text_content = ""
        return flags


def tag_name(name: str) -> str:
    """Return an element's name in lower case, `div` if no player could create it."""
    if name in KNOWN_TAGS:
        return name
    lower = name.lower()
    return lower if TAG_NAME.fullmatch(lower) else "div"


def doctype(node: DoctypeNode) -> tuple[str, str, str]:
    """Return a doctype's name and ids if they are of the known harmless form, else the plain `html`."""
    ids = (node.public_id, node.system_id)
    if node.name.lower() in DOCTYPES and all(map(is_standard, ids)):
        return node.name, *ids
    return "html", "", ""


def is_standard(identifier: str) -> bool:
    """Tell whether a doctype's identifier is made of the words of standards, and of few digits."""
    words = set(re.findall(r"[a-z]+", identifier.lower()))
    rest = re.sub(r"[A-Za-z]+", "", identifier)
    return (
        len(identifier) <= DOCTYPE_MAX_CHARACTERS
        and words <= DOCTYPE_WORDS
        and sum(map(str.isdigit, rest)) <= DOCTYPE_MAX_DIGITS
        and DOCTYPE_PUNCTUATION.fullmatch(rest) is not None
    )
