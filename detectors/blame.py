"""Which click led to a request: what network errors and slow responses share."""

from collections.abc import Sequence
from typing import Final

import msgspec

from detectors.aim import Aim
from detectors.interactions import Click
from schemas.signals import Target

CAUSED_MS: Final = 1_000
"""A request that begins so soon after a click is taken for its work: handlers, debounced ones too, are faster."""

MAX_CLICKS: Final = 8
"""Clicks remembered; a request is rarely told more clicks later."""


class CausingClick(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A click at `t` after a press at `press_t` (epoch ms); `place` knows the control again when it is replaced."""

    press_t: int
    t: int
    page: str
    target: Target
    place: str


def remember(clicks: list[CausingClick], click: Click, aim: Aim | None) -> None:
    """Add a click, and forget the oldest if there are too many. After an opted-out one nobody is blamed."""
    if click.button or not click.is_primary:
        return
    if aim is None or aim.is_ignored():
        clicks.clear()
        return
    clicks.append(CausingClick(min(click.press_t, click.t), click.t, click.page, aim.target(), aim.place()))
    if len(clicks) > MAX_CLICKS:
        del clicks[0]


def cause(clicks: Sequence[CausingClick], start_t: int) -> CausingClick | None:
    """Find the latest click that a request begun at `start_t` (epoch ms) can be the work of."""
    for click in reversed(clicks):
        if click.press_t <= start_t:
            return click if start_t - click.t <= CAUSED_MS else None
    return None
