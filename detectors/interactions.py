"""Interactions: the normalised form of what rrweb events and interaction events tell, in stream order.

`t` is epoch milliseconds and never falls within a window: the engine repairs clocks before. `page` is the masked URL.
Targets are live `Element`s of the masked tree; `None` where the recording does not know the node.
"""

from typing import Final

import msgspec

from detectors.elements import Element

MUTATION_MAX_CHANGES: Final = 16
"""A mutation tells at most this many of its changes."""
SCOPE_MAX_NODES: Final = 6
"""A change names its node and the nearest of its ancestors, at most this many in all."""


class _At(msgspec.Struct, frozen=True, gc=False):
    t: int
    page: str


class _Pointer(_At, frozen=True, gc=False):
    target: Element | None
    x: float = 0.0
    y: float = 0.0
    page_x: float = 0.0
    page_y: float = 0.0
    button: int = 0
    modifiers: tuple[str, ...] = ()


class Press(_Pointer, frozen=True, gc=False):
    """A button or finger goes down."""


class Release(_Pointer, frozen=True, gc=False):
    """A button or finger goes up."""


class Click(_Pointer, frozen=True, gc=False):
    """A click of the primary button, or a tap. `press_t` is its press (ms), `t` where none was recorded.

    `label` is what the recorder calls the click: `""` if it says that there is none, `None` if it says nothing.
    """

    press_t: int = 0
    release_t: int = 0
    touch: bool = False
    is_primary: bool = True
    label: str | None = None


class AuxClick(_Pointer, frozen=True, gc=False):
    """A click of another button, or the context menu. Times as those of `Click`; 0 where no gesture was recorded."""

    press_t: int = 0
    release_t: int = 0
    is_primary: bool = True


class DoubleClick(_Pointer, frozen=True, gc=False):
    """The browser's double click, after its two clicks."""


class TouchStart(_Pointer, frozen=True, gc=False):
    """A finger goes down (a `Press` of the same moment comes too)."""

    touches: int = 1


class TouchEnd(_Pointer, frozen=True, gc=False):
    """A finger goes up (a `Release` of the same moment comes too)."""

    touches: int = 0


class MouseMove(_At, frozen=True, gc=False):
    """Pointer positions since the last one, oldest first: `(t, x, y)` with epoch ms and CSS pixels."""

    positions: tuple[tuple[int, float, float], ...]


class KeyDown(_At, frozen=True, gc=False):
    """A key was pressed; never which one."""

    target: Element | None = None
    modifiers: tuple[str, ...] = ()


class Scroll(_At, frozen=True, gc=False):
    """The page (`target` is the document) or an element was scrolled to `x`, `y` (CSS pixels)."""

    target: Element | None = None
    x: float = 0.0
    y: float = 0.0


class Input(_At, frozen=True, gc=False):
    """A field's value changed, by the visitor or by a script."""

    target: Element | None = None


class Selection(_At, frozen=True, gc=False):
    """The selection changed; `collapsed` means a mere caret."""

    target: Element | None = None
    collapsed: bool = False


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change of the page within a mutation.

    `kind` is `add`, `remove`, `attribute` or `text`. `node_id` is the node that came, went or changed; `scope` is that
    node and up to five ancestors, nearest first. `name` is the attribute, or an added element's tag. `has_text` says
    that an added node carries text of its own.
    """

    kind: str
    node_id: int | str
    scope: tuple[int | str, ...]
    name: str = ""
    has_text: bool = False


class Mutation(_At, frozen=True, gc=False):
    """The page changed. `changes` are the first `MUTATION_MAX_CHANGES`; `total` counts all.

    `target` is the changed element where interaction events describe it; rrweb's mutations change many at once.
    """

    changes: tuple[Change, ...]
    total: int
    target: Element | None = None


class StyleChange(_At, frozen=True, gc=False):
    """A style sheet was changed by script (rules, declarations, adopted sheets).

    It `only_prepares` if nothing but rules for classes and at-rules were added: they show nothing by themselves, and
    what comes to use them is told as a mutation.
    """

    only_prepares: bool = False


class CanvasChange(_At, frozen=True, gc=False):
    """Something was drawn on a canvas."""

    target: Element | None = None


class Media(_At, frozen=True, gc=False):
    """A media element played, paused, was sought or changed."""

    target: Element | None = None


class ElementFocus(_At, frozen=True, gc=False):
    """An element got the focus (`gained`) or lost it."""

    target: Element | None = None
    gained: bool = True


class Navigation(_At, frozen=True, gc=False):
    """The address changed. `nav` is `load` for a page load, else `push`, `replace`, `pop` or `hash`.

    `leads_nowhere` if the page says that it is the address it was already: a link to where one is.
    """

    nav: str
    leads_nowhere: bool = False


class PageShown(_At, frozen=True, gc=False):
    """The address of a page that was loaded became known: after its `Navigation`, which may still name the old one."""


class RequestStart(_At, frozen=True, gc=False):
    """A request began; `url` is masked."""

    url: str = ""
    request_id: str = ""


class RequestEnd(_At, frozen=True, gc=False):
    """A request ended with `status` (0: none), `failed` for network failures and status 400 and above.

    `start_t` is when it began (ms), as far as the recording tells.
    """

    start_t: int
    url: str = ""
    request_id: str = ""
    status: int = 0
    failed: bool = False


class WindowOpen(_At, frozen=True, gc=False):
    """A script opened a window."""


class Visibility(_At, frozen=True, gc=False):
    """The tab was hidden or shown."""

    hidden: bool


class WindowFocus(_At, frozen=True, gc=False):
    """The window got the focus (`gained`) or lost it."""

    gained: bool


class Failure(_At, frozen=True, gc=False):
    """A JavaScript error: `source` is `error`, `unhandled_rejection` or `console_error`.

    All texts are masked: `message` is a template, `frames` are `function@url:line:column`, innermost first.
    `error_type` is the error's class; it is empty for a text on the console that isn't an error.
    """

    source: str
    error_type: str
    message: str
    frames: tuple[str, ...]


class PageExit(_At, frozen=True, gc=False):
    """The page goes away."""


class CustomEvent(_At, frozen=True, gc=False):
    """The site said that something happened; `name` is one that the operator named."""

    name: str


Interaction = (
    Press
    | Release
    | Click
    | AuxClick
    | DoubleClick
    | TouchStart
    | TouchEnd
    | MouseMove
    | KeyDown
    | Scroll
    | Input
    | Selection
    | Mutation
    | StyleChange
    | CanvasChange
    | Media
    | ElementFocus
    | Navigation
    | PageShown
    | RequestStart
    | RequestEnd
    | WindowOpen
    | Visibility
    | WindowFocus
    | Failure
    | PageExit
    | CustomEvent
)
