"""What a page's fields are known by, beyond their own attributes: labels, and passwords that were there before.

A field that takes the name, the id or the place of a password is one. A field whose label names something sensitive is
sensitive. Of texts nothing is kept but that; names are held as they are published.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from detectors.elements import Element
from engine.masking.elements import named_flags
from engine.masking.flags import EDITABLE, FIELD, FLOOR, SENSITIVE
from schemas.rrweb_nodes import ElementNode, Node, TextNode

if TYPE_CHECKING:
    from engine.rebuild.page import Page

NAMES_MAX: Final = 512
"""Of each kind of name a page remembers so many; beyond that every field is taken to be what it may be."""
PLACE_DEPTH_MAX: Final = 8
LABEL_CHARACTERS: Final = 500
LABEL_NODES: Final = 64
LABEL_DEPTH_MAX: Final = 16
"""So many ancestors of a text are looked at for a label."""
IDENTIFIED_CHARACTERS: Final = 200
"""An element with a longer text than this labels nothing."""

_FIELDS: Final = FIELD | EDITABLE
Name = Callable[[str], str]
Key = TypeVar("Key", str, int)
Below = Mapping[int, Sequence[Node]]


class FieldMemory(msgspec.Struct, array_like=True):
    """Dictionaries in place of sets, for their order: a state must be the same bytes whenever it is written.

    `passwords` are names and ids of passwords, `places` are where such were removed: the id of what is above the
    removed subtree and the tags from there. `labelled` are ids of fields with a sensitive label, `telling` ids of
    elements with a sensitive text, `labels` the node ids of labels among them. `referring` has, by id, the nodes of
    fields that name it in `aria-labelledby`.

    `crowded` is true once a name found no room: then every field is taken to be what it may be. `had_password` tells
    whether there was one at all.
    """

    passwords: dict[str, bool] = {}
    places: dict[str, bool] = {}
    labelled: dict[str, bool] = {}
    telling: dict[str, bool] = {}
    labels: dict[int, bool] = {}
    referring: dict[str, list[int]] = {}
    crowded: bool = False
    had_password: bool = False

    def copy(self) -> "FieldMemory":
        """Return one that can be changed by itself."""
        referring = {name: list(nodes) for name, nodes in self.referring.items()}
        return FieldMemory(
            dict(self.passwords),
            dict(self.places),
            dict(self.labelled),
            dict(self.telling),
            dict(self.labels),
            referring,
            crowded=self.crowded,
            had_password=self.had_password,
        )

    def note_password(self, names: Iterable[str]) -> None:
        """Take note of a password and what it is called."""
        self.had_password = True
        for name in names:
            self.remember(self.passwords, name)

    def remember(self, known: dict[Key, bool], key: Key) -> None:
        """Keep a key in one of the dictionaries; empty ones mean nothing."""
        if len(known) < NAMES_MAX:
            if key:
                known[key] = True
        elif key not in known:
            self.crowded = True

    def was_password(self, names: Iterable[str]) -> bool:
        """Whether a password had one of these names."""
        return self.crowded or any(name in self.passwords for name in names)

    def is_labelled(self, field_id: str, references: Iterable[str]) -> bool:
        """Whether a label is known to make this field sensitive, by its id or by what it refers to."""
        return self.crowded or field_id in self.labelled or any(name in self.telling for name in references)

    def refer(self, node_id: int, references: Iterable[str]) -> None:
        """Remember that a field names these ids as its labels."""
        for name in references:
            nodes = self.referring.setdefault(name, [])
            if len(self.referring) > NAMES_MAX or len(nodes) >= NAMES_MAX:
                self.crowded = True
                self.referring.clear()
                return
            if node_id not in nodes:
                nodes.append(node_id)


def text_within(node: Node, below: Below) -> str:
    """Return the text a node and what is below it hold, cut to what labels are read of."""
    texts: list[str] = []
    size = 0
    for looked_at, found in enumerate(walk([node], below)):
        if looked_at >= LABEL_NODES or size > LABEL_CHARACTERS:
            break
        if isinstance(found, TextNode):
            texts.append(found.text_content[:LABEL_CHARACTERS].strip())
            size += len(texts[-1])
    return " ".join(texts)[: LABEL_CHARACTERS + 1]


def walk(nodes: Sequence[Node], below: Below) -> Iterator[Node]:
    """Yield nodes and all below them, in document order; `below` has children that were sent apart from their parents.

    No list of them is taken twice, whatever ids were sent.
    """
    waiting = list(reversed(nodes))
    opened: set[int] = set()
    while waiting:
        node = waiting.pop()
        yield node
        if node.id in below and node.id not in opened:
            opened.add(node.id)
            waiting += reversed(below[node.id])
        waiting += reversed(getattr(node, "child_nodes", ()))


def texts_of(node: ElementNode) -> dict[str, str]:
    """Return an element's attributes that are texts, by names in lower case."""
    return {name.lower(): value for name, value in node.attributes.items() if isinstance(value, str)}


def read_labels(memory: FieldMemory, nodes: Sequence[Node], below: Below, name: Name) -> set[int]:
    """Take note of labels in a tree that is not masked yet; return the ids of all nodes within sensitive ones.

    `below` has children that were sent apart from their parents; `name` gives names as they are published.
    """
    within: set[int] = set()
    for node in walk(nodes, {}):
        if not isinstance(node, ElementNode):
            continue
        attributes = texts_of(node)
        is_label = node.tag_name.lower() == "label"
        if not is_label and "id" not in attributes:
            continue
        text = text_within(node, below)
        if not named_flags(text) or (not is_label and len(text) > IDENTIFIED_CHARACTERS):
            continue
        memory.remember(memory.telling, name(attributes.get("id", "").strip()))
        if is_label:
            memory.remember(memory.labels, node.id)
            memory.remember(memory.labelled, name(attributes.get("for", "").strip()))
            within.update(inner.id for inner in walk([node], below))
    return within


def references_of(value: object, name: Name) -> list[str]:
    """Return the names in an `aria-labelledby`."""
    return [name(part) for part in value.split()[:16]] if isinstance(value, str) else []


def is_field(flags: int) -> bool:
    """Whether an element with these flags takes what visitors type."""
    return bool(flags & _FIELDS)


def is_password(flags: int, kind: object) -> bool:
    """Whether a field is of the floor, but for hidden ones: what these hold nobody types."""
    return bool(flags & FLOOR and flags & FIELD) and not (isinstance(kind, str) and kind.strip().lower() == "hidden")


PASSWORD_FLAGS: Final = FLOOR | SENSITIVE | FIELD
"""What an element gets that takes the place of a password."""


def note_removal(page: "Page", root_id: int) -> bool:
    """Take note of the places of passwords in a subtree about to be removed; return whether it is one itself."""
    parent_id = page.parents[root_id]
    for node_id in page.subtree(root_id):
        element = page.element(node_id)
        if element is None or not is_password(element.flags, element.attributes.get("type")):
            continue
        tags: list[str] = []
        above = node_id
        while above != root_id:
            above = page.parents[above]
            tags.append(page.tag(above))
        page.memory.remember(page.memory.places, place(parent_id, tags[::-1]))
    root = page.element(root_id)
    return root is not None and is_password(root.flags, root.attributes.get("type"))


def takes_place(page: "Page", node_id: int) -> bool:
    """Whether an element stands where a password was removed."""
    tags: list[str] = []
    above = page.parents.get(node_id, 0)
    while above and len(tags) < PLACE_DEPTH_MAX:
        if place(above, tags[::-1]) in page.memory.places:
            return True
        tags.append(page.tag(above))
        above = page.parents[above]
    return False


def place(parent_id: int, tags: Sequence[str]) -> str:
    """Name a place below a node: the tags of the elements between."""
    return f"{parent_id}:{'>'.join(tags[:PLACE_DEPTH_MAX])}"


def judge_names(page: "Page", node_id: int, element: Element, changed: Mapping[str, str]) -> int:
    """Return the flags that a field gains with changed attributes; what it is called is remembered if it is a password.

    `changed` are attributes as sent, by names in lower case.
    """
    memory, name = page.memory, page.masker.identifier
    names = [name(changed[key].strip()) for key in ("name", "id") if changed.get(key, "").strip()]
    if is_password(element.flags, changed.get("type", element.attributes.get("type"))):
        memory.note_password((*names, element.attributes.get("name", ""), element.attributes.get("id", "")))
        return 0
    flags = PASSWORD_FLAGS if names and memory.was_password(names) else 0
    if page.policy.reads_labels:
        references = references_of(changed.get("aria-labelledby"), name)
        memory.refer(node_id, references)
        flags |= SENSITIVE if memory.is_labelled(name(changed.get("id", "").strip()), references) else 0
    return flags
