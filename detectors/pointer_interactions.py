"""Interactions with a mouse or a finger. See `detectors.interactions`, by which others know them."""

from dataclasses import dataclass

from detectors.elements import Element
from detectors.moments import At


@dataclass(init=False, slots=True)
class Pointer(At):
    """What a mouse or a finger does on `target`, at `x`, `y` of the window, `page_x`, `page_y` of the page (CSS px)."""

    target: Element | None
    x: float
    y: float
    page_x: float
    page_y: float
    button: int
    modifiers: tuple[str, ...]

    def __init__(
        self,
        t: int,
        page: str,
        target: Element | None,
        x: float = 0.0,
        y: float = 0.0,
        page_x: float = 0.0,
        page_y: float = 0.0,
        button: int = 0,
        modifiers: tuple[str, ...] = (),
    ) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.x = x
        self.y = y
        self.page_x = page_x
        self.page_y = page_y
        self.button = button
        self.modifiers = modifiers


class Press(Pointer):
    """A button or finger goes down."""

    __slots__ = ()


class Release(Pointer):
    """A button or finger goes up."""

    __slots__ = ()


@dataclass(init=False, slots=True)
class Click(Pointer):
    """A click of the primary button, or a tap. `press_t` is its press (ms), `t` where none was recorded.

    `label` is what the recorder calls the click: `""` if it says that there is none, `None` if it says nothing.
    """

    press_t: int
    release_t: int
    touch: bool
    is_primary: bool
    label: str | None

    def __init__(
        self,
        t: int,
        page: str,
        target: Element | None,
        x: float = 0.0,
        y: float = 0.0,
        page_x: float = 0.0,
        page_y: float = 0.0,
        button: int = 0,
        modifiers: tuple[str, ...] = (),
        press_t: int = 0,
        release_t: int = 0,
        touch: bool = False,
        is_primary: bool = True,
        label: str | None = None,
    ) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.x = x
        self.y = y
        self.page_x = page_x
        self.page_y = page_y
        self.button = button
        self.modifiers = modifiers
        self.press_t = press_t
        self.release_t = release_t
        self.touch = touch
        self.is_primary = is_primary
        self.label = label


@dataclass(init=False, slots=True)
class AuxClick(Pointer):
    """A click of another button, or the context menu. Times as those of `Click`; 0 where no gesture was recorded."""

    press_t: int
    release_t: int
    is_primary: bool

    def __init__(
        self,
        t: int,
        page: str,
        target: Element | None,
        x: float = 0.0,
        y: float = 0.0,
        page_x: float = 0.0,
        page_y: float = 0.0,
        button: int = 0,
        modifiers: tuple[str, ...] = (),
        press_t: int = 0,
        release_t: int = 0,
        is_primary: bool = True,
    ) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.x = x
        self.y = y
        self.page_x = page_x
        self.page_y = page_y
        self.button = button
        self.modifiers = modifiers
        self.press_t = press_t
        self.release_t = release_t
        self.is_primary = is_primary


class DoubleClick(Pointer):
    """The browser's double click, after its two clicks."""

    __slots__ = ()


@dataclass(init=False, slots=True)
class TouchStart(Pointer):
    """A finger goes down (a `Press` of the same moment comes too)."""

    touches: int

    def __init__(
        self,
        t: int,
        page: str,
        target: Element | None,
        x: float = 0.0,
        y: float = 0.0,
        page_x: float = 0.0,
        page_y: float = 0.0,
        button: int = 0,
        modifiers: tuple[str, ...] = (),
        touches: int = 1,
    ) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.x = x
        self.y = y
        self.page_x = page_x
        self.page_y = page_y
        self.button = button
        self.modifiers = modifiers
        self.touches = touches


@dataclass(init=False, slots=True)
class TouchEnd(Pointer):
    """A finger goes up (a `Release` of the same moment comes too)."""

    touches: int

    def __init__(
        self,
        t: int,
        page: str,
        target: Element | None,
        x: float = 0.0,
        y: float = 0.0,
        page_x: float = 0.0,
        page_y: float = 0.0,
        button: int = 0,
        modifiers: tuple[str, ...] = (),
        touches: int = 0,
    ) -> None:
        self.t = t
        self.page = page
        self.target = target
        self.x = x
        self.y = y
        self.page_x = page_x
        self.page_y = page_y
        self.button = button
        self.modifiers = modifiers
        self.touches = touches


@dataclass(init=False, slots=True)
class MouseMove(At):
    """Pointer positions since the last one, oldest first: `(t, x, y)` with epoch ms and CSS pixels."""

    positions: tuple[tuple[int, float, float], ...]

    def __init__(self, t: int, page: str, positions: tuple[tuple[int, float, float], ...]) -> None:
        self.t = t
        self.page = page
        self.positions = positions
