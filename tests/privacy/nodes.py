"""Nodes of a page, and what masks, blocks and guards them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.privacy.words import Json

MASKS = ("rr-mask", "ph-mask")
BLOCKS = ("rr-block", "walled")
MASK, BLOCK, UNMASK = (".vault .deep", "[data-private]"), (".walled",), (".shown",)
"""Selectors to configure; the classes of recorders hold without."""

TAGS = ("div", "p", "span", "li", "section", "a", "button", "td", "svg", "x-card")
TYPED_TAGS = ("textarea", "option", "output")
FIELD_TAGS = ("input", *TYPED_TAGS)
LABELLING = ("title", "aria-label", "alt", "placeholder")
CLASSES = (*MASKS, *BLOCKS, "vault", "deep", "vault deep", "shown", "plain", "plain rr-mask", "")
FLOOR_TYPES = ("password", "hidden")
DOCUMENT, ELEMENT, TEXT, COMMENT = 0, 2, 3, 5


@dataclass(eq=False)
class Node:
    """One node of the page; `is_root` marks children of a shadow root and documents of frames.

    Once `sealed` (masked, blocked, floor) or `typed` (a visitor's own text), always so.
    """

    id: int
    tag: str
    attributes: Json = field(default_factory=dict)
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    is_root: bool = False
    sealed: bool = False
    typed: bool = False

    def outwards(self) -> Iterator["Node"]:
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def subtree(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.subtree()

    @property
    def classes(self) -> set[str]:
        return set(str(self.attributes.get("class", "")).split())

    def closes(self) -> bool:
        """Whether this element masks, blocks or guards by itself what is in it."""
        floor = self.attributes.get("type") in FLOOR_TYPES or "autocomplete" in self.attributes
        deep = "deep" in self.classes and any("vault" in above.classes for above in list(self.outwards())[1:])
        return bool(floor or deep or "data-private" in self.attributes or self.classes.intersection(MASKS + BLOCKS))

    def takes_typing(self) -> bool:
        return self.tag in TYPED_TAGS or "contenteditable" in self.attributes

    @property
    def is_hidden(self) -> bool:
        return any(node.sealed or node.closes() for node in self.outwards())

    @property
    def is_typed(self) -> bool:
        return any(node.typed or node.takes_typing() for node in self.outwards())

    @property
    def is_unmasked(self) -> bool:
        for node in self.outwards():
            if "shown" in node.classes:
                return True
            if node.is_root:
                return False
        return False
