"""Interactions: the normalised form of what rrweb events and interaction events tell, in stream order.

`t` is epoch milliseconds and never falls within a window: the engine repairs clocks before. `page` is the masked URL.
Targets are live `Element`s of the masked tree; `None` where the recording does not know the node.
"""

from dataclasses import dataclass

from detectors.change_interactions import (
    MUTATION_MAX_CHANGES,
    SCOPE_MAX_NODES,
    CanvasChange,
    Change,
    Mutation,
    StyleChange,
)
from detectors.elements import Element
from detectors.moments import At
from detectors.pointer_interactions import AuxClick, Click, DoubleClick, MouseMove, Press, Release, TouchEnd, TouchStart

__all__ = [
    "MUTATION_MAX_CHANGES",
    "SCOPE_MAX_NODES",
    "AuxClick",
    "CanvasChange",
    "Change",
    "Click",
    "CustomEvent",
    "DoubleClick",
    "ElementFocus",
    "Failure",
    "Input",
    "Interaction",
    "KeyDown",
    "Media",
    "MouseMove",
    "Mutation",
    "Navigation",
    "PageExit",
    "PageShown",
    "Press",
    "Release",
    "RequestEnd",
    "RequestStart",
    "Scroll",
    "Selection",
    "StyleChange",
    "TouchEnd",
    "TouchStart",
    "Visibility",
    "WindowFocus",
    "WindowOpen",
]


@dataclass(init=False, slots=True)
class KeyDown(At):
    """A key was pressed; never which one."""

    target: Element | None
    modifiers: tuple[str, ...]

    def __init__(self, t: int, page: str, target: Element | None = None, modifiers: tuple[str, ...] = ()) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.modifiers = modifiers


@dataclass(init=False, slots=True)
class Scroll(At):
    """The page (`target` is the document) or an element was scrolled to `x`, `y` (CSS pixels)."""

    target: Element | None
    x: float
    y: float

    def __init__(self, t: int, page: str, target: Element | None = None, x: float = 0.0, y: float = 0.0) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.x = x
        self.y = y


@dataclass(init=False, slots=True)
class Input(At):
    """A field's value changed. `by_visitor` is whether the recorder says by whom: most don't (`None`)."""

    target: Element | None
    by_visitor: bool | None

    def __init__(self, t: int, page: str, target: Element | None = None, by_visitor: bool | None = None) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.by_visitor = by_visitor


@dataclass(init=False, slots=True)
class Selection(At):
    """The selection changed; `collapsed` means a mere caret."""

    target: Element | None
    collapsed: bool

    def __init__(self, t: int, page: str, target: Element | None = None, collapsed: bool = False) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.collapsed = collapsed


@dataclass(init=False, slots=True)
class Media(At):
    """A media element played, paused, was sought or changed."""

    target: Element | None

    def __init__(self, t: int, page: str, target: Element | None = None) -> None:
        self.t = t
        self.page = page
        self.target = target


@dataclass(init=False, slots=True)
class ElementFocus(At):
    """An element got the focus (`gained`) or lost it."""

    target: Element | None
    gained: bool

    def __init__(self, t: int, page: str, target: Element | None = None, gained: bool = True) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.gained = gained


@dataclass(init=False, slots=True)
class Navigation(At):
    """The address changed. `nav` is `load` for a page load, else `push`, `replace`, `pop` or `hash`.

    `leads_nowhere` if the page says that it is the address it was already: a link to where one is.
    """

    nav: str
    leads_nowhere: bool

    def __init__(self, t: int, page: str, nav: str, leads_nowhere: bool = False) -> None:
        self.t = t
        self.page = page
        self.nav = nav
        self.leads_nowhere = leads_nowhere


class PageShown(At):
    """The address of a page that was loaded became known: after its `Navigation`, which may still name the old one."""

    __slots__ = ()


@dataclass(init=False, slots=True)
class RequestStart(At):
    """A request began; `url` is masked."""

    url: str
    request_id: str

    def __init__(self, t: int, page: str, url: str = "", request_id: str = "") -> None:
        self.t = t
        self.page = page
        self.url = url
        self.request_id = request_id


@dataclass(init=False, slots=True)
class RequestEnd(At):
    """A request ended with `status` (0: none), `failed` for network failures and status 400 and above.

    `start_t` is when it began (ms), as far as the recording tells.
    """

    start_t: int
    url: str
    request_id: str
    status: int
    failed: bool

    def __init__(
        self,
        t: int,
        page: str,
        start_t: int,
        url: str = "",
        request_id: str = "",
        status: int = 0,
        failed: bool = False,
    ) -> None:
        self.t = t
        self.page = page
        self.start_t = start_t
        self.url = url
        self.request_id = request_id
        self.status = status
        self.failed = failed


class WindowOpen(At):
    """A script opened a window."""

    __slots__ = ()


@dataclass(init=False, slots=True)
class Visibility(At):
    """The tab was hidden or shown."""

    hidden: bool

    def __init__(self, t: int, page: str, hidden: bool) -> None:
        self.t = t
        self.page = page
        self.hidden = hidden


@dataclass(init=False, slots=True)
class WindowFocus(At):
    """The window got the focus (`gained`) or lost it."""

    gained: bool

    def __init__(self, t: int, page: str, gained: bool) -> None:
        self.t = t
        self.page = page
        self.gained = gained


@dataclass(init=False, slots=True)
class Failure(At):
    """A JavaScript error: `source` is `error`, `unhandled_rejection` or `console_error`.

    All texts are masked: `message` is a template, `frames` are `function@url:line:column`, innermost first.
    `error_type` is the error's class; it is empty for a text on the console that isn't an error.
    """

    source: str
    error_type: str
    message: str
    frames: tuple[str, ...]

    def __init__(self, t: int, page: str, source: str, error_type: str, message: str, frames: tuple[str, ...]) -> None:
        self.t = t
        self.page = page
        self.source = source
        self.error_type = error_type
        self.message = message
        self.frames = frames


class PageExit(At):
    """The page goes away."""

    __slots__ = ()


@dataclass(init=False, slots=True)
class CustomEvent(At):
    """The site said that something happened; `name` is one that the operator named."""

    name: str

    def __init__(self, t: int, page: str, name: str) -> None:
        self.t = t
        self.page = page
        self.name = name


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
