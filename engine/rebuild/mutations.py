"""Masks one mutation payload and applies it to the mirror, all or nothing of its decisions before any of its texts."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from detectors.interactions import MUTATION_MAX_CHANGES, SCOPE_MAX_NODES, Change
from engine.masking.elements import own_flags
from engine.masking.flags import BLOCKED, FIELD, INTERACTIVE, UNKNOWN, UNMASKED
from engine.reasons import Reason
from engine.rebuild.page import NO_PARENT, TEXT_TAG, Page, inherited_mask, label_text
from engine.rebuild.tree import Note, TreeMasker
from schemas.rrweb_nodes import DocumentNode, ElementNode, Node, TextNode
from schemas.rrweb_sources import Addition, AttributeChange, MutationData, Removal, TextChange

Aside = dict[int, tuple[str, int]]
"""What sticks to nodes that were taken out, by id: they may come back in the same payload."""


class _Place(NamedTuple):
    """Where added nodes go: their parent, its flags, their depth, and the parent's children, to be added to."""

    node_id: int
    flags: int
    depth: int
    children: dict[int, None] | None


NOWHERE: Final = _Place(-3, 0, 0, None)
"""No answer yet; no event refers to a node by this id (`NodeReference`)."""


class MutationMasker:
    """Applies mutation payloads to one page, in the order removes, adds, attributes, texts.

    A text or attribute is masked if it was masked before the payload or is masked after it, because decisions only
    ever grow (privacy rule of the fail-closed state machine). `changes` lists, for detectors, what was changed.
    """

    __slots__ = ("_added", "_max_depth", "_max_nodes", "_note", "_page", "_place", "changes", "total")

    def __init__(self, page: Page, note: Note, max_depth: int, max_nodes: int) -> None:
        self._page = page
        self._note = note
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self.changes: list[Change] = []
        self.total = 0
        self._place = NOWHERE
        self._added: dict[int, _Place] = {}

    def apply(self, data: MutationData) -> MutationData:
        """Return the masked payload; the mirror has moved on when it returns."""
        aside: Aside = {}
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

    def _note_change(self, kind: str, node_id: int, name: str = "", *, text: bool = False) -> None:
        self.total += 1
        if len(self.changes) >= MUTATION_MAX_CHANGES:
            return
        parents = self._page.parents
        scope: list[int | str] = [node_id]
        above = parents.get(node_id, NO_PARENT)
        while above and len(scope) < SCOPE_MAX_NODES:
            scope.append(above)
            above = parents[above]
        self.changes.append(Change(kind, node_id, tuple(scope), name, text))

    def _hidden(self, node_id: int) -> bool:
        """Whether a node lies below a blocked element: nobody who plays the recording knows it."""
        parent_id = self._page.parents.get(node_id, NO_PARENT)
        return bool(parent_id and self._page.flags(parent_id) & BLOCKED)

    def _remove(self, removal: Removal, aside: Aside) -> bool:
        page = self._page
        if removal.id not in page.parents:
            return True
        hidden = self._hidden(removal.id)
        self._note_change("remove", removal.id, page.tag(removal.id))
        page.detach(removal.id, aside)
        return not hidden

    def _add_all(self, adds: Sequence[Addition], aside: Aside) -> list[Addition]:
        """Add parents before children, whatever the order sent; keep the order sent in what is returned."""
        parents = self._page.parents
        tree = TreeMasker(self._page, aside, self._note, self._max_depth, self._max_nodes)
        kept: set[int] = set()
        waiting: dict[int, list[int]] = {}
        ready: list[int] = []
        for position, addition in enumerate(adds):
            known = addition.parent_id in parents
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

    def _add(self, addition: Addition, tree: TreeMasker, aside: Aside) -> bool:
        page, node = self._page, addition.node
        if node.id in page.parents or getattr(node, "child_nodes", None):
            self._make_room(node, aside)
        place = self._place
        if addition.parent_id != place.node_id:
            place = self._place = self._place_of(addition.parent_id)
        if not tree.add(node, place.node_id, place.flags, place.depth):
            return False
        if place.children is None:
            self._note(Reason.UNKNOWN_NODE)
            page.own[node.id] = page.own.get(node.id, 0) | UNKNOWN
        else:
            place.children[node.id] = None
            self._added[node.id] = place
        self._note_added(node)
        return not place.flags & BLOCKED

    def _place_of(self, node_id: int) -> "_Place":
        """Look up where children of a node go; what the payload itself added is known without a look at the page."""
        page = self._page
        above = self._added.get(node_id)
        if above is not None:
            flags = page.own.get(node_id, 0) | above.flags & inherited_mask(page.nodes[node_id])
            return _Place(node_id, flags, above.depth + 1, page.changing_children(node_id))
        if node_id not in page.parents:
            return _Place(NO_PARENT, UNKNOWN, 0, None)
        flags = page.flags(node_id)
        page.unprepare(node_id, flags)
        return _Place(node_id, flags, len(page.ancestry(node_id)), page.changing_children(node_id))

    def _note_added(self, node: Node) -> None:
        if len(self.changes) < MUTATION_MAX_CHANGES:
            self._note_change("add", node.id, self._page.tag(node.id), text=_has_text(node))
        else:
            self.total += 1

    def _make_room(self, node: Node, aside: Aside) -> None:
        """Take nodes out whose ids come again: a move without a remove, or a sender that reuses ids."""
        page = self._page
        waiting: list[Node] = [node]
        while waiting:
            current = waiting.pop()
            if current.id in page.parents:
                page.detach(current.id, aside)
                self._place = NOWHERE
                self._added.clear()
            if isinstance(current, ElementNode | DocumentNode):
                waiting += current.child_nodes

    def _decide(self, change: AttributeChange) -> None:
        """Let changed attributes add decisions to their element and what is below it; they never take one away."""
        element = self._page.element(change.id)
        if element is None:
            return
        told = {name: value for name, value in change.attributes.items() if not isinstance(value, dict)}
        gained = own_flags(element.tag, {**element.attributes, **told}, is_custom=False) & ~element.flags
        if gained:
            self._page.mark(change.id, gained)
        self._decide_selectors(change, element.tag)

    def _decide_selectors(self, change: AttributeChange, tag: str) -> None:
        page = self._page
        selectors = page.policy.selectors
        before = bits = page.bits.get(change.id, 0)
        for name, value in change.attributes.items():
            if not isinstance(value, dict):
                bits = selectors.changed_bits(bits, tag, name, value)
        if bits == before:
            return
        page.bits[change.id] = bits
        for node_id in list(page.subtree(change.id)):
            decided = selectors.decide(page.bits_outwards(node_id))
            if page.flags(node_id) & UNMASKED and not decided & UNMASKED:
                page.revoke(node_id, UNMASKED)
            page.mark(node_id, decided & ~UNMASKED)

    def _change_attributes(self, change: AttributeChange) -> bool:
        page = self._page
        element = page.element(change.id)
        if element is None:
            self._note(Reason.UNKNOWN_NODE)
            change.attributes = page.masker.attribute_changes("div", UNKNOWN | FIELD, change.attributes)
            return bool(change.attributes)
        if self._hidden(change.id):
            return False
        masked = change.attributes = page.masker.attribute_changes(element.tag, element.flags, change.attributes)
        for name in masked:
            self._note_change("attribute", change.id, name)
        changed = {name: value for name, value in masked.items() if value is not None and not isinstance(value, dict)}
        kept = {name: value for name, value in element.attributes.items() if name not in masked}
        element.attributes = {**kept, **changed}  # type: ignore[dict-item]  # prepared again before a detector reads
        page.unprepare(change.id, element.flags)
        return bool(masked)

    def _change_text(self, change: TextChange) -> bool:
        page = self._page
        element = page.element(change.id)
        if element is None:
            self._note(Reason.UNKNOWN_NODE)
            change.value = None if change.value is None else page.masker.text(change.value, UNKNOWN)
            return True
        if element.flags & BLOCKED:
            return False
        text = change.value = page.masker.text(change.value or "", element.flags)
        if element.tag == TEXT_TAG and element.flags & INTERACTIVE:
            element.text = label_text(text)
            page.unprepare(page.parents[change.id], element.flags)
        self._note_change("text", change.id, text=True)
        return True


def _has_text(node: Node) -> bool:
    if isinstance(node, TextNode):
        return bool(node.text_content.strip())
    return isinstance(node, ElementNode | DocumentNode) and any(_has_text(child) for child in node.child_nodes)
