"""Nodes a mutation adds: masked and mirrored, parents before children, whatever the order they were sent in."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from detectors.interactions import MUTATION_MAX_CHANGES
from engine.masking.flags import BLOCKED, UNKNOWN
from engine.reasons import Reason
from engine.rebuild.page import NO_PARENT, Page, inherited_mask
from engine.rebuild.tree import Note, TreeMasker
from schemas.rrweb_nodes import DocumentNode, ElementNode, Node, TextNode
from schemas.rrweb_sources import Addition

Aside = dict[int, tuple[str, int]]
"""What sticks to nodes that were taken out, by id: they may come back in the same payload."""


class _Place(NamedTuple):
    """Where added nodes go: their parent, its flags, their depth, and the parent's children, to be added to."""

    node_id: int
    flags: int
    depth: int
    children: dict[int, None] | None


NOWHERE: Final = _Place(NO_PARENT, UNKNOWN, 0, None)
"""The place of nodes whose parent is not known."""


class Additions:
    """The additions of one payload. `count` counts the nodes added, `first` are some of them, for detectors.

    Siblings come in rows; a row is taken at once. A row whose parent isn't there yet waits for it.
    """

    __slots__ = ("_adds", "_aside", "_kept", "_note", "_page", "_places", "_tree", "_waiting", "count", "first")

    def __init__(self, page: Page, tree: TreeMasker, aside: Aside, note: Note) -> None:
        self._page = page
        self._tree = tree
        self._aside = aside
        self._note = note
        self._adds: Sequence[Addition] = ()
        self._kept: set[int] = set()
        self._waiting: dict[int, list[int]] = {}
        self._places: dict[int, _Place] = {}
        self.count = 0
        self.first: list[Node] = []

    def apply(self, adds: Sequence[Addition]) -> list[Addition]:
        """Add the nodes; return the additions to publish, in the order sent."""
        self._adds = adds
        parents = self._page.parents
        row: list[int] = []
        parent_id = NO_PARENT
        for position, addition in enumerate(adds):
            if addition.parent_id != parent_id:
                self._add_rows(parent_id, row)
                row, parent_id = [], addition.parent_id
            if parent_id in parents:
                row.append(position)
            else:
                self._waiting.setdefault(parent_id, []).append(position)
        self._add_rows(parent_id, row)
        for orphaned in [*self._waiting]:
            self._add_rows(NO_PARENT, self._waiting.pop(orphaned, []))
        return [addition for position, addition in enumerate(adds) if position in self._kept]

    def _add_rows(self, parent_id: int, row: list[int]) -> None:
        """Add a row, and the rows that waited for one of its nodes."""
        rows = [(parent_id, row)] if row else []
        while rows:
            added = self._add_row(*rows.pop())
            if self._waiting:
                rows += [(node.id, self._waiting.pop(node.id)) for node in added if node.id in self._waiting]

    def _add_row(self, parent_id: int, row: list[int]) -> list[Node]:
        nodes = [self._adds[position].node for position in row]
        self._make_room(nodes)
        place = self._place_of(parent_id)
        added = self._tree.add(nodes, place.node_id, place.flags, place.depth)
        self.count += len(added)
        if len(self.first) < MUTATION_MAX_CHANGES:
            self.first += added[: MUTATION_MAX_CHANGES - len(self.first)]
        for node in added:
            self._register(node, place)
        if not place.flags & BLOCKED:
            # By object and not by id: of two nodes with one id only the first was masked.
            masked = set(map(id, added)) if len(added) != len(nodes) else None
            self._kept.update(position for position in row if masked is None or id(self._adds[position].node) in masked)
        return added

    def _register(self, node: Node, place: _Place) -> None:
        if place.children is None:
            self._note(Reason.UNKNOWN_NODE)
            own = self._page.own
            own[node.id] = own.get(node.id, 0) | UNKNOWN
        else:
            place.children[node.id] = None
            self._places[node.id] = place

    def _place_of(self, node_id: int) -> _Place:
        """Look up where children of a node go; what the payload itself added is known without a look at the page."""
        page = self._page
        if node_id not in page.parents:
            return NOWHERE
        above = self._places.get(node_id)
        if above is not None:
            flags = page.own.get(node_id, 0) | above.flags & inherited_mask(page.nodes[node_id])
            return _Place(node_id, flags, above.depth + 1, page.changing_children(node_id))
        flags = page.flags(node_id)
        page.unprepare(node_id, flags)
        return _Place(node_id, flags, len(page.ancestry(node_id)), page.changing_children(node_id))

    def _make_room(self, nodes: Sequence[Node]) -> None:
        """Take nodes out whose ids come again: a move without a remove, or a sender that reuses ids."""
        page = self._page
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node.id in page.parents:
                page.detach(node.id, self._aside)
                self._places.clear()
            if isinstance(node, ElementNode | DocumentNode):
                waiting += node.child_nodes


def has_text(node: Node) -> bool:
    """Tell whether a node shows text of its own or below it."""
    if isinstance(node, TextNode):
        return bool(node.text_content.strip())
    return isinstance(node, ElementNode | DocumentNode) and any(has_text(child) for child in node.child_nodes)
