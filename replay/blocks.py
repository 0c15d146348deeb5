"""Blocks: runs of masked events, each an independent zstd frame of JSON lines."""

import threading
from collections.abc import Sequence
from typing import Final

import zstandard

from replay.errors import Poison

LIVE_LEVEL: Final = 1
"""zstd level while a session runs: about 450 MB/s on one core; compaction recompresses."""

COMPACT_LEVEL: Final = 9
"""zstd level of compacted blocks: written once, read often."""

_MAX_WINDOW_BYTES: Final = 1 << 27
"""Memory a frame may ask for to be decoded: 128 MiB, zstd's own limit for frames that do not ask for more."""


class _Coders(threading.local):
    """Compressors and a decompressor to be used again: neither may be shared between threads."""

    def __init__(self) -> None:
        self.compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)


_coders = _Coders()


def join_lines(events: Sequence[bytes]) -> bytes:
    """Make a block's text of JSON events: each on a line of its own, each line ended by a newline."""
    return b"\n".join([*events, b""])


def encode_block(lines: bytes, level: int = LIVE_LEVEL) -> bytes:
    """Compress JSON lines into one zstd frame that states its size and carries a checksum."""
    compressor = _coders.compressors.get(level)
    if compressor is None:
        compressor = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)
        _coders.compressors[level] = compressor
    return compressor.compress(lines)


def decode_block(data: bytes, max_bytes: int) -> bytes:
    """Decompress one block, giving its JSON lines.

    The declared size is checked before anything is decompressed, and no more than it is ever held: a frame can
    state a size that is not its own (zstandard's `max_output_size` does not help against that).

    Raises Poison if `data` is not an intact frame of a declared size of at most `max_bytes` bytes, or if more follows.
    """
    try:
        declared = zstandard.frame_content_size(data)
        if not 0 <= declared <= max_bytes:
            raise Poison(f"a block declares {declared} bytes, allowed are {max_bytes}")
        with _coders.decompressor.stream_reader(data, read_across_frames=True) as reader:
            lines = reader.read(declared)
            surplus = reader.read(1)
    except zstandard.ZstdError as error:
        raise Poison("a block is not a zstd frame, or is damaged") from error
    if len(lines) != declared or surplus:
        raise Poison("a block holds more or less than it declares")
    return lines
