"""`Retry-After`: seconds or a date (RFC 9110, section 10.2.3), from somebody who may write anything."""

import re
from email.utils import parsedate_to_datetime
from typing import Final

MAX_SECONDS: Final = 6 * 3_600.0
"""A receiver cannot put us off for longer than this at a time."""

_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_MAX_CHARACTERS: Final = 64


def read_retry_after(text: str | None, now_s: float) -> float | None:
    """Return how many seconds to wait from `now_s` (epoch seconds) on; nothing where that is not said, or nonsense."""
    text = (text or "").strip()
    if not text or len(text) > _MAX_CHARACTERS:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_SECONDS)
    try:
        wait_s = parsedate_to_datetime(text).timestamp() - now_s
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(wait_s, 0.0), MAX_SECONDS)
