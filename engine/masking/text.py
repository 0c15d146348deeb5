"""Masking of texts."""

import re
from typing import Final

from engine.masking.decisions import MASK

_WHITE_SPACE: Final = frozenset(b" \t\n\r\f\v")
_STARS: Final = bytes(code if code in _WHITE_SPACE else ord("*") for code in range(256))
_VISIBLE: Final = re.compile(r"\S")


def mask_text(value: str) -> str:
    """Put `*` in place of every character but white space, so that the layout holds and the words do not."""
    if value.isascii():
        return value.encode().translate(_STARS).decode()
    return _VISIBLE.sub("*", value)


def mask_constant(value: str) -> str:
    """Put a constant in place of the value, so that not even its length shows; empty stays empty."""
    return MASK if value else ""
