"""Moments as people write them, and as commands take them."""

import re
from datetime import UTC, datetime
from typing import Final

from replay.errors import Poison

_SECONDS: Final = re.compile(r"\+([0-9]{1,9})(?:\.([0-9]{1,3}))?", re.ASCII)
_EPOCH: Final = re.compile(r"[0-9]{1,15}", re.ASCII)


def day_and_time(t: int) -> str:
    """Write a moment (epoch ms) as `2026-11-22 06:10:04 UTC`; one that no calendar has, as the number it is."""
    try:
        return datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{t} ms"


def parse_moment(text: str, started_at: int) -> int:
    """Read a moment, epoch ms or `+12.5` seconds after `started_at` (epoch ms). Raises Poison for anything else."""
    if _EPOCH.fullmatch(text):
        return int(text)
    seconds = _SECONDS.fullmatch(text)
    if seconds is None:
        raise Poison("a moment is epoch milliseconds, or seconds from the start such as +12.5")
    return started_at + int(seconds[1]) * 1000 + int((seconds[2] or "").ljust(3, "0"))
