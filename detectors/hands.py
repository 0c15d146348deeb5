"""What the visitor's hands do, noted once for all detectors that only ask afterwards whether anything was done.

Most interactions say nothing but that somebody is there: a key, a move, a scroll. Told to every detector that wants to
know whether a page was touched, or whether the visitor went on to something else, they cost more than all that is ever
made of them. So they are counted here, and who asks compares the count with what it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from detectors.interactions import (
    Click,
    ElementFocus,
    Input,
    KeyDown,
    MouseMove,
    Navigation,
    Press,
    Release,
    Scroll,
    Selection,
)
from detectors.machine import NEVER, Machine
from detectors.moments import At
from detectors.stored import annotate

NO_SILENCE_MS: Final = 1 << 62
"""No silence is as long: nobody wants to know of any."""


@dataclass(slots=True)
class HandsState:
    """The elements of this page that last got the focus, were pressed, and changed their value.

    Counts and times are not kept here: who asks keeps what it was told (`Machine._settle`).
    """

    focused: int | str | None = None
    pressed: int | str | None = None
    changed: int | str | None = None


annotate(HandsState, focused=int | str | None, pressed=int | str | None, changed=int | str | None)


class Hands(Machine[HandsState]):
    """Counts what visitors do; it reports nothing itself and decides nothing.

    Frameworks set the fields of a view when they make it, and recorders tell that as if somebody had typed. A value is
    the visitor's if the recorder says so (rrweb's `userTriggered`), or if its field has the focus or was pressed last.
    Where no focus was ever told on a page, a field that changes twice in a row is typed into. What else the visitor
    fills in comes of a press or a key, which count themselves.

    `touches` counts presses, clicks and keys, `deeds` presses, keys and scrolls. `typed_t` and `scrolled_t` are when a
    key and a scroll came last, `active_t` when the visitor was last seen to do anything (epoch ms).
    """

    name = "hands"

    def __init__(self) -> None:
        super().__init__(HandsState())
        self.touches = 0
        self.deeds = 0
        self.typed_t = NEVER
        self.scrolled_t = NEVER
        self.active_t = NEVER
        self._silence_ms = NO_SILENCE_MS
        self._back: Callable[[int, At], None] = _ignore
        self._hasty: Callable[[At], None] | None = None

    def tell_of_silence(self, silence_ms: int, back: Callable[[int, At], None]) -> None:
        """Call `back` with what ends a silence of at least `silence_ms`, before it counts, and when that began."""
        self._silence_ms, self._back = silence_ms, back

    def tell_at_once(self, hasty: Callable[[At], None] | None) -> None:
        """Call `hasty` with every touch and scroll from now on, before it counts; `None` ends that."""
        self._hasty = hasty

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Everything that a visitor does."""
        return {
            Press: self._on_press,
            Click: self._on_click,
            KeyDown: self._on_key,
            Input: self._on_input,
            ElementFocus: self._on_focus,
            Navigation: self._on_navigation,
            Scroll: self._on_scroll,
            MouseMove: self._on_activity,
            Release: self._on_activity,
            Selection: self._on_activity,
        }

    def _on_activity(self, interaction: At) -> None:
        since, self.active_t = self.active_t, interaction.t
        if interaction.t - since >= self._silence_ms:
            self._back(since, interaction)

    @property
    def focused(self) -> int | str | None:
        """The element of this page that got the focus last, by its id; `None` if none is known to have."""
        return self._state.focused

    def is_typed(self, field_input: Input) -> bool:
        """Tell whether the visitor changed a value, to who hears of it before the hands do."""
        if field_input.by_visitor is not None:
            return field_input.by_visitor
        if field_input.target is None:
            return False
        state, node_id = self._state, field_input.target.node_id
        return node_id in (state.focused, state.pressed) or (state.focused is None and node_id == state.changed)

    def _on_input(self, field_input: Input) -> None:
        is_typed = self.is_typed(field_input)
        if field_input.target is not None:
            self._state.changed = field_input.target.node_id
        if is_typed:
            self._on_key(field_input)

    def _on_focus(self, focus: ElementFocus) -> None:
        if focus.gained and focus.target is not None:
            self._state.focused = focus.target.node_id

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":  # another page, whose nodes have the same ids
            state = self._state
            state.focused = state.pressed = state.changed = None

    def _on_key(self, interaction: At) -> None:
        t = interaction.t
        since, self.active_t = self.active_t, t
        if t - since >= self._silence_ms:
            self._back(since, interaction)
        if self._hasty is not None:
            self._hasty(interaction)
        self.typed_t = t
        self.touches += 1
        self.deeds += 1

    def _on_press(self, press: Press) -> None:
        self._state.pressed = None if press.target is None else press.target.node_id
        self._on_activity(press)
        if self._hasty is not None:
            self._hasty(press)
        self.touches += 1
        self.deeds += 1

    def _on_click(self, click: Click) -> None:
        self._on_activity(click)
        if self._hasty is not None:
            self._hasty(click)
        self.touches += 1

    def _on_scroll(self, scroll: Scroll) -> None:
        self._on_activity(scroll)
        if self._hasty is not None:
            self._hasty(scroll)
        self.scrolled_t = scroll.t
        self.deeds += 1


def _ignore(_since: int, _interaction: At) -> None:
    """Nobody wants to know."""
