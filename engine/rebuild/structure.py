"""The order of a page's nodes, kept only where selectors ask for it: what siblings decide has to be decided again.

A verdict that masks or blocks sticks like any other; so it is enough to ask about elements whose siblings changed.
"""

from collections.abc import Iterable, Mapping, Sequence

from engine.masking.flags import MASKED
from engine.masking.selectors import SelectorSet
from engine.rebuild.field_memory import walk
from schemas.rrweb_nodes import DocumentNode, ElementNode, Node
from schemas.rrweb_sources import Addition, AttributeChange, Removal

MAX_ROUNDS = 16
"""Additions may name siblings and parents that come later in a payload; so often the rest is tried again."""
SIBLINGS_MAX = 2_000
"""Of more siblings than this none is counted: each of them may be anywhere."""


class Structure:
    """Elements by id with their tags, their true tests, and the order of their children.

    Children of a shadow root are siblings of each other only; they stand under the host's id, negated.
    """

    __slots__ = ("_selectors", "bits", "children", "lists", "tags")

    def __init__(self, selectors: SelectorSet) -> None:
        self._selectors = selectors
        self.tags: dict[int, str] = {}
        self.bits: dict[int, int] = {}
        self.children: dict[int, list[int]] = {}
        self.lists: dict[int, int] = {}

    # -- what selectors ask ---------------------------------------------------------------------------------------

    def bits_of(self, node_id: int) -> int:
        """Return which tests are true for an element."""
        return self.bits.get(node_id, 0)

    def parent_of(self, node_id: int) -> int:
        """Return the parent's id in the flat tree, 0 for none."""
        return abs(self.lists.get(node_id, 0))

    def _siblings(self, node_id: int) -> list[int]:
        return [other for other in self.children.get(self.lists.get(node_id, 0), ()) if self.tags.get(other)]

    def before(self, node_id: int) -> Sequence[int]:
        """Return the element siblings before an element, nearest first."""
        siblings = self._siblings(node_id)
        return siblings[: siblings.index(node_id)][::-1] if node_id in siblings else ()

    def place(self, node_id: int, *, of_type: bool, from_end: bool) -> int:
        """Return an element's place among its siblings, from 1; 0 if it has none."""
        siblings = self._siblings(node_id)
        if of_type:
            siblings = [other for other in siblings if self.tags[other] == self.tags[node_id]]
        if node_id not in siblings:
            return 0
        place = siblings.index(node_id)
        return len(siblings) - place if from_end else place + 1

    # -- what happens ---------------------------------------------------------------------------------------------

    def add_document(self, document: DocumentNode) -> dict[int, int]:
        """Take a page's own document; return what its elements' siblings decide about each."""
        self._enter([document], 0, None)
        return self.decide(self.tags)

    def apply(
        self, removes: Sequence[Removal], adds: Sequence[Addition], changes: Sequence[AttributeChange]
    ) -> dict[int, int]:
        """Take a payload; return what siblings decide about elements it may concern.

        New ones whose place is not known are masked.
        """
        touched: dict[int, int] = {}
        for removal in removes:
            self._touch(touched, removal.id)
            self._leave(removal.id)
        for change in changes:
            if change.id in self.tags and self._change(change):
                self._touch(touched, change.id)
        lost = self._place_all(adds, touched)
        decided = self.decide(self._concerned(touched))
        if lost:
            decided |= {node.id: MASKED for node in walk(lost, {})}
        return decided

    def decide(self, node_ids: Iterable[int]) -> dict[int, int]:
        """Return the flags that siblings give to each of these elements that gets some."""
        decided: dict[int, int] = {}
        for node_id in node_ids:
            if not self.tags.get(node_id):
                continue
            flags = 0
            crowded = len(self.children.get(self.lists.get(node_id, 0), ())) > SIBLINGS_MAX
            for flag, placed in self._selectors.placed:
                if flags & flag:
                    continue
                if crowded:
                    outwards = [self.bits_of(above) for above in self._outwards(node_id)]
                    flags |= flag if placed.anywhere.matches(outwards) else 0
                elif placed.matches(node_id, self):
                    flags |= flag
            if flags:
                decided[node_id] = flags
        return decided

    def _outwards(self, node_id: int) -> list[int]:
        found = [node_id]
        while above := self.parent_of(found[-1]):
            found.append(above)
        return found

    def _touch(self, touched: dict[int, int], node_id: int) -> None:
        """Note from which place on a list of siblings has changed."""
        place = self.lists.get(node_id)
        siblings = self.children.get(place, []) if place is not None else []
        if place is not None and node_id in siblings:
            index = siblings.index(node_id)
            touched[place] = min(touched.get(place, index), index)

    def _concerned(self, touched: Mapping[int, int]) -> list[int]:
        looks_back = any(placed.looks_back for _, placed in self._selectors.placed)
        reaches = any(placed.reaches for _, placed in self._selectors.placed)
        found: dict[int, None] = {}
        for place, index in touched.items():
            roots = self.children.get(place, [])[0 if looks_back else index :]
            waiting = list(roots)
            while waiting:
                node_id = waiting.pop()
                if node_id in found:
                    continue
                found[node_id] = None
                if reaches:
                    waiting += self.children.get(node_id, ())
                    waiting += self.children.get(-node_id, ())
        return list(found)

    def _change(self, change: AttributeChange) -> bool:
        before = bits = self.bits.get(change.id, 0)
        for name, value in change.attributes.items():
            if not isinstance(value, dict):
                bits = self._selectors.changed_bits(bits, self.tags[change.id], name, value)
        self.bits[change.id] = bits
        return bits != before

    def _place_all(self, adds: Sequence[Addition], touched: dict[int, int]) -> list[Node]:
        waiting = list(adds)
        for last in [False] * MAX_ROUNDS + [True]:
            left = [addition for addition in waiting if not self._place(addition, touched, anywhere=last)]
            if len(left) == len(waiting) and last:
                break
            waiting = left
        return [addition.node for addition in waiting]

    def _place(self, addition: Addition, touched: dict[int, int], *, anywhere: bool) -> bool:
        node, next_id = addition.node, addition.next_id
        if addition.parent_id not in self.tags:
            return False
        place = -addition.parent_id if node.is_shadow is True else addition.parent_id
        siblings = self.children.setdefault(place, [])
        if next_id is not None and next_id not in siblings and not anywhere:
            return False
        self._leave(node.id)
        self._enter([node], place, next_id)
        self._touch(touched, node.id)
        return True

    def _enter(self, nodes: Sequence[Node], place: int, next_id: int | None) -> None:
        waiting = [(node, place, next_id) for node in reversed(nodes)]
        while waiting:
            node, place, before = waiting.pop()
            if node.id in self.tags:
                continue
            siblings = self.children.setdefault(place, [])
            siblings.insert(siblings.index(before) if before in siblings else len(siblings), node.id)
            self.lists[node.id] = place
            self.tags[node.id] = node.tag_name.lower() if isinstance(node, ElementNode) else ""
            if isinstance(node, ElementNode):
                self.bits[node.id] = self._selectors.own_bits(self.tags[node.id], node.attributes)
            children = reversed(getattr(node, "child_nodes", ()))
            waiting += [(child, -node.id if child.is_shadow is True else node.id, None) for child in children]

    def _leave(self, node_id: int) -> None:
        if node_id not in self.tags:
            return
        self.children[self.lists[node_id]].remove(node_id)
        waiting = [node_id]
        while waiting:
            gone = waiting.pop()
            for known in (self.tags, self.bits, self.lists):
                known.pop(gone, None)
            waiting += self.children.pop(gone, ())
            waiting += self.children.pop(-gone, ())

    # -- what is stored -------------------------------------------------------------------------------------------

    def state(self) -> list[tuple[int, list[int], list[str], list[int]]]:
        """Return each list of siblings: where it stands, ids, tags and true tests."""
        return [
            (place, ids, [self.tags[node] for node in ids], [self.bits.get(node, 0) for node in ids])
            for place, ids in self.children.items()
            if ids
        ]

    def restore(self, state: Iterable[tuple[int, list[int], list[str], list[int]]]) -> "Structure":
        """Take what `state` gave."""
        for place, ids, tags, bits in state:
            self.children[place] = list(ids)
            for node_id, tag, true in zip(ids, tags, bits, strict=True):
                self.tags[node_id], self.bits[node_id], self.lists[node_id] = tag, true, place
        return self
