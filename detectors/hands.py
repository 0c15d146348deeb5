"""What the visitor's hands do, noted once for all detectors that only ask afterwards whether anything was done.

Most interactions say nothing but that somebody is there: a key, a move, a scroll. Told to every detector that wants to
know whether a page was touched, or whether the visitor went on to something else, they cost more than all that is ever
made of them. So they are counted here, and who asks compares the count with what it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mypy_extensions import mypyc_attr

from detectors.interactions import Click, Input, Interaction, KeyDown, MouseMove, Press, Release, Scroll, Selection
from detectors.machine import NEVER, Machine

NO_SILENCE_MS: Final = 1 << 62
"""No silence is as long: nobody wants to know of any."""


@mypyc_attr(acyclic=True)
@dataclass(slots=True)
class Nothing:
    """No memory: who asks keeps what it was told (`Machine._settle`)."""


class Hands(Machine[Nothing]):
    """Counts what visitors do; it reports nothing itself and decides nothing.

    `touches` counts presses, clicks and keys, `deeds` presses, keys and scrolls. `typed_t` and `scrolled_t` are when a
    key and a scroll came last, `active_t` when the visitor was last seen to do anything (epoch ms).
    """

    name = "hands"

    def __init__(self) -> None:
        super().__init__(Nothing())
        self.touches = 0
        self.deeds = 0
        self.typed_t = NEVER
        self.scrolled_t = NEVER
        self.active_t = NEVER
        self._silence_ms = NO_SILENCE_MS
        self._back: Callable[[int, Interaction], None] = _ignore
        self._hasty: Callable[[Interaction], None] | None = None

    def tell_of_silence(self, silence_ms: int, back: Callable[[int, Interaction], None]) -> None:
        """Call `back` with what ends a silence of at least `silence_ms`, before it counts, and when that began."""
        self._silence_ms, self._back = silence_ms, back

    def tell_at_once(self, hasty: Callable[[Interaction], None] | None) -> None:
        """Call `hasty` with every touch and scroll from now on, before it counts; `None` ends that."""
        self._hasty = hasty

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Everything that a visitor does."""
        return {
            Press: self._on_press,
            Click: self._on_click,
            KeyDown: self._on_key,
            Input: self._on_key,
            Scroll: self._on_scroll,
            MouseMove: self._on_activity,
            Release: self._on_activity,
            Selection: self._on_activity,
        }

    def _on_activity(self, interaction: Interaction) -> None:
        since, self.active_t = self.active_t, interaction.t
        if interaction.t - since >= self._silence_ms:
            self._back(since, interaction)

    def _on_key(self, interaction: Input | KeyDown) -> None:
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


def _ignore(_since: int, _interaction: Interaction) -> None:
    """Nobody wants to know."""
