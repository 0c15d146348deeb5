"""The way through pages that quick back and rapid reload share: which address is shown, since when, and how it came.

A page load is known by its new address only a little after its `Navigation`; a change within an application (`push`,
`pop` and the like) carries it.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from detectors.interactions import Click, Input, Interaction, KeyDown, Navigation, PageShown, Press, Scroll
from detectors.machine import NEVER

RESTORED_MS: Final = 500
"""Browsers scroll a page to where it was when they show it again: such an early scroll is nobody's."""


class Stop(msgspec.Struct, gc=False, array_like=True):
    """An address shown since `t` (epoch ms). `touched`: the visitor did something on it besides moving the pointer."""

    url: str
    t: int
    touched: bool = False


def touch_handlers(
    touch: Callable[[Interaction], None], scroll: Callable[[Scroll], None]
) -> dict[type, Callable[..., None]]:
    """Map the interactions by which a visitor touches a page, for sure or perhaps."""
    return dict.fromkeys((Press, Click, KeyDown, Input), touch) | {Scroll: scroll}


def address(url: str) -> str:
    """Give the part of an address that makes it another page: everything but the `#fragment`."""
    return url.partition("#")[0]


def shown(interaction: Navigation | PageShown) -> tuple[str, str] | None:
    """Give the address that is shown now and how it came (`load`, `push`, ...); `None` if that is not known yet."""
    if isinstance(interaction, PageShown):
        return address(interaction.page), "load"
    return None if interaction.nav == "load" else (address(interaction.page), interaction.nav)


NOWHERE: Final = Stop("", NEVER)
