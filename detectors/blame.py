"""Which click led to a request: what network errors and slow responses share."""

from collections.abc import Sequence
from typing import Final

from detectors.aim import Aim, CausingClick
from detectors.interactions import Click

__all__ = ["CAUSED_MS", "CausingClick", "cause", "is_broken", "remember"]

CAUSED_MS: Final = 1_000
"""A request that begins so soon after a click is taken for its work: handlers, debounced ones too, are faster."""

BROKEN_STATUS: Final = 500

OVERLOADED: Final = frozenset({408, 429})
"""Request timeout and too many requests: nothing the visitor could have done otherwise."""

MAX_CLICKS: Final = 8
"""Clicks remembered; a request is rarely told more clicks later."""


def remember(clicks: list[CausingClick], click: Click, aim: Aim | None) -> None:
    """Add a click, and forget the oldest if there are too many. After an opted-out one nobody is blamed."""
    if click.button or not click.is_primary:
        return
    if aim is None or aim.is_ignored():
        clicks.clear()
        return
    clicks.append(aim.causing(click))
    if len(clicks) > MAX_CLICKS:
        del clicks[0]


def cause(clicks: Sequence[CausingClick], start_t: int) -> CausingClick | None:
    """Find the latest click that a request begun at `start_t` (epoch ms) can be the work of."""
    for click in reversed(clicks):
        if click.press_t <= start_t:
            return click if start_t - click.t <= CAUSED_MS else None
    return None


def is_broken(status: int) -> bool:
    """Tell whether a status (0: none) is the fault of the site; others are answers to the visitor."""
    return status >= BROKEN_STATUS or not status or status in OVERLOADED
