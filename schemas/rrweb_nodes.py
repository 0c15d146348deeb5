"""rrweb nodes as recorders serialise them (rrweb 2.2: `packages/rrweb-snapshot/src/snapshot.ts`).

Decoding into these types is the allow-list of the engine's output: what is not a field here does not survive.
"""

import msgspec
from msgspec import UNSET, UnsetType

from schemas.numbers import NodeId, NodeReference

AttributeValue = str | int | float | bool | None
"""String, number, `true`; `null` removes the attribute (in mutations only)."""


class _Node(msgspec.Struct, gc=False, rename="camel", tag_field="type", kw_only=True):
    id: NodeId
    root_id: NodeReference | UnsetType = UNSET
    is_shadow: bool | UnsetType = UNSET
    is_shadow_host: bool | UnsetType = UNSET


class DocumentNode(_Node, tag=0, kw_only=True):
    """A document: the page's own, or an iframe's."""

    child_nodes: "list[Node]" = msgspec.field(default_factory=list)
    compat_mode: str | UnsetType = UNSET


class DoctypeNode(_Node, tag=1, kw_only=True):
    """A document type."""

    name: str
    public_id: str = msgspec.field(default="", name="publicId")
    system_id: str = msgspec.field(default="", name="systemId")


class ElementNode(_Node, tag=2, kw_only=True):
    """An element with its attributes and, in snapshots, its children."""

    tag_name: str
    attributes: dict[str, AttributeValue] = msgspec.field(default_factory=dict)
    child_nodes: "list[Node]" = msgspec.field(default_factory=list)
    is_svg: bool | UnsetType = msgspec.field(default=UNSET, name="isSVG")
    is_custom: bool | UnsetType = UNSET


class TextNode(_Node, tag=3, kw_only=True):
    """A text; `is_style` marks style sheet text of old recorders."""

    text_content: str
    is_style: bool | UnsetType = UNSET


class CdataNode(_Node, tag=4, kw_only=True):
    """A CDATA section; recorders send it empty."""

    text_content: str = ""


class CommentNode(_Node, tag=5, kw_only=True):
    """A comment."""

    text_content: str = ""


Node = DocumentNode | DoctypeNode | ElementNode | TextNode | CdataNode | CommentNode
