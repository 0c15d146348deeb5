"""What headers of a request ask for (RFC 9110): an encoding, a part, only what has changed. Pure."""

import hashlib
import re
from typing import Final, Literal, NamedTuple

Encoding = Literal["zstd", "gzip", "identity"]

_PREFERRED: Final[tuple[Encoding, ...]] = ("zstd", "gzip", "identity")
"""Ours, where a client has no preference: zstd costs nothing, because bundles are stored in it."""

MAX_HEADER_CHARS: Final = 1_000
"""Characters of a header that are looked at; longer ones ask for nothing."""

_ACCEPTED: Final = re.compile(r"\s*([a-z0-9*-]+)\s*(?:;\s*q=\s*([01](?:\.\d{0,3})?)\s*)?", re.IGNORECASE)
_RANGE: Final = re.compile(r"bytes\s*=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*", re.IGNORECASE)
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def choose_encoding(accept_encoding: str) -> Encoding:
    """Choose how to encode a body, of what `Accept-Encoding` lists: the highest weight, then our own preference.

    Without the header, or where nothing we have is listed, it is `identity`: some clients forbid even that, but none
    means it.
    """
    weights: dict[str, float] = {}
    for item in accept_encoding[:MAX_HEADER_CHARS].split(","):
        if match := _ACCEPTED.fullmatch(item):
            weights[match[1].lower().removeprefix("x-")] = float(match[2] or 1)
    others = weights.get("*", 0.0)
    # What is not listed is last, but it is better to send something plain than nothing.
    offered = [(weights.get(name, others if name != "identity" else max(others, 0.0001)), name) for name in _PREFERRED]
    best = max(weight for weight, _ in offered)
    return next((name for weight, name in offered if weight == best > 0), "identity")


def make_tag(*parts: object) -> str:
    """Make an entity tag: the same for the same parts, another for others."""
    text = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return f'"{hashlib.blake2b(text, digest_size=16).hexdigest()}"'


def is_current(if_none_match: str, tag: str) -> bool:
    """Whether a client that sends `If-None-Match` has what we would send already."""
    if if_none_match.strip() == "*":
        return True
    return tag in _TAG.findall(if_none_match[:MAX_HEADER_CHARS])


class ByteRange(NamedTuple):
    """The bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int


def choose_range(range_header: str, if_range: str, tag: str, length: int) -> ByteRange | None:
    """Read `Range`: what to send of `length` bytes; `None` means all of them.

    All is sent too where several ranges are asked for, units are not bytes, or the client's part is of something else
    (`If-Range` is not our tag). A range that begins behind the end, or has no bytes, is empty: it cannot be satisfied.
    """
    match = _RANGE.fullmatch(range_header)
    if match is None or (if_range and if_range.strip() != tag):
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return ByteRange(max(length - int(suffix), 0), length)
    start = int(first)
    stop = int(last) + 1 if last else length
    if last and stop <= start:
        return None  # RFC 9110, 14.1.1: invalid, so ignored
    return ByteRange(start, min(stop, length))
