"""Labels that come or change while a page lives: the fields they name become sensitive, for good."""

from engine.masking.elements import named_flags
from engine.masking.flags import SENSITIVE
from engine.rebuild.field_memory import LABEL_CHARACTERS, LABEL_DEPTH_MAX, is_field, text_within
from engine.rebuild.page import Page
from schemas.rrweb_sources import AttributeChange, MutationData

LABEL = "label"
IDENTIFIED_DEPTH = 4
"""A text belongs to the elements with ids this near above it."""


class LabelKeeper:
    """Reads what a payload says of labels that are there already, before it is masked."""

    __slots__ = ("_page",)

    def __init__(self, page: Page) -> None:
        self._page = page

    def read(self, data: MutationData) -> None:
        """Take note of texts within labels, and of labels that are for another field now; tell the fields."""
        parents = self._page.parents
        found = [self._note_text(change.id, change.value or "") for change in data.texts if change.id in parents]
        found += [
            self._note_text(addition.parent_id, text_within(addition.node, {}))
            for addition in data.adds
            if addition.parent_id in parents
        ]
        found += [self._note_label(change) for change in data.attributes if change.id in self._page.memory.labels]
        if any(found):
            self.apply()

    def apply(self) -> None:
        """Let every field that a sensitive label names be sensitive."""
        page, memory = self._page, self._page.memory
        referring = {node_id for name in memory.telling for node_id in memory.referring.get(name, ())}
        flags = page.all_flags()
        for node_id, known in flags.items():
            if not is_field(known) or known & SENSITIVE:
                continue
            element = page.element(node_id)
            field_id = "" if element is None else element.attributes.get("id", "")
            within = any(above in memory.labels for above in page.ancestry(node_id))
            if within or node_id in referring or memory.is_labelled(field_id, ()):
                page.mark(node_id, SENSITIVE)

    def _note_text(self, node_id: int, text: str) -> bool:
        if not named_flags(text[:LABEL_CHARACTERS]):
            return False
        page, memory = self._page, self._page.memory
        for depth, above in enumerate(page.ancestry(node_id)[:LABEL_DEPTH_MAX]):
            element = page.element(above)
            if element is None:
                continue
            if depth <= IDENTIFIED_DEPTH:
                memory.remember(memory.telling, element.attributes.get("id", ""))
            if element.tag == LABEL:
                memory.remember(memory.labels, above)
                memory.remember(memory.labelled, element.attributes.get("for", ""))
        return True

    def _note_label(self, change: AttributeChange) -> bool:
        target = change.attributes.get("for")
        if not isinstance(target, str):
            return False
        memory = self._page.memory
        memory.remember(memory.labelled, self._page.masker.identifier(target.strip()))
        return True
