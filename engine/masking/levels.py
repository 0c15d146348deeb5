"""The three privacy levels."""

from enum import StrEnum


class Level(StrEnum):
    """How much of a page is kept; the order is from strict to loose."""

    CONSERVATIVE = "conservative"
    MEDIUM = "medium"
    LIGHT = "light"

    @property
    def strictness(self) -> int:
        """0 for the strictest level, growing with what is kept."""
        return _ORDER[self]


_ORDER = {level: position for position, level in enumerate(Level)}
