"""Nodes a mutation adds: masked and mirrored, parents before children, whatever the order they were sent in."""

from collections.abc import Sequence
from itertools import islice

from detectors.interactions import MUTATION_MAX_CHANGES
from engine.masking.flags import UNKNOWN
from engine.reasons import Reason
from engine.rebuild.nodes import NO_PARENT, PARENTS
from engine.rebuild.page import Page
from engine.rebuild.tree import Note, TreeMasker
from schemas.rrweb_nodes import Node, TextNode
from schemas.rrweb_sources import Addition


class Additions:
    """The additions of one payload. `count` counts the nodes sent, `first` are some of those that came, for detectors.

    `has_news` tells that labels among them say something of fields.

    Recorders send each node by itself. They are put together to trees again, and each tree is taken at once.
    """

    __slots__ = ("_note", "_page", "_tree", "count", "first", "has_news")

    def __init__(self, page: Page, tree: TreeMasker, note: Note) -> None:
        self._page = page
        self._tree = tree
        self._note = note
        self.count = 0
        self.has_news = False
        self.first: list[Node] = []

    def apply(self, adds: Sequence[Addition]) -> list[Addition]:
        """Add the nodes; return the additions to publish, in the order sent."""
        sent = [addition.node for addition in adds]
        self._make_room(sent)
        below = self._tree.below
        for addition in adds:
            parent_id = addition.parent_id
            if parent_id in below:
                below[parent_id].append(addition.node)
            else:
                below[parent_id] = [addition.node]
        self.has_news = self._tree.read_labels(sent)
        parents = self._page.parents
        for parent_id in [parent_id for parent_id in below if parent_id in parents]:
            self._add_below(parent_id, below.pop(parent_id, []))
        if below:
            self._add_orphans_of({node.id for node in sent})
        self.count = len(adds)
        self.first = list(islice((node for node in sent if node.id in parents), MUTATION_MAX_CHANGES))
        return self._published(adds)

    def _published(self, adds: Sequence[Addition]) -> list[Addition]:
        """Return what the mirror has: that is masked, and nothing else; an id may have come twice."""
        refused, nodes = self._tree.refused, self._page.nodes
        masked = [addition for addition in adds if nodes.get((node := addition.node).id) is node]
        return [addition for addition in masked if id(addition.node) not in refused] if refused else masked

    def _add_orphans_of(self, added: set[int]) -> None:
        """Add what belongs to parents nobody knows; last those that name each other as parents."""
        below = self._tree.below
        for orphaned in [*(key for key in below if key not in added), *(key for key in below if key in added)]:
            self._add_orphans(below.pop(orphaned, []))

    def _add_below(self, parent_id: int, siblings: list[Node]) -> None:
        page = self._page
        flags = page.flags(parent_id)
        page.unprepare(parent_id, flags)
        page.changing_children(parent_id).update(dict.fromkeys(node.id for node in siblings))
        self._tree.add(siblings, parent_id, flags, len(page.ancestry(parent_id)))

    def _add_orphans(self, siblings: list[Node]) -> None:
        own = self._page.own
        for node in self._tree.add(siblings, NO_PARENT, UNKNOWN, 0):
            self._note(Reason.UNKNOWN_NODE)
            own[node.id] = own.get(node.id, 0) | UNKNOWN

    def _make_room(self, sent: Sequence[Node]) -> None:
        """Take nodes out whose ids come again: a move without a remove, or a sender that reuses ids.

        To nodes that were here before something may stick.
        """
        page = self._page
        parents, aside, nodes = page.parents, page.aside, list(sent)
        # The list grows while it is gone through, by what is in its nodes.
        for node in nodes:
            node_id = node.id
            if node_id in parents:
                page.detach(node_id)
            if node_id in aside or node_id <= page.forgotten_id:
                self._tree.sticky = aside
            if type(node) is not TextNode and isinstance(node, PARENTS) and node.child_nodes:
                nodes += node.child_nodes


def has_text(node: Node) -> bool:
    """Tell whether a node shows text of its own or below it."""
    if isinstance(node, TextNode):
        return bool(node.text_content.strip())
    return isinstance(node, PARENTS) and any(has_text(child) for child in node.child_nodes)
