"""Masks one mutation payload and applies it to the mirror, all or nothing of its decisions before any of its texts."""

from typing import Final

from detectors.elements import Element
from detectors.interactions import MUTATION_MAX_CHANGES, SCOPE_MAX_NODES, Change
from engine.masking.elements import own_flags
from engine.masking.flags import (
    BLOCKED,
    DROPPED_TEXT,
    EDITABLE,
    FIELD,
    FIELD_TEXT,
    INTERACTIVE,
    MASKED,
    STYLE_TEXT,
    UNKNOWN,
    UNMASKED,
)
from engine.reasons import Reason
from engine.rebuild.additions import Additions, has_text
from engine.rebuild.field_memory import is_field, judge_names, note_removal
from engine.rebuild.labels import LabelKeeper
from engine.rebuild.nodes import NO_PARENT, OTHER_TAG, TEXT_TAG, detection_attributes, label_text
from engine.rebuild.page import Page
from engine.rebuild.structure import Structure
from engine.rebuild.tree import Note, TreeMasker
from schemas.rrweb_sources import Addition, AttributeChange, MutationData, Removal, TextChange

REVIEWS_MAX: Final = 500_000
"""Nodes of one page load about which changing classes can have selectors like `.a .b` asked again: some seconds of
work. After that an element whose change concerns its descendants is masked with all of them."""


class MutationMasker:
    """Applies mutation payloads to one page, in the order removes, adds, attributes, texts.

    A text or attribute is masked if it was masked before the payload or is masked after it, because decisions only
    ever grow and what attributes decide is decided before anything is added (privacy rule of the fail-closed state
    machine). `changes` lists, for detectors, what was changed.
    """

    __slots__ = ("_labels", "_max_depth", "_max_nodes", "_note", "_page", "_placed", "_swapped", "changes", "total")

    def __init__(self, page: Page, note: Note, max_depth: int, max_nodes: int) -> None:
        self._page = page
        self._note = note
        self._max_depth = max_depth
        self._max_nodes = max_nodes
        self._labels = LabelKeeper(page) if page.policy.reads_labels else None
        self._swapped: set[int] = set()
        self._placed: dict[int, int] = {}
        self.changes: list[Change] = []
        self.total = 0

    def apply(self, data: MutationData) -> MutationData:
        """Return the masked payload; the mirror has moved on when it returns."""
        page = self._page
        removes = [removal for removal in data.removes if self._remove(removal)] if data.removes else []
        for change in data.attributes:
            self._decide(change)
        if page.structure is not None:
            self._decide_places(page.structure, data)
        if self._labels is not None:
            self._labels.read(data)
        adds = self._add(data) if data.adds else []
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

    def _remove(self, removal: Removal) -> bool:
        page = self._page
        if removal.id not in page.parents:
            return True
        hidden = self._hidden(removal.id)
        self._note_change("remove", removal.id, page.tag(removal.id))
        if page.memory.had_password and note_removal(page, removal.id):
            self._swapped.add(page.parents[removal.id])
        page.detach(removal.id)
        return not hidden

    def _add(self, data: MutationData) -> list[Addition]:
        page = self._page
        tree = TreeMasker(page, {}, self._note, self._max_depth, self._max_nodes)
        tree.coming = {change.id: change.attributes for change in data.attributes if change.id not in page.parents}
        tree.swapped = self._swapped
        tree.decided = self._placed
        additions = Additions(page, tree, self._note)
        kept = additions.apply(data.adds)
        if additions.has_news and self._labels is not None:
            self._labels.apply()
        for node in additions.first:
            self._note_change("add", node.id, self._page.tag(node.id), text=has_text(node))
        self.total += additions.count - len(additions.first)
        return kept

    def _decide(self, change: AttributeChange) -> None:
        """Let changed attributes add decisions to their element and what is below it; they never take one away."""
        page = self._page
        element = page.element(change.id)
        if element is None:
            return
        # What a resumed session knows of its attributes must be enough here, and one that gains ever more no burden.
        element.attributes = detection_attributes(element.attributes)
        told = {name: value for name, value in change.attributes.items() if not isinstance(value, dict)}
        self._gain(change.id, own_flags(element.tag, {**element.attributes, **told}, is_custom=False))
        if is_field(element.flags):
            names = {name.lower(): value for name, value in told.items() if isinstance(value, str)}
            self._gain(change.id, judge_names(page, change.id, element, names))
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
        if not (bits ^ before) & selectors.reaching:
            self._review(change.id)
        elif page.reviews > REVIEWS_MAX:
            self._gain(change.id, MASKED)
        else:
            below = list(page.subtree(change.id))
            page.reviews += len(below)
            for node_id in below:
                self._review(node_id)

    def _decide_places(self, structure: Structure, data: MutationData) -> None:
        """Let changed siblings add decisions; what unmasked an element by its place ends with it."""
        page = self._page
        added = {addition.node.id for addition in data.adds}
        self._placed = structure.apply(data.removes, data.adds, data.attributes, data.texts)
        for node_id, flags in self._placed.items():
            if node_id in page.parents and node_id not in added:
                self._gain(node_id, flags & ~UNMASKED)
        if page.policy.unmasks_by_place:
            shown = [
                node_id for node_id in structure.concerned if node_id in page.parents and self._begins_unmasked(node_id)
            ]
            for node_id in shown:
                self._review(node_id)

    def _begins_unmasked(self, node_id: int) -> bool:
        """Whether a node is unmasked for itself, and not for what it is in."""
        page = self._page
        parent_id = page.parents[node_id]
        return bool(page.flags(node_id) & UNMASKED) and not (parent_id and page.flags(parent_id) & UNMASKED)

    def _review(self, node_id: int) -> None:
        """Ask the selectors again about a node."""
        page = self._page
        decided = page.policy.selectors.decide(page.bits_outwards(node_id))
        if page.structure is not None:
            decided |= page.structure.decide([node_id]).get(node_id, 0)
        if page.flags(node_id) & UNMASKED and not decided & UNMASKED:
            page.revoke(node_id, UNMASKED)
        self._gain(node_id, decided & ~UNMASKED)

    def _gain(self, node_id: int, flags: int) -> None:
        gained = flags & ~self._page.flags(node_id)
        if gained:
            self._page.mark(node_id, gained)

    def _change_attributes(self, change: AttributeChange) -> bool:
        page = self._page
        element = page.element(change.id)
        if element is None:
            self._note(Reason.UNKNOWN_NODE)
            change.attributes = page.masker.attribute_changes("div", UNKNOWN | FIELD, change.attributes)
            return bool(change.attributes)
        if self._hidden(change.id):
            return False
        sent_value = change.attributes.get("value")
        masked = change.attributes = page.masker.attribute_changes(element.tag, element.flags, change.attributes)
        for name in masked:
            self._note_change("attribute", change.id, name)
        changed = {name: value for name, value in masked.items() if value is not None and not isinstance(value, dict)}
        kept = {name: value for name, value in element.attributes.items() if name not in masked}
        element.attributes = {**kept, **detection_attributes(changed)}
        page.unprepare(change.id, element.flags)
        if isinstance(sent_value, str):
            if page.policy.reads_labels:
                page.learn(change.id, sent_value, masked.get("value"))
            if element.flags & FIELD:
                page.heard(change.id, sent_value, masked.get("value"))
        return bool(masked)

    def _text_flags(self, change: TextChange, element: Element) -> int:
        """Return the flags by which a changed text is masked: only text nodes show one by themselves."""
        if element.tag == OTHER_TAG:
            return DROPPED_TEXT
        if element.tag != TEXT_TAG:
            return element.flags | UNKNOWN
        if element.flags & STYLE_TEXT and self._page.has_children(self._page.parents[change.id], 2):
            # Half a comment is none: what ends in one text of a sheet may have begun in another.
            return element.flags | MASKED
        return element.flags

    def _change_text(self, change: TextChange) -> bool:
        page = self._page
        element = page.element(change.id)
        if element is None:
            self._note(Reason.UNKNOWN_NODE)
            change.value = None if change.value is None else page.masker.text(change.value, UNKNOWN)
            return True
        if element.flags & BLOCKED:
            return False
        sent = change.value or ""
        text = change.value = page.masker.text(sent, self._text_flags(change, element))
        if element.flags & (FIELD_TEXT | EDITABLE):
            page.heard(change.id, sent, text)
        if element.tag == TEXT_TAG and element.flags & INTERACTIVE:
            element.text = label_text(text)
            page.unprepare(page.parents[change.id], element.flags)
        self._note_change("text", change.id, text=True)
        return True
