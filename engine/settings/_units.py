"""Durations and sizes as people write them ("30m", "50MiB"), and as the code wants them (milliseconds, bytes)."""

import re
from collections.abc import Mapping
from typing import Final

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30

_DURATION_UNITS: Final = {"ms": 1, "s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_SIZE_UNITS: Final = {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}

# More digits than any bound allows; without a limit a long number would take long to convert.
_AMOUNT: Final = re.compile(r"([0-9]{1,18}) ?([A-Za-z]+)", re.ASCII)


def parse_duration_ms(text: str) -> int:
    """Read a whole number with one of the units ms, s, m, h, d; return milliseconds.

    Raises:
        ValueError: The text is anything else.
    """
    return _parse(text, _DURATION_UNITS)


def parse_size_bytes(text: str) -> int:
    """Read a whole number with one of the units B, KiB, MiB, GiB; return bytes.

    Raises:
        ValueError: The text is anything else.
    """
    return _parse(text, _SIZE_UNITS)


def format_duration(duration_ms: int) -> str:
    """Write milliseconds with the largest unit that leaves a whole number."""
    return _format(duration_ms, _DURATION_UNITS)


def format_size(size_bytes: int) -> str:
    """Write bytes with the largest unit that leaves a whole number."""
    return _format(size_bytes, _SIZE_UNITS)


def _parse(text: str, units: Mapping[str, int]) -> int:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or match[2] not in units:
        raise ValueError(text)
    return int(match[1]) * units[match[2]]


def _format(amount: int, units: Mapping[str, int]) -> str:
    fitting = {unit: factor for unit, factor in units.items() if factor == 1 or (amount and amount % factor == 0)}
    unit = max(fitting, key=fitting.__getitem__)
    return f"{amount // fitting[unit]}{unit}"
