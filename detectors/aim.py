"""What a click aimed at, found out once for all detectors of a window."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from detectors.elements import Element
from detectors.interactions import Click
from detectors.interactive import (
    UNSEEN_TAGS,
    Candidate,
    candidate,
    closest_interactive,
    is_ignored,
    is_text_field,
    whole_drawing,
)
from detectors.targets import describe, place_of
from schemas.signals import Target


class Unasked(Enum):
    """Stands for an answer that may be `None` and was not worked out yet."""

    UNASKED = 0


UNASKED: Final = Unasked.UNASKED


@dataclass(init=False, slots=True)
class CausingClick:
    """A click at `t` after a press at `press_t` (epoch ms); `place` knows the control again when it is replaced."""

    press_t: int
    t: int
    page: str
    target: Target
    place: str

    def __init__(self, click: Click, aim: "Aim") -> None:
        self.press_t = min(click.press_t, click.t)
        self.t = click.t
        self.page = click.page
        self.target = aim.target()
        self.place = aim.place()


class Aim:
    """What detectors ask about an `element` that was clicked, each answer worked out when it is first asked for.

    `control` is the interactive element the click was meant for; where there is none, the element, or its whole
    drawing. Answers are of the moment: an aim is of no use when the page may have changed.
    """

    __slots__ = ("_candidate", "_causing", "_is_ignored", "_place", "_target", "control", "element", "is_interactive")

    def __init__(self, element: Element) -> None:
        control = closest_interactive(element)
        self.element = element
        self.is_interactive = control is not None
        self.control = whole_drawing(element) if control is None else control
        self._is_ignored: bool | None = None
        self._target: Target | None = None
        self._place: str | None = None
        self._candidate: Candidate | Unasked | None = UNASKED
        self._causing: CausingClick | None = None

    def is_ignored(self) -> bool:
        """Tell whether the site opted the element out of all detectors."""
        if self._is_ignored is None:
            self._is_ignored = is_ignored(self.element)
        return self._is_ignored

    def answers_unseen(self) -> bool:
        """Tell whether clicks are answered where a recording may not show it: fields, canvas, media."""
        return self.element.tag in UNSEEN_TAGS or (self.is_interactive and is_text_field(self.control))

    def candidate(self, page: str) -> Candidate | None:
        """Find who owes an answer to the click, on `page` (masked URL); see `detectors.interactive.candidate`."""
        if isinstance(self._candidate, Unasked):
            self._candidate = candidate(self.element, page)
        return self._candidate

    def causing(self, click: Click) -> CausingClick:
        """Describe the click as one that requests may be the work of."""
        if self._causing is None:
            self._causing = CausingClick(click, self)
        return self._causing

    def target(self) -> Target:
        """Describe the control for a signal."""
        if self._target is None:
            self._target = describe(self.control)
        return self._target

    def place(self) -> str:
        """Name the control's place, see `place_of`."""
        if self._place is None:
            self._place = place_of(self.control, self.target().text)
        return self._place


class Aims:
    """The aim of the latest click; one for all detectors of a window, who are told of a click one after the other.

    That click is kept until the next one, only to know it again.
    """

    __slots__ = ("_aim", "_click")

    def __init__(self) -> None:
        self._click: Click | None = None
        self._aim: Aim | None = None

    def of(self, click: Click) -> Aim | None:
        """Give the aim of `click`; `None` where the recording does not know what was clicked."""
        if click is not self._click:
            self._click = click
            self._aim = None if click.target is None else Aim(click.target)
        return self._aim
