"""Interaction events: the second kind of input, for apps without an rrweb recorder.

The kinds are those of the case files vendors' rules are written in, and `custom`; each is one JSON object with `kind`
and `t` (epoch milliseconds). An element is described in place of a node id.
"""

from typing import Literal

import msgspec

from schemas.numbers import Number, Timestamp

AttributeText = str | int | float | bool | None


class ElementDescription(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """An element without a DOM around it: `ancestors` go from the parent outwards, each without ancestors of its own.

    `id` names the element within its page; an attribute value `true` means present and empty. `label` is the text a
    recorder gave to the click, where it has one; `cursor` the computed CSS cursor; `control` the field a label is for.
    """

    id: str | int
    tag: str
    attributes: dict[str, AttributeText] = {}
    text: str | None = None
    ancestors: list["ElementDescription"] = []
    label: str | None = None
    cursor: str | None = None
    control: "ElementDescription | None" = None


class _At(msgspec.Struct, gc=False, omit_defaults=True, tag_field="kind", kw_only=True):
    t: Timestamp
    page: str | None = None

    @property
    def timestamp(self) -> Timestamp:
        """`t` under the name it has in rrweb events."""
        return self.t


class PointerEvent(_At, kw_only=True):
    """What all pointer events have: where (CSS pixels in the viewport, and in the page if known) and on what."""

    target: ElementDescription
    x: Number = 0
    y: Number = 0
    page_x: Number | None = None
    page_y: Number | None = None
    modifiers: list[str] = []
    is_primary: bool = True


class ClickEvent(PointerEvent, tag="click", kw_only=True):
    """A whole gesture: press at `down_t`, release at `up_t`, click at `t` (both default to `t`)."""

    down_t: Timestamp | None = None
    up_t: Timestamp | None = None
    button: int = 0


class AuxClickEvent(PointerEvent, tag="auxclick", kw_only=True):
    """A click of a secondary button."""

    down_t: Timestamp | None = None
    up_t: Timestamp | None = None
    button: int = 2


class DoubleClickEvent(PointerEvent, tag="dblclick", kw_only=True):
    """The browser's own double click event, after its two clicks."""


class TouchStartEvent(PointerEvent, tag="touchstart", kw_only=True):
    """A finger goes down; `touches` is the number of fingers."""

    touches: int = 1


class TouchEndEvent(PointerEvent, tag="touchend", kw_only=True):
    """A finger goes up; `touches` is the number of fingers still down."""

    touches: int = 0


class MouseMoveEvent(_At, tag="mousemove", kw_only=True):
    """One pointer position."""

    x: Number = 0
    y: Number = 0
    target: ElementDescription | None = None


class TargetedEvent(_At, kw_only=True):
    """What events about an element have."""

    target: ElementDescription | None = None


class KeyDownEvent(TargetedEvent, tag="keydown", kw_only=True):
    """A key; which one is never read."""

    modifiers: list[str] = []


class ScrollEvent(TargetedEvent, tag="scroll", kw_only=True):
    """A scroll position; without target it is the page's."""

    x: Number = 0
    y: Number = 0


class InputEvent(TargetedEvent, tag="input", kw_only=True):
    """A field changed; its value is never read."""


class SelectionEvent(TargetedEvent, tag="selection", kw_only=True):
    """The selection changed; `collapsed` is a mere caret."""

    collapsed: bool = False


class MutationEvent(TargetedEvent, tag="mutation", kw_only=True):
    """The page changed: `mutation_type` is what changed, `attr` the attribute's name."""

    mutation_type: Literal["childList", "attributes", "characterData", "stylesheet", "canvas", "media"] = "childList"
    attr: str | None = None


class NavigationEvent(_At, tag="navigation", kw_only=True):
    """The address changed: a page load, or client-side routing."""

    nav: str = "load"
    url: str | None = None


class RequestStartEvent(_At, tag="request_start", kw_only=True):
    """A request began; `request_id` joins it with its end."""

    url: str | None = None
    method: str | None = None
    request_id: str | int | None = None


class RequestEndEvent(_At, tag="request_end", kw_only=True):
    """A request ended; `status` 0 or absent with `failed` true is a network failure."""

    url: str | None = None
    method: str | None = None
    request_id: str | int | None = None
    status: int | None = None
    duration_ms: Number | None = None
    failed: bool = False


class WindowOpenEvent(_At, tag="window_open", kw_only=True):
    """A script opened a window."""


class VisibilityEvent(_At, tag="visibility", kw_only=True):
    """The tab was hidden or shown."""

    state: Literal["hidden", "visible"]


class WindowBlurEvent(_At, tag="window_blur", kw_only=True):
    """The window lost the focus."""


class WindowFocusEvent(_At, tag="window_focus", kw_only=True):
    """The window got the focus."""


class FailureEvent(_At, kw_only=True):
    """What all failures have: message, type, stack as the browser prints it, and the place."""

    message: str = ""
    error_type: str | None = None
    stack: str | None = None
    source: str | None = None
    line: int | None = None
    col: int | None = None


class ErrorEvent(FailureEvent, tag="error", kw_only=True):
    """An uncaught error."""


class UnhandledRejectionEvent(FailureEvent, tag="unhandled_rejection", kw_only=True):
    """A promise rejected without a handler."""


class ConsoleErrorEvent(FailureEvent, tag="console_error", kw_only=True):
    """A call of `console.error`."""


class PageExitEvent(_At, tag="page_exit", kw_only=True):
    """The page goes away."""


class CustomEvent(_At, tag="custom", kw_only=True):
    """What the site itself says happened; published only under names that the operator named."""

    name: str


InteractionEvent = (
    ClickEvent
    | AuxClickEvent
    | DoubleClickEvent
    | TouchStartEvent
    | TouchEndEvent
    | MouseMoveEvent
    | KeyDownEvent
    | ScrollEvent
    | InputEvent
    | SelectionEvent
    | MutationEvent
    | NavigationEvent
    | RequestStartEvent
    | RequestEndEvent
    | WindowOpenEvent
    | VisibilityEvent
    | WindowBlurEvent
    | WindowFocusEvent
    | ErrorEvent
    | UnhandledRejectionEvent
    | ConsoleErrorEvent
    | PageExitEvent
    | CustomEvent
)
