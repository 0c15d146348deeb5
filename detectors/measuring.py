"""Requests that measure visitors: sent for any click, by every site, and no answer to anybody."""

import re
from functools import lru_cache
from typing import Final

_MEASURING: Final = re.compile(
    r"(?<!/)/(?:track(?:ing|er)?|collect(?:or)?|analytics|beacons?|telemetry|pixel|rum|heartbeat|ping|pageview|"
    r"impressions?)(?:\.\w{2,4})?(?:/|$)",
    re.IGNORECASE,
)
"""What such addresses have among the segments of their paths. Hosts are called so too, and may be the site's own."""

CACHED_MAX_CHARACTERS: Final = 200
"""Longer paths are looked at each time: what is remembered is bounded in bytes as well."""


def is_measuring(url: str) -> bool:
    """Tell whether the path of `url` (masked) says that visitors are measured there."""
    path = url.partition("?")[0]
    return _cached(path) if len(path) <= CACHED_MAX_CHARACTERS else _measures(path)


def _measures(path: str) -> bool:
    return _MEASURING.search(path) is not None


_cached: Final = lru_cache(maxsize=1_000)(_measures)
