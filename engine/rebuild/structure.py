"""The order of a page's nodes, kept only where selectors ask for it: what siblings decide has to be decided again.

A verdict that masks or blocks sticks like any other; so it is enough to ask about elements whose siblings changed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from engine.masking.flags import MASKED, UNMASKED
from engine.masking.selector_places import Counted, Having, PlacedChain
from engine.masking.selectors import SelectorSet
from engine.rebuild.field_memory import walk
from schemas.rrweb_nodes import DocumentNode, ElementNode, Node, TextNode
from schemas.rrweb_sources import Addition, AttributeChange, Removal, TextChange

MAX_ROUNDS = 16
"""Additions may name siblings and parents that come later in a payload; so often the rest is tried again."""
SIBLINGS_MAX = 2_000
"""Of more siblings than this none is counted: each of them may be anywhere."""
LOOKS_MAX = 5_000_000
"""Nodes of one page that changes elsewhere can have looked at again, for `:has()` and its kin: some seconds of work.
After that these selectors match whatever they may match."""
TEXT = "#text"
"""Tag of a text that is not empty."""


class Structure:
    """Elements by id with their tags, their true tests, and the order of their children.

    Children of a shadow root are siblings of each other only; they stand under the host's id, negated. `looked` counts
    the nodes that changes had looked at again; `concerned` are those that the last payload may concern.
    """

    __slots__ = (
        "_crowded",
        "_holders",
        "_leads",
        "_numbers",
        "_orders",
        "_selectors",
        "bits",
        "children",
        "concerned",
        "lists",
        "looked",
        "tags",
    )

    def __init__(self, selectors: SelectorSet) -> None:
        self._selectors = selectors
        self.tags: dict[int, str] = {}
        self.bits: dict[int, int] = {}
        self.children: dict[int, list[int]] = {}
        self.lists: dict[int, int] = {}
        self.looked = 0
        self._crowded = False
        self.concerned: list[int] = []
        self._holders: dict[Having, set[int]] = {}
        self._leads: dict[tuple[PlacedChain, int], dict[int, bool]] = {}
        self._numbers: dict[tuple[Counted, int], dict[int, int]] = {}
        self._orders: dict[int, _Siblings] = {}

    # -- what selectors ask ---------------------------------------------------------------------------------------

    def bits_of(self, node_id: int) -> int:
        """Return which tests are true for an element."""
        return self.bits.get(node_id, 0)

    def parent_of(self, node_id: int) -> int:
        """Return the parent's id in the flat tree, 0 for none."""
        return abs(self.lists.get(node_id, 0))

    def own_parent_of(self, node_id: int) -> int:
        """Return the id of the parent element in the same document or shadow root, 0 for none."""
        above = self.lists.get(node_id, 0)
        return above if above > 0 and above in self.bits else 0

    def is_empty(self, node_id: int) -> bool:
        """Tell whether an element has neither elements nor text in it."""
        return not any(self.tags.get(child) for child in self.children.get(node_id, ()))

    def is_root(self, node_id: int) -> bool:
        """Tell whether an element is a document's outermost one."""
        above = self.lists.get(node_id, 0)
        return above > 0 and above not in self.bits

    def elements(self, bits: int) -> list[int]:
        """Return all elements for which all these tests are true."""
        return [node_id for node_id, true in self.bits.items() if true & bits == bits]

    def holders(self, having: "Having") -> set[int]:
        """Return the elements from which one of these relations leads somewhere; found once between two changes."""
        found = self._holders.get(having)
        if found is None:
            found = self._holders[having] = having.holders(self)
        return found

    def leads(self, parsed: PlacedChain, number: int) -> dict[int, bool]:
        """Return what a selector has found out, since the last change, about elements its combinator leads on from."""
        return self._leads.setdefault((parsed, number), {})

    def previous(self, node_id: int) -> int:
        """Return the element sibling just before an element, 0 for none."""
        siblings = self._siblings(node_id)
        place = siblings.places.get(node_id, 0)
        return siblings.ids[place - 2] if place > 1 else 0

    def place(self, node_id: int, *, of_type: bool, from_end: bool) -> int:
        """Return an element's place among its siblings, from 1; 0 if it has none."""
        siblings = self._siblings(node_id)
        place = (siblings.of_type if of_type else siblings.places).get(node_id, 0)
        if not place or not from_end:
            return place
        return (siblings.types[self.tags[node_id]] if of_type else len(siblings.ids)) + 1 - place

    def counted(self, node_id: int, counted: Counted) -> dict[int, int]:
        """Return the places, from 1, of an element and its element siblings among those of them that are counted."""
        key = (counted, self.lists.get(node_id, 0))
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = counted.number(self._siblings(node_id).ids, self)
        return numbers

    def _siblings(self, node_id: int) -> "_Siblings":
        place = self.lists.get(node_id, 0)
        found = self._orders.get(place)
        if found is None:
            here = [other for other in self.children.get(place, ()) if other in self.bits]
            found = self._orders[place] = _Siblings(here, self.tags)
        return found

    def _forget(self) -> None:
        """Forget what was found out: it holds until the next change only, and takes room."""
        for found in (self._holders, self._leads, self._numbers, self._orders):
            found.clear()

    # -- what happens ---------------------------------------------------------------------------------------------

    def add_document(self, document: DocumentNode) -> dict[int, int]:
        """Take a page's own document; return what its elements' siblings decide about each."""
        self._forget()
        self._enter([document], 0, None)
        decided = self.decide(self.bits)
        self._forget()
        return decided

    def apply(
        self,
        removes: Sequence[Removal],
        adds: Sequence[Addition],
        changes: Sequence[AttributeChange],
        texts: Sequence[TextChange] = (),
    ) -> dict[int, int]:
        """Take a payload; return what siblings decide about elements it may concern.

        New ones whose place is not known are masked.
        """
        touched: dict[int, int] = {}
        self._forget()
        for text in texts:
            self._fill(touched, text)
        for removal in removes:
            self._touch(touched, removal.id)
            self._leave(removal.id)
        for change in changes:
            if change.id in self.bits and self._change(change):
                self._touch(touched, change.id)
        lost = self._place_all(adds, touched)
        self.concerned = self._concerned(touched)
        decided = self.decide(self.concerned)
        self._forget()
        if lost:
            decided |= {node.id: MASKED for node in walk(lost, {})}
        return decided

    def decide(self, node_ids: Iterable[int]) -> dict[int, int]:
        """Return the flags that siblings give to each of these elements that gets some."""
        decided: dict[int, int] = {}
        tired = self._selectors.looks_everywhere and self._is_tired
        for node_id in node_ids:
            if node_id not in self.bits:
                continue
            flags = 0
            crowded = len(self.children.get(self.lists.get(node_id, 0), ())) > SIBLINGS_MAX
            own = self.bits[node_id]
            for flag, placed in self._selectors.placed:
                if flags & flag or own & placed.required != placed.required:
                    continue
                if crowded or (tired and placed.looks_everywhere):
                    if flag == UNMASKED:
                        continue
                    outwards = [self.bits_of(above) for above in self._outwards(node_id)]
                    flags |= flag if placed.anywhere.matches(outwards) else 0
                elif placed.matches(node_id, self):
                    flags |= flag
            if flags:
                decided[node_id] = flags
        return decided

    @property
    def _is_tired(self) -> bool:
        """Whether the whole page is not looked at any more: it was too often, or has lists that are too long for it."""
        return self._crowded or self.looked > LOOKS_MAX

    def _fill(self, touched: dict[int, int], text: TextChange) -> None:
        """Note whether a text is empty now."""
        if text.id in self.tags and text.id not in self.bits:
            tag = TEXT if text.value else ""
            if tag != self.tags[text.id]:
                self.tags[text.id] = tag
                self._touch(touched, text.id)

    def _outwards(self, node_id: int) -> list[int]:
        found = [node_id]
        while above := self.parent_of(found[-1]):
            found.append(above)
        return found

    def _touch(self, touched: dict[int, int], node_id: int) -> None:
        """Note from which place on a list of siblings has changed."""
        place = self.lists.get(node_id)
        if place is not None:
            siblings = self.children[place]
            last = len(siblings) - 1
            index = last if siblings[last] == node_id else siblings.index(node_id)
            touched[place] = min(touched.get(place, index), index)

    def _concerned(self, touched: Mapping[int, int]) -> list[int]:
        if touched and self._selectors.looks_everywhere and self.looked <= LOOKS_MAX:
            # The last time, when it is too much, everything that may match is found.
            self.looked = LOOKS_MAX + 1 if self._crowded else self.looked + len(self.tags)
            return list(self.bits)
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
            # Most come last: looking for "nothing" in the list would make long ones cost their square.
            index = len(siblings) if before is None or before not in siblings else siblings.index(before)
            siblings.insert(index, node.id)
            self.lists[node.id] = place
            self._crowded = self._crowded or len(siblings) > SIBLINGS_MAX
            self.tags[node.id] = _tag_of(node)
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
            self._crowded = self._crowded or len(ids) > SIBLINGS_MAX
            for node_id, tag, true in zip(ids, tags, bits, strict=True):
                self.tags[node_id], self.lists[node_id] = tag, place
                if tag not in ("", TEXT):
                    self.bits[node_id] = true
        return self


def _tag_of(node: Node) -> str:
    if isinstance(node, ElementNode):
        return node.tag_name.lower()
    return TEXT if isinstance(node, TextNode) and node.text_content else ""


class _Siblings:
    """The elements of a list of siblings, with their places from 1, among all and among those with the same tag."""

    __slots__ = ("ids", "of_type", "places", "types")

    def __init__(self, ids: list[int], tags: Mapping[int, str]) -> None:
        self.ids = ids
        self.places = {node_id: place for place, node_id in enumerate(ids, 1)}
        self.types = Counter[str]()
        self.of_type: dict[int, int] = {}
        for node_id in ids:
            self.types[tags[node_id]] += 1
            self.of_type[node_id] = self.types[tags[node_id]]
