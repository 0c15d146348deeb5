"""One page load of one window: the mirror of its masked tree, and the decisions that stick to its nodes."""

from collections.abc import Iterator
from typing import Final

from detectors.elements import POINTER_CURSOR, Element
from engine.masking.decisions import MASK
from engine.masking.echo import Echo, echo_masker
from engine.masking.elements import TAG_FLAGS
from engine.masking.flags import (
    BLOCKED,
    FIELD,
    INHERITED,
    INTERACTIVE,
    MASKED,
    SENSITIVE,
    STICKY,
    UNKNOWN,
)
from engine.masking.levels import Level
from engine.masking.masker import Masker
from engine.masking.policy import Policy
from engine.rebuild.field_memory import FieldMemory
from engine.rebuild.nodes import (
    PARENTS,
    PREPARED,
    TEXT_TAG,
    closed_root,
    detection_attributes,
    inherited_mask,
    label_text,
    tag_of,
)
from engine.rebuild.pointers import learn
from engine.rebuild.shown_labels import shown_label
from engine.rebuild.structure import Structure
from engine.rebuild.told_elements import ToldElements
from schemas.rrweb_nodes import ElementNode, Node, TextNode

ASIDE_MAX: Final = 4_096
"""So many nodes that were taken out are remembered, for the case that they come back."""


class Page:
    """The mirror.

    Snapshots are large and few of their nodes are ever asked for, so a node is first kept as the masked wire type it
    was published as (`nodes`), and becomes an `Element` when something names it. `parents` holds every node's parent
    id. `own` holds what was decided about a node by itself; what it has from its ancestors is added when it is asked
    for. `children` holds the child ids of nodes whose children changed; other nodes' stand in their wire type.
    `bits` holds which parts of configured selectors are true for an element. `aside` holds tag and flags of nodes that
    were taken out and to which something sticks: they may come back. `forgotten_id` is the highest id that found no
    room there any more: what comes back with one up to it is unknown. Of originals nothing is kept.

    `memory` is what fields are known by beyond their attributes. `structure` is the order of nodes, where selectors ask
    for it. `told` is what sticks to elements of interaction events. `pointers` holds classes, masked as they are shown,
    to which style sheets give a pointer for cursor. `reviews` counts the nodes that changes elsewhere
    made be judged again. `known` is false until the page's first full snapshot: everything before is masked as unknown.
    `loaded` is true once the page said so.
    `doubtful` is true from a loss in the recording to the next one.
    """

    __slots__ = (
        "_changes",
        "_prepared",
        "aside",
        "bits",
        "children",
        "doubtful",
        "echo",
        "elements",
        "forgotten_id",
        "known",
        "loaded",
        "masker",
        "memory",
        "nodes",
        "own",
        "parents",
        "pointers",
        "policy",
        "reviews",
        "scroll_x",
        "scroll_y",
        "structure",
        "told",
        "url",
    )

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        # Until an address is known.
        self.echo = None if policy.echo_key is None else Echo(policy.echo_key)
        self.masker: Masker = self.masker_of(policy.strictest)
        self.nodes: dict[int, Node] = {}
        self.parents: dict[int, int] = {}
        self.own: dict[int, int] = {}
        self.elements: dict[int, Element] = {}
        self.children: dict[int, dict[int, None]] = {}
        self.bits: dict[int, int] = {}
        self.aside: dict[int, tuple[str, int]] = {}
        self.forgotten_id = 0
        self.memory = FieldMemory()
        self.structure = Structure(policy.selectors) if policy.selectors.placed else None
        self.told = ToldElements()
        self.pointers: dict[str, None] = {}
        self.known = False
        self.loaded = False
        self.doubtful = False
        self.reviews = 0
        self.url = ""
        self.scroll_x = 0.0
        self.scroll_y = 0.0
        self._prepared: dict[int | str, int] = {}
        self._changes = 0

    def masker_of(self, level: Level) -> Masker:
        """Return the masker of a level for this page's window."""
        return echo_masker(self.policy.masker(level), self.echo)

    def follow(self, before: "Page") -> None:
        """Take over what a window keeps from page to page."""
        self.url, self.masker, self.echo, self.loaded = before.url, before.masker, before.echo, before.loaded
        if self.echo is not None:
            self.echo.settle()

    def heard(self, node_id: int, sent: str, shown: object) -> None:
        """Take note of a value that is not shown, by the echo rule."""
        if self.echo is not None and sent != shown:
            self.echo.note(node_id, sent)

    @property
    def is_shareable(self) -> bool:
        """Whether the same snapshot looks the same in other sessions."""
        return self.structure is None and self.echo is None

    def enter(self, href: str) -> None:
        """Take `href` as the page's address: it decides the privacy level and is shown masked.

        One without a host is on the page's own (client-side routing).
        """
        address = on_host(href, self.url)
        self.masker = self.masker_of(self.policy.level_for(address))
        self.url = self.masker.url(address)

    def doubt(self) -> None:
        """Something of the recording is missing: the page may be another by now, under ids this one used.

        What its nodes say from now on is masked as unknown, at the strictest level, until the next full snapshot.
        What is known of them is kept, for detectors.
        """
        self.masker = self.masker_of(self.policy.strictest)
        if self.doubtful:
            return
        self.doubtful = True
        document = next(iter(self.parents), None)
        if document is not None:
            self.own[document] = self.own.get(document, 0) | UNKNOWN
        for element in self.elements.values():
            element.flags |= UNKNOWN

    @property
    def _sticky_flags(self) -> int:
        """What sticks beyond the next snapshot: a doubt about the whole page doesn't."""
        return STICKY & ~UNKNOWN if self.doubtful else STICKY

    # -- one node -----------------------------------------------------------------------------------------------

    def element(self, node_id: int) -> Element | None:
        """Return a node of the mirror, linked to its ancestors; `None` for one that isn't there."""
        element = self.elements.get(node_id)
        if element is None and node_id in self.parents:
            element = self._materialize(node_id)
        return element

    def _materialize(self, node_id: int) -> Element:
        node = self.nodes[node_id]
        parent_id = self.parents[node_id]
        parent = self.element(parent_id) if parent_id else None
        flags = self.own.get(node_id, 0)
        if parent is not None:
            flags |= parent.flags & inherited_mask(node)
        tag, attributes, text = tag_of(node), {}, ""
        if isinstance(node, ElementNode):
            attributes = node.attributes
        elif isinstance(node, TextNode) and flags & INTERACTIVE:
            text = label_text(node.text_content)
        # Attributes get the form detectors read when the element is prepared for one.
        element = Element(node_id, tag, attributes, parent, text, flags)  # type: ignore[arg-type]
        self.elements[node_id] = element
        return element

    def flags(self, node_id: int) -> int:
        """Return what is decided about a node; `UNKNOWN` for one that isn't in the mirror."""
        element = self.element(node_id)
        return UNKNOWN if element is None else element.flags

    def public_id(self, node_id: int) -> int:
        """Return the id to publish as a pointer's target: -1 for unknown nodes, the root of a closed area."""
        element = self.elements.get(node_id) or self.element(node_id)
        if element is None:
            return -1
        if not element.flags & (BLOCKED | MASKED):
            return node_id
        return closed_root(element).node_id  # type: ignore[return-value]  # mirrored nodes have integer ids

    def target(self, node_id: int) -> Element | None:
        """Return the element a detector may see for a pointer's target, with attributes and labels prepared."""
        element = self.element(node_id)
        if element is None:
            return None
        if element.flags & (BLOCKED | MASKED):
            element = closed_root(element)
        if element.tag == TEXT_TAG and element.parent is not None:
            element = element.parent
        self.prepare(element)
        return element

    # -- what detectors read ------------------------------------------------------------------------------------

    def prepare(self, element: Element) -> None:
        """Bring an element and its ancestors into the form detectors read, as far as that isn't done."""
        if self._prepared.get(element.node_id) == self._changes:
            return
        self._prepared[element.node_id] = self._changes
        current: Element | None = element
        while current is not None:
            if not current.flags & PREPARED:
                self._prepared[current.node_id] = self._changes
                current.attributes = attributes = detection_attributes(current.attributes)
                if "class" in attributes and not self.pointers.keys().isdisjoint(attributes["class"].split()):
                    current.cursor = POINTER_CURSOR
                elif current.cursor:
                    current.cursor = ""
                if current.flags & INTERACTIVE:
                    current.text = shown_label(self, current)
                current.flags |= PREPARED
            current = current.parent

    def learn_style(self, css: str) -> None:
        """Learn from a (masked) style sheet, or one rule of it, what has a pointer for cursor."""
        if learn(self.pointers, css):
            for node_id in self._prepared:
                self.unprepare(node_id, 0)  # type: ignore[arg-type]  # mirrored nodes have integer ids
            self._prepared.clear()

    def unprepare(self, node_id: int, flags: int) -> None:
        """Have labels read again: something within this node changed, which has these `flags`."""
        self._changes += 1
        for above in self.ancestry(node_id) if flags & INTERACTIVE else (node_id,):
            element = self.elements.get(above)
            if element is not None:
                element.flags &= ~PREPARED

    def ancestry(self, node_id: int) -> list[int]:
        """Return the ids of a node and of all its ancestors, nearest first."""
        found = []
        while node_id:
            found.append(node_id)
            node_id = self.parents[node_id]
        return found

    # -- the tree -----------------------------------------------------------------------------------------------

    def children_of(self, node_id: int) -> list[int]:
        """Return the ids of a node's children, in the order they came."""
        changed = self.children.get(node_id)
        if changed is not None:
            return list(changed)
        node = self.nodes.get(node_id)
        if not isinstance(node, PARENTS) or not node.child_nodes:
            return []
        return [child.id for child in node.child_nodes]

    def has_children(self, node_id: int, number: int) -> bool:
        """Tell whether a node has at least so many children."""
        changed, node = self.children.get(node_id), self.nodes.get(node_id)
        if changed is not None:
            return len(changed) >= number
        return isinstance(node, PARENTS) and len(node.child_nodes) >= number

    def changing_children(self, node_id: int) -> dict[int, None]:
        """Return the ids of a node's children, to be changed."""
        changed = self.children.get(node_id)
        if changed is None:
            changed = self.children[node_id] = dict.fromkeys(self.children_of(node_id))
        return changed

    def hide_children(self, node_id: int) -> None:
        """Publish nothing below a node: its children are known here, but no longer stand in what is published."""
        self.children[node_id] = dict.fromkeys(self.children_of(node_id))
        node = self.nodes[node_id]
        if isinstance(node, PARENTS):
            node.child_nodes = []

    def subtree(self, node_id: int) -> Iterator[int]:
        """Yield the ids of a node and of all mirrored nodes below it, parents before children."""
        waiting = [node_id]
        while waiting:
            current = waiting.pop()
            yield current
            waiting += [child for child in reversed(self.children_of(current)) if self.parents.get(child) == current]

    def detach(self, node_id: int) -> None:
        """Take a node and its subtree out of the mirror, noting in `aside` what sticks to each."""
        parent_id = self.parents[node_id]
        if parent_id:
            self.changing_children(parent_id).pop(node_id, None)
            self.unprepare(parent_id, self.flags(parent_id))
        waiting, sticky = [(node_id, self.flags(node_id))], self._sticky_flags
        while waiting:
            gone, flags = waiting.pop()
            if flags & sticky:
                self._put_aside(gone, self.tag(gone), flags & sticky)
            waiting += [
                (child, self._flags_below(child, flags))
                for child in self.children_of(gone)
                if self.parents.get(child) == gone
            ]
            self._forget(gone)

    def _put_aside(self, node_id: int, tag: str, flags: int) -> None:
        # A standard element that is no more than its name makes it will be that again.
        if flags != TAG_FLAGS.get(tag, 0) & STICKY:
            self.aside[node_id] = (tag, flags)
            if len(self.aside) > ASIDE_MAX:
                forgotten = next(iter(self.aside))
                del self.aside[forgotten]
                self.forgotten_id = max(self.forgotten_id, forgotten)

    def _flags_below(self, node_id: int, above: int) -> int:
        element = self.elements.get(node_id)
        if element is not None:
            return element.flags
        return self.own.get(node_id, 0) | above & inherited_mask(self.nodes[node_id])

    def _forget(self, node_id: int) -> None:
        for known in (self.nodes, self.elements, self.own, self.bits, self.children, self._prepared):
            known.pop(node_id, None)
        del self.parents[node_id]

    def bits_outwards(self, node_id: int) -> list[int]:
        """Return which selector parts are true for an element and each of its ancestors, nearest first."""
        return [self.bits.get(above, 0) for above in self.ancestry(node_id)]

    def mark(self, node_id: int, flags: int) -> None:
        """Add decided `flags` to a node, and what children take over of them to everything below it."""
        self.own[node_id] = self.own.get(node_id, 0) | flags
        inherited = flags & INHERITED
        for below in self.subtree(node_id) if inherited else (node_id,):
            element = self.elements.get(below)
            if element is not None:
                element.flags = (element.flags | (flags if below == node_id else inherited)) & ~PREPARED
        self._changes += 1

    def learn(self, node_id: int, sent: str, shown: object) -> None:
        """Let a field be sensitive from now on if a detector found something in its value: shorter ones are parts."""
        flags = self.flags(node_id)
        if sent and shown == MASK and flags & FIELD and not flags & (SENSITIVE | UNKNOWN):
            self.mark(node_id, SENSITIVE)

    def revoke(self, node_id: int, flags: int) -> None:
        """Take flags from a node and everything below it: only ever those that show more."""
        for below in self.subtree(node_id):
            self.own[below] = self.own.get(below, 0) & ~flags
            element = self.element(below)
            if element is not None:
                element.flags &= ~flags

    def sticky(self) -> dict[int, tuple[str, int]]:
        """Return tag and sticky flags of every node to which something sticks."""
        flags, sticky = self.all_flags(), self._sticky_flags
        return {
            node_id: (self.tag(node_id), flags[node_id] & sticky) for node_id in self.parents if flags[node_id] & sticky
        }

    def tag(self, node_id: int) -> str:
        """Return a mirrored node's tag."""
        element = self.elements.get(node_id)
        return tag_of(self.nodes[node_id]) if element is None else element.tag

    def all_flags(self) -> dict[int, int]:
        """Return what is decided about each node, without making elements of them."""
        flags: dict[int, int] = {}
        for node_id, parent_id in self.parents.items():
            element = self.elements.get(node_id)
            if element is not None:
                flags[node_id] = element.flags & ~PREPARED
            else:
                above = flags[parent_id] & inherited_mask(self.nodes[node_id]) if parent_id else 0
                flags[node_id] = self.own.get(node_id, 0) | above
        return flags


def on_host(href: str, base: str) -> str:
    """Return an address with the host of another, if it has none of its own."""
    if not href.startswith("/") or href.startswith(("//", "/\\")) or "://" not in base:
        return href
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}{href}"
