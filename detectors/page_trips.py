"""The way through pages that quick back and rapid reload share: which address is shown, since when, and how it came.

A page load is known by its new address only a little after its `Navigation`; a change within an application (`push`,
`pop` and the like) carries it.
"""

from dataclasses import dataclass
from typing import Final

from detectors.hands import Hands
from detectors.interactions import Navigation, PageShown
from detectors.machine import NEVER

RESTORED_MS: Final = 500
"""Browsers scroll a page to where it was when they show it again: such an early scroll is nobody's."""


@dataclass(init=False, slots=True)
class Stop:
    """An address shown since `t` (epoch ms).

    `touched`: the visitor did something on it besides moving the pointer, as far as that was noted here.
    """

    url: str
    t: int
    touched: bool

    def __init__(self, url: str, t: int) -> None:
        self.url = url
        self.t = t
        self.touched = False


def was_touched(here: Stop, hands: Hands, touches: int) -> bool:
    """Tell whether the visitor touched a page, at whose beginning the hands had counted so many `touches`."""
    return here.touched or hands.touches != touches or hands.scrolled_t - here.t >= RESTORED_MS


def address(url: str) -> str:
    """Give the part of an address that makes it another page: everything but the `#fragment`."""
    return url.partition("#")[0]


def shown(interaction: Navigation | PageShown) -> tuple[str, str] | None:
    """Give the address that is shown now and how it came (`load`, `push`, ...); `None` if that is not known yet."""
    if isinstance(interaction, PageShown):
        return address(interaction.page), "load"
    return None if interaction.nav == "load" else (address(interaction.page), interaction.nav)


def nowhere() -> Stop:
    """Give the stop before the first address."""
    return Stop("", NEVER)
