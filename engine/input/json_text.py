"""JSON text as bytes: what can be seen and mended in it without a parser."""

import re
from typing import Final

import numpy as np

from engine.reasons import Reason

_REPLACEMENT: Final = "\ufffd"
_ESCAPED_REPLACEMENT: Final = rb"\ufffd"

_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair, as it should be
    rb"|(u[dD][89abcdefABCDEF][0-9a-fA-F]{2})"  # half of one
    rb"|.)",  # any other escape, so that an escaped backslash does not start one
    re.DOTALL,
)
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level down, one level up, as signed bytes."""


def repair_text(text: bytes) -> tuple[bytes, dict[Reason, int]]:
    """Replace invalid UTF-8 and half surrogate pairs by U+FFFD; return the text and how often each was done."""
    repaired: dict[Reason, int] = {}
    if not is_utf8(text):
        replaced = text.decode("utf-8", "replace")
        repaired[Reason.INVALID_UTF8] = replaced.count(_REPLACEMENT) - text.count(_REPLACEMENT.encode())
        text = replaced.encode()
    halves = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal halves
        if match[1] is None:
            return match[0]
        halves += 1
        return _ESCAPED_REPLACEMENT

    if rb"\ud" in text or rb"\uD" in text:
        text = _ESCAPE.sub(replace, text)
    if halves:
        repaired[Reason.SURROGATE_REPAIRED] = halves
    return text, repaired


def is_utf8(text: bytes) -> bool:
    """Whether the bytes are UTF-8 without surrogates."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_deeper(text: bytes, max_depth: int) -> bool:
    """Whether arrays and objects of a JSON text are nested more than `max_depth` deep; a scalar has depth 0.

    Strings are cut out and the brackets left are summed up: C all the way, linear, and no recursion. Of a text that
    is no JSON the answer means nothing, but it comes.
    """
    if len(text) < 2 * max_depth + 2:
        return False
    rest = text
    if b"\\" in rest:
        rest = rest.replace(rb"\\", b"").replace(rb"\"", b"")
    brackets = b"".join(rest.split(b'"')[::2]).translate(_STEPS, _NO_BRACKETS)
    if len(brackets) < 2 * max_depth + 2:
        return False
    return int(np.frombuffer(brackets, np.int8).cumsum(dtype=np.int32).max()) > max_depth
