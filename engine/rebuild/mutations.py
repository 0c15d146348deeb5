"""Masks one mutation payload and applies it to the mirror, all or nothing of its decisions before any of its texts."""

from collections.abc import Sequence

from detectors.elements import LABEL_MAX_CHARACTERS, Element
from detectors.interactions import MUTATION_MAX_CHANGES, SCOPE_MAX_NODES, Change
from engine.masking.elements import own_flags
from engine.masking.flags import BLOCKED, CROSSES_ROOT, FIELD, INHERITED, INTERACTIVE, UNKNOWN, UNMASKED
from engine.reasons import Reason
from engine.rebuild.page import TEXT_TAG, Page
from engine.rebuild.tree import Note, TreeMasker
from schemas.rrweb_nodes import DocumentNode, ElementNode, Node, TextNode
from schemas.rrweb_sources import Addition, AttributeChange, MutationData, Removal, TextChange


class MutationMasker:
    """Applies mutation payloads to one page, in the order removes, adds, attributes, texts.

    A text or attribute is masked if it was masked before the payload or is masked after it, because decisions only
    ever grow (privacy rule of the fail-closed state machine). `changes` lists, for detectors, what was changed.
    """

    __slots__ = ("_max_depth", "_max_nodes", "_note", "_page", "changes", "total")

    def __init__(self, page: Page, note: Note, max_depth: int, max_nodes: int) -> None:
        self._page = page
        self._note = note
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self.changes: list[Change] = []
        self.total = 0

    def apply(self, data: MutationData) -> MutationData:
        """Return the masked payload; the mirror has moved on when it returns."""
        aside: dict[int, tuple[str, int]] = {}
        removes = [removal for removal in data.removes if self._remove(removal, aside)] if data.removes else []
        adds = self._add_all(data.adds, aside) if data.adds else []
        for change in data.attributes:
            self._decide(change)
        attributes = (
            [change for change in data.attributes if self._change_attributes(change)] if data.attributes else []
        )
        texts = [change for change in data.texts if self._change_text(change)] if data.texts else []
        return MutationData(
            texts=texts, attributes=attributes, removes=removes, adds=adds, is_attach_iframe=data.is_attach_iframe
        )

    def _note_change(
        self, kind: str, element: Element | None, node_id: int, name: str = "", *, text: bool = False
    ) -> None:
        self.total += 1
        if len(self.changes) >= MUTATION_MAX_CHANGES:
            return
        scope: list[int | str] = [node_id]
        element = None if element is None else element.parent
        while element is not None and len(scope) < SCOPE_MAX_NODES:
            scope.append(element.node_id)
            element = element.parent
        self.changes.append(Change(kind, node_id, tuple(scope), name, text))

    def _remove(self, removal: Removal, aside: dict[int, tuple[str, int]]) -> bool:
        element = self._page.nodes.get(removal.id)
        if element is None:
            return True
        hidden = element.parent is not None and element.parent.flags & BLOCKED
        self._note_change("remove", element, removal.id, element.tag)
        self._page.detach(element, aside)
        return not hidden

    def _add_all(self, adds: Sequence[Addition], aside: dict[int, tuple[str, int]]) -> list[Addition]:
        """Add parents before children, whatever the order sent; keep the order sent in what is returned."""
        nodes = self._page.nodes
        tree = TreeMasker(self._page, aside, self._note, self._max_depth, self._max_nodes)
        kept: set[int] = set()
        waiting: dict[int, list[int]] = {}
        ready: list[int] = []
        for position, addition in enumerate(adds):
            known = addition.parent_id in nodes
            ready.append(position) if known else waiting.setdefault(addition.parent_id, []).append(position)
            while ready:
                current = ready.pop()
                if self._add(adds[current], tree, aside):
                    kept.add(current)
                ready += waiting.pop(adds[current].node.id, ()) if waiting else ()
        for position in sorted(position for positions in waiting.values() for position in positions):
            if self._add(adds[position], tree, aside):
                kept.add(position)
        return [addition for position, addition in enumerate(adds) if position in kept]

    def _add(self, addition: Addition, tree: TreeMasker, aside: dict[int, tuple[str, int]]) -> bool:
        node = addition.node
        self._make_room(node, aside)
        parent = self._page.nodes.get(addition.parent_id)
        inherited = UNKNOWN if parent is None else parent.flags & INHERITED
        if parent is None:
            self._note(Reason.UNKNOWN_NODE)
        if parent is not None and getattr(node, "is_shadow", None) is True:
            inherited &= CROSSES_ROOT
        depth = _depth(parent)
        if not tree.add(node, parent, inherited, depth):
            return False
        self._page.unprepare(parent)
        added = self._page.nodes[node.id]
        self._note_change("add", added, node.id, added.tag, text=_has_text(node))
        return not inherited & BLOCKED

    def _make_room(self, node: Node, aside: dict[int, tuple[str, int]]) -> None:
        """Take nodes out whose ids come again: a move without a remove, or a sender that reuses ids."""
        waiting: list[Node] = [node]
        nodes = self._page.nodes
        while waiting:
            current = waiting.pop()
            old = nodes.get(current.id)
            if old is not None:
                self._page.detach(old, aside)
            if isinstance(current, ElementNode | DocumentNode):
                waiting += current.child_nodes

    def _decide(self, change: AttributeChange) -> None:
        """Let changed attributes add decisions to their element and what is below it; they never take one away."""
        page = self._page
        element = page.nodes.get(change.id)
        if element is None:
            return
        told = {name: value for name, value in change.attributes.items() if not isinstance(value, dict)}
        gained = own_flags(element.tag, {**element.attributes, **told}, is_custom=False) & ~element.flags
        if gained:
            page.mark(element, gained)
        self._decide_selectors(element, change)

    def _decide_selectors(self, element: Element, change: AttributeChange) -> None:
        page = self._page
        selectors = page.policy.selectors
        before = bits = page.bits.get(change.id, 0)
        for name, value in change.attributes.items():
            if not isinstance(value, dict):
                bits = selectors.changed_bits(bits, element.tag, name, value)
        if bits == before:
            return
        page.bits[change.id] = bits
        for node in list(page.subtree(element)):
            decided = selectors.decide(page.bits_outwards(node))
            if node.flags & UNMASKED and not decided & UNMASKED:
                _revoke(page, node)
            page.mark(node, decided & ~UNMASKED)

    def _change_attributes(self, change: AttributeChange) -> bool:
        page = self._page
        element = page.nodes.get(change.id)
        if element is None:
            self._note(Reason.UNKNOWN_NODE)
            change.attributes = page.masker.attribute_changes("div", UNKNOWN | FIELD, change.attributes)
            return bool(change.attributes)
        if element.parent is not None and element.parent.flags & BLOCKED:
            return False
        masked = change.attributes = page.masker.attribute_changes(element.tag, element.flags, change.attributes)
        if not masked:
            return False
        for name in masked:
            self._note_change("attribute", element, change.id, name)
        changed = {name: value for name, value in masked.items() if value is not None and not isinstance(value, dict)}
        old = {name: value for name, value in element.attributes.items() if name not in masked}
        element.attributes = {**old, **changed}
        page.unprepare(element)
        return True

    def _change_text(self, change: TextChange) -> bool:
        page = self._page
        element = page.nodes.get(change.id)
        if element is None:
            self._note(Reason.UNKNOWN_NODE)
            change.value = None if change.value is None else page.masker.text(change.value, UNKNOWN)
            return True
        if element.flags & BLOCKED:
            return False
        text = page.masker.text(change.value or "", element.flags)
        change.value = text
        if element.tag == TEXT_TAG and element.flags & INTERACTIVE:
            element.text = text.strip()[:LABEL_MAX_CHARACTERS]
            page.unprepare(element.parent)
        self._note_change("text", element, change.id, text=True)
        return True


def _revoke(page: Page, element: Element) -> None:
    for node in page.subtree(element):
        node.flags &= ~UNMASKED


def _depth(element: Element | None) -> int:
    depth = 0
    while element is not None:
        depth += 1
        element = element.parent
    return depth


def _has_text(node: Node) -> bool:
    if isinstance(node, TextNode):
        return bool(node.text_content.strip())
    return isinstance(node, ElementNode | DocumentNode) and any(_has_text(child) for child in node.child_nodes)
