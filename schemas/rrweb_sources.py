"""rrweb's incremental sources 0 to 16 (rrweb 2.2: `packages/types/src/index.ts`)."""

import msgspec
from msgspec import UNSET, UnsetType

from schemas.numbers import Milliseconds, NodeReference, Number
from schemas.rrweb_nodes import AttributeValue, Node

StyleValue = str | list[str] | bool
StyleDifference = dict[str, StyleValue]


class _Data(msgspec.Struct, gc=False, rename="camel", tag_field="source", kw_only=True):
    pass


class TextChange(msgspec.Struct, gc=False):
    """A text node's new content."""

    id: NodeReference
    value: str | None


class AttributeChange(msgspec.Struct, gc=False):
    """New values of an element's attributes; `None` removes one, a mapping is a difference of `style`."""

    id: NodeReference
    attributes: dict[str, AttributeValue | StyleDifference]


class Removal(msgspec.Struct, gc=False, rename="camel"):
    """A node left its parent."""

    parent_id: NodeReference
    id: NodeReference
    is_shadow: bool | UnsetType = UNSET


class Addition(msgspec.Struct, gc=False, rename="camel"):
    """A node came below `parent_id`, before `next_id`; `previous_id` was sent by old recorders."""

    parent_id: NodeReference
    next_id: NodeReference | None
    node: Node
    previous_id: NodeReference | UnsetType | None = UNSET


class MutationData(_Data, tag=0, kw_only=True):
    """Changes of the DOM, to be applied as removes, adds, texts, attributes."""

    texts: list[TextChange] = msgspec.field(default_factory=list)
    attributes: list[AttributeChange] = msgspec.field(default_factory=list)
    removes: list[Removal] = msgspec.field(default_factory=list)
    adds: list[Addition] = msgspec.field(default_factory=list)
    is_attach_iframe: bool | UnsetType = UNSET


class Position(msgspec.Struct, gc=False, rename="camel"):
    """One pointer position, `time_offset` (0 or negative, ms) before the event's timestamp."""

    x: Number
    y: Number
    id: NodeReference
    time_offset: Milliseconds


class MouseMoveData(_Data, tag=1, kw_only=True):
    """Mouse positions since the last such event."""

    positions: list[Position]


class MouseInteractionData(_Data, tag=2, kw_only=True):
    """Press, release, click and their kin; `type` 0 to 10 as rrweb's `MouseInteractions`."""

    type: int
    id: NodeReference
    x: Number | UnsetType = UNSET
    y: Number | UnsetType = UNSET
    pointer_type: int | UnsetType = UNSET


class ScrollData(_Data, tag=3, kw_only=True):
    """An element or (by the document's id) the page was scrolled."""

    id: NodeReference
    x: Number
    y: Number


class ViewportResizeData(_Data, tag=4, kw_only=True):
    """The viewport's new size in CSS pixels."""

    width: Number
    height: Number


class InputData(_Data, tag=5, kw_only=True):
    """A field's value, after typing or after a script set it."""

    text: str
    is_checked: bool
    id: NodeReference
    user_triggered: bool | UnsetType = UNSET


class TouchMoveData(_Data, tag=6, kw_only=True):
    """Touch positions since the last such event (also mouse positions inside iframes)."""

    positions: list[Position]


class MediaInteractionData(_Data, tag=7, kw_only=True):
    """Play, pause, seek, volume or rate change of a media element."""

    type: int
    id: NodeReference
    current_time: Number | UnsetType = UNSET
    volume: Number | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    loop: bool | UnsetType = UNSET
    playback_rate: Number | UnsetType = UNSET


class RuleAddition(msgspec.Struct, gc=False):
    """A CSS rule's text and where it was inserted."""

    rule: str
    index: int | list[int] | UnsetType = UNSET


class RuleRemoval(msgspec.Struct, gc=False):
    """Where a CSS rule was deleted."""

    index: int | list[int]


class StyleSheetRuleData(_Data, tag=8, kw_only=True):
    """A style sheet changed through the CSS object model."""

    id: NodeReference | UnsetType = UNSET
    style_id: int | UnsetType = UNSET
    adds: list[RuleAddition] | UnsetType = UNSET
    removes: list[RuleRemoval] | UnsetType = UNSET
    replace: str | UnsetType = UNSET
    replace_sync: str | UnsetType = UNSET


def _empty_list() -> msgspec.Raw:
    return msgspec.Raw(b"[]")


class CanvasMutationData(_Data, tag=9, kw_only=True):
    """Calls on a canvas context; their arguments stay undecoded."""

    id: NodeReference
    type: int
    commands: msgspec.Raw = msgspec.field(default_factory=_empty_list)
    property: str | UnsetType = UNSET
    args: msgspec.Raw = msgspec.field(default_factory=_empty_list)
    setter: bool | UnsetType = UNSET


class FontData(_Data, tag=10, kw_only=True):
    """A font face the page loaded by script."""

    family: str
    font_source: str
    buffer: bool
    descriptors: dict[str, str] | UnsetType = UNSET


class LogData(_Data, tag=11, kw_only=True):
    """Console output of recorders before 2.0; same shape as the console plugin's."""

    level: str
    trace: list[str] = []
    payload: list[str] = []


class DragData(_Data, tag=12, kw_only=True):
    """Positions while dragging."""

    positions: list[Position]


class StyleProperty(msgspec.Struct, gc=False):
    """A declaration that was set."""

    property: str
    value: str | None
    priority: str | UnsetType = UNSET


class StylePropertyRemoval(msgspec.Struct, gc=False):
    """A declaration that was removed."""

    property: str


class StyleDeclarationData(_Data, tag=13, kw_only=True):
    """A declaration of a style sheet rule changed."""

    index: list[int]
    id: NodeReference | UnsetType = UNSET
    style_id: int | UnsetType = UNSET
    set: StyleProperty | UnsetType = UNSET
    remove: StylePropertyRemoval | UnsetType = UNSET


class SelectionRange(msgspec.Struct, gc=False, rename="camel"):
    """A selected range; offsets count characters, no text is sent."""

    start: NodeReference
    start_offset: int
    end: NodeReference
    end_offset: int


class SelectionData(_Data, tag=14, kw_only=True):
    """The document's selection."""

    ranges: list[SelectionRange]


class AdoptedStyle(msgspec.Struct, gc=False, rename="camel"):
    """A constructed style sheet's rules."""

    style_id: int
    rules: list[RuleAddition]


class AdoptedStyleSheetData(_Data, tag=15, kw_only=True):
    """Constructed style sheets a document or shadow root adopted."""

    id: NodeReference
    style_ids: list[int]
    styles: list[AdoptedStyle] | UnsetType = UNSET


class ElementDefinition(msgspec.Struct, gc=False):
    """The name a custom element was defined under."""

    name: str


class CustomElementData(_Data, tag=16, kw_only=True):
    """A custom element was defined."""

    define: ElementDefinition | UnsetType = UNSET


IncrementalData = (
    MutationData
    | MouseMoveData
    | MouseInteractionData
    | ScrollData
    | ViewportResizeData
    | InputData
    | TouchMoveData
    | MediaInteractionData
    | StyleSheetRuleData
    | CanvasMutationData
    | FontData
    | LogData
    | DragData
    | StyleDeclarationData
    | SelectionData
    | AdoptedStyleSheetData
    | CustomElementData
)
