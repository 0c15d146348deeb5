"""All that a Redis holds as one text, compressed parts also unpacked: what is not found in it is not there."""

from collections.abc import Iterator
from typing import Any

import zstandard

from tests.replay.wires import dump

MAGIC = b"\x28\xb5\x2f\xfd"


def _pieces(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _pieces(key)
            yield from _pieces(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from _pieces(item)
    elif isinstance(value, bytes):
        yield value
        yield from _unpacked(value)
    else:
        yield repr(value).encode()


def _unpacked(value: bytes) -> Iterator[bytes]:
    start = value.find(MAGIC)
    while start >= 0:
        try:
            text = zstandard.ZstdDecompressor().decompressobj().decompress(value[start:])
        except zstandard.ZstdError:
            text = b""
        yield text
        yield from _unpacked(text)
        start = value.find(MAGIC, start + 1)


async def everything(redis: Any, *, but: tuple[bytes, ...] = ()) -> bytes:
    """Return all names of keys and all values, but those of some keys."""
    content = await dump(redis)
    for key in but:
        content.pop(key, None)
    return b"\n".join(_pieces(content))
