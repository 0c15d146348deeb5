"""The element a detector sees: a node of the masked tree, never of the original one."""

from dataclasses import dataclass, field
from typing import Final

DETECTION_ATTRIBUTES: Final = frozenset(
    {
        "id", "class", "role", "type", "name", "href", "target", "download", "title", "alt", "value",
        "aria-label", "aria-disabled", "aria-haspopup", "aria-expanded", "aria-selected", "aria-current",
        "aria-checked", "data-testid", "data-wince-ignore",
        "contenteditable", "disabled", "tabindex", "for", "onclick", "hidden", "autocomplete", "maxlength",
    }
)  # fmt: skip
"""The attributes kept for detectors, for labels, and to judge an element again when one changes; a resumed session
knows these and no others."""

LABEL_MAX_CHARACTERS: Final = 64
"""Texts longer than this are cut for detectors and labels."""


OPTS_OUT: Final = 1
ASKS: Final = 2
TELLS: Final = 4
HAS_ROLE: Final = 8
"""What the attributes of an element say at a glance: that it is opted out; that they may make it interactive; that they
may say who owes an answer; that they give it a role. Most elements have none of it, and are passed over."""

_MUTE: Final = "data-wince-ignore"
"""By this attribute a site opts an element and all it contains out of all detectors."""
_ASKING: Final = ("role", "onclick", "tabindex", "contenteditable")
_TELLING: Final = ("role", "contenteditable", "disabled", "aria-disabled")

POINTER_CURSOR: Final = "pointer"
"""The one cursor that says something of an element; others are not told."""


@dataclass(init=False, eq=False, slots=True)
class Element:
    """One element or text of the masked tree, linked to its parent.

    `node_id` is rrweb's id or an interaction event's element id. `tag` is lower case; `#text` is a text node, whose
    (masked) `text` is at most `LABEL_MAX_CHARACTERS` and kept only inside interactive elements; `#document` is the
    root. `attributes` hold masked values of `DETECTION_ATTRIBUTES` only; an attribute whose value was dropped is
    present with the value `""`. The `text` of an interactive element is the label
    that its subtree shows. The `cursor` is a pointer or not told: interaction events say so, or style sheets do. What
    interaction events describe has more: all masked attributes, and the `control` a label is for. The engine changes
    elements in place as the page changes: a detector reads what it needs when it is called and keeps no reference.
    """

    node_id: int | str
    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    text: str
    flags: int
    cursor: str
    control: "Element | None"
    _glanced: dict[str, str] | None = field(init=False, repr=False)
    _glance: int = field(init=False, repr=False)

    def __init__(
        self,
        node_id: int | str,
        tag: str,
        attributes: dict[str, str],
        parent: "Element | None" = None,
        text: str = "",
        flags: int = 0,
        cursor: str = "",
        control: "Element | None" = None,
    ) -> None:
        self.node_id = node_id
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.text = text
        self.flags = flags
        self.cursor = cursor
        self.control = control
        self._glanced = None
        self._glance = 0

    def glance(self) -> int:
        """Give what the attributes say at a glance: `OPTS_OUT`, `ASKS`, `TELLS`, `HAS_ROLE`.

        It is looked for anew only if the engine gave the element other attributes.
        """
        attributes = self.attributes
        if attributes is not self._glanced:
            self._glanced, self._glance = attributes, _glance(attributes)
        return self._glance


def _glance(attributes: dict[str, str]) -> int:
    if not attributes:
        return 0
    found = HAS_ROLE if "role" in attributes else 0
    if any(name in attributes for name in _ASKING):
        found |= ASKS
    if any(name in attributes for name in _TELLING):
        found |= TELLS
    return found | OPTS_OUT if _MUTE in attributes else found
