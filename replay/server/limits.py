"""How many requests are taken of each token and each address, in bounded memory."""

import ipaddress
from collections.abc import Callable
from typing import Final

MAX_BUCKETS: Final = 10_000
"""Tokens or addresses that are watched at a time; the one heard of longest ago is forgotten."""

_IPV6_NETWORK_BITS: Final = 64
"""Whoever has one IPv6 address has at least this many bits of others."""


class Rate:
    """Token buckets: each holds `burst`, and gets back `per_second`."""

    def __init__(self, per_second: float, burst: int, clock_ms: Callable[[], int]) -> None:
        self._per_ms = per_second / 1_000
        self._burst = float(burst)
        self._clock_ms = clock_ms
        self._buckets: dict[str, tuple[float, int]] = {}

    def take(self, key: str) -> float:
        """Take one of a bucket; give 0, or if it is empty the seconds until there is one again."""
        now_ms = self._clock_ms()
        level, at_ms = self._buckets.pop(key, (self._burst, now_ms))
        level = min(self._burst, level + max(now_ms - at_ms, 0) * self._per_ms)
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)))
        self._buckets[key] = (level - 1 if level >= 1 else level, now_ms)
        return 0.0 if level >= 1 else (1 - level) / self._per_ms / 1_000

    def __len__(self) -> int:
        return len(self._buckets)


def network_of(address: str) -> str:
    """Return what an address is counted as: itself, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4 or parsed.ipv4_mapped:  # noqa: PLR2004 - the version's name
        return str(parsed.ipv4_mapped if parsed.version != 4 else parsed)  # noqa: PLR2004
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK_BITS), strict=False))
