"""Requests that measure visitors: sent for any click, by every site, and no answer to anybody."""

import re
from typing import Final

_MEASURING: Final = re.compile(
    r"(?<!/)/(?:track(?:ing|er)?|collect(?:or)?|analytics|beacons?|telemetry|pixel|rum|heartbeat|ping|pageview|"
    r"impressions?)(?:\.\w{2,4})?(?:/|$)",
    re.IGNORECASE,
)
"""What such addresses have among the segments of their paths. Hosts are called so too, and may be the site's own."""


def is_measuring(url: str) -> bool:
    """Tell whether the path of `url` (masked) says that visitors are measured there."""
    return _MEASURING.search(url.partition("?")[0]) is not None
