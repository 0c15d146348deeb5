"""JSON text as bytes: what can be seen and mended in it without a parser."""

import re
from typing import Final

import numpy as np

from engine.reasons import Reason

_REPLACEMENT: Final = "\ufffd"
_ESCAPED_REPLACEMENT: Final = rb"\ufffd"
_NULL: Final = b"null"

# Both expressions match all that stays and then, in their group, what does not (nothing at the end of the text). They
# match everywhere and give nothing back, so that they are linear on any bytes, in time and in memory.

_HALF_PAIR: Final = re.compile(
    rb"(?:[^\\]++"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a surrogate pair, as it should be
    rb"|(?!\\u[dD][89a-fA-F][0-9a-fA-F]{2})\\.?+"  # any other escape, so that an escaped backslash does not start one
    rb")*+(\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\Z)",
    re.DOTALL,
)
_NO_NUMBER: Final = re.compile(
    rb'(?:[^"NI-]++'
    rb'|"(?:[^"\\]++|\\.)*+"?+'  # a string, or all that is left if it does not end
    rb"|(?!-?(?:NaN|Infinity))."
    rb")*+(-?(?:NaN|Infinity)|\Z)",
    re.DOTALL,
)
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level down, one level up, as signed bytes."""


def repair_text(text: bytes) -> tuple[bytes, dict[Reason, int]]:
    """Make JSON of what is nearly JSON; return the text and how often each repair was done.

    Invalid UTF-8 and half surrogate pairs become U+FFFD; the words `NaN`, `Infinity` and `-Infinity`, which Python's
    encoder and others write as numbers, become `null`.
    """
    repaired: dict[Reason, int] = {}
    if not is_utf8(text):
        replaced = text.decode("utf-8", "replace")
        repaired[Reason.INVALID_UTF8] = replaced.count(_REPLACEMENT) - text.count(_REPLACEMENT.encode())
        text = replaced.encode()
    if rb"\ud" in text or rb"\uD" in text:
        text, halves = _replace(_HALF_PAIR, _ESCAPED_REPLACEMENT, text)
        if halves:
            repaired[Reason.SURROGATE_REPAIRED] = halves
    if b"NaN" in text or b"Infinity" in text:
        text, words = _replace(_NO_NUMBER, _NULL, text)
        if words:
            repaired[Reason.NUMBER_REPAIRED] = words
    return text, repaired


def _replace(expression: re.Pattern[bytes], replacement: bytes, text: bytes) -> tuple[bytes, int]:
    """Replace what the expression's group matches; return the text and how often that was done."""
    replaced, copied, times = bytearray(), 0, 0
    for match in expression.finditer(text):
        start, end = match.span(1)
        if start == end:
            break
        replaced += text[copied:start]
        replaced += replacement
        copied, times = end, times + 1
    return (bytes(replaced + text[copied:]), times) if times else (text, 0)


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
