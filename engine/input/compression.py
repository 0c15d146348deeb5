"""Decompression under caps: a kilobyte can hold a gigabyte, and a declared size can lie."""

import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import zstandard

from engine.errors import Poison
from engine.reasons import Reason
from engine.settings import LimitSettings

GZIP: Final = "gzip"
ZSTD: Final = "zstd"

ZSTD_PIECE_BYTES: Final = 256
"""zstd packs up to 128 KiB into 4 bytes (an RLE block, RFC 8878 section 3.1.1.2), so that a piece of this size gives at
most 8 MiB at a time; the decompressor itself knows no such limit."""

GZIP_OUTPUT_BYTES: Final = 1 << 20
MAX_FRAMES: Final = 1_000
"""Frames (zstd) or members (gzip) in one message: a million empty ones fit into 10 MiB and take seconds."""

MAX_WINDOW_BYTES: Final = 1 << 27
"""zstd's own limit for a decoder, reached by `zstd --long`; it is the memory that a frame without size can ask for."""

MESSAGE_WINDOW_BYTES: Final = 8 << 20
"""What RFC 8878 section 3.1.1.1.2 asks every decoder to support."""

_GZIP_WRAPPER: Final = 31
"""zlib's `wbits` for the gzip format with the largest window."""


def sniff_encoding(first_bytes: bytes) -> str | None:
    """Return `gzip`, `zstd` or `None`, judged by the first four bytes of a file."""
    if first_bytes.startswith(b"\x1f\x8b"):
        return GZIP
    if first_bytes.startswith(b"\x28\xb5\x2f\xfd"):
        return ZSTD
    return None


def decompress_message(value: bytes, encoding: str | None, limits: LimitSettings) -> bytes:
    """Return the text of a message. Raises Poison if it is too large, damaged or of an unknown encoding."""
    if encoding is None or encoding == "identity":
        if len(value) > limits.max_batch_bytes:
            raise Poison(Reason.TOO_LARGE)
        return value
    if len(value) > limits.max_message_bytes:
        raise Poison(Reason.TOO_LARGE_COMPRESSED)
    if encoding == ZSTD:
        return _decompress_zstd(value, limits.max_batch_bytes)
    if encoding == GZIP:
        return _collect(gzip_pieces((value,), MAX_FRAMES), limits.max_batch_bytes)
    raise Poison(Reason.UNKNOWN_ENCODING)


def gzip_pieces(chunks: Iterable[bytes], max_members: int | None = None) -> Iterator[bytes]:
    """Decompress gzip members that follow each other, at most 1 MiB at a time. Raises Poison."""
    member = None
    members = 0
    for chunk in chunks:
        rest = chunk
        while rest:
            if member is None:
                member = zlib.decompressobj(_GZIP_WRAPPER)
                members = _count(members, max_members)
            try:
                yield member.decompress(rest, GZIP_OUTPUT_BYTES)
            except zlib.error:
                raise Poison(Reason.CORRUPT_COMPRESSION) from None
            if member.eof:
                rest = member.unused_data.lstrip(b"\0")
                member = None
            else:
                rest = member.unconsumed_tail
    if member is not None:
        yield member.flush()
        if not member.eof:
            raise Poison(Reason.TRUNCATED_COMPRESSION)


def zstd_pieces(
    chunks: Iterable[bytes], max_window_bytes: int = MAX_WINDOW_BYTES, max_frames: int | None = None
) -> Iterator[bytes]:
    """Decompress zstd frames that follow each other; short chunks give short pieces. Raises Poison."""
    decompressor = _zstd_decompressor(max_window_bytes)
    frame = None
    frames = 0
    for chunk in chunks:
        rest = chunk
        while rest:
            if frame is None:
                frame = decompressor.decompressobj()
                frames = _count(frames, max_frames)
            try:
                yield frame.decompress(rest)
            except zstandard.ZstdError:
                raise Poison(Reason.CORRUPT_COMPRESSION) from None
            rest = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame = None
    if frame is not None:
        raise Poison(Reason.TRUNCATED_COMPRESSION)


def _decompress_zstd(value: bytes, max_bytes: int) -> bytes:
    try:
        declared_bytes = zstandard.frame_content_size(value)
    except zstandard.ZstdError:
        raise Poison(Reason.CORRUPT_COMPRESSION) from None
    if declared_bytes > max_bytes:
        raise Poison(Reason.TOO_LARGE)
    if declared_bytes > 0:
        try:
            # The buffer has the declared size, so that a lie fails; one call is twice as fast as pieces.
            return _zstd_decompressor(MESSAGE_WINDOW_BYTES).decompress(value, allow_extra_data=False)
        except zstandard.ZstdError:
            pass  # More frames, a lie, or damage: the careful way tells.
    pieces = (value[start : start + ZSTD_PIECE_BYTES] for start in range(0, len(value), ZSTD_PIECE_BYTES))
    return _collect(zstd_pieces(pieces, max(MESSAGE_WINDOW_BYTES, max_bytes), MAX_FRAMES), max_bytes)


def _collect(pieces: Iterable[bytes], max_bytes: int) -> bytes:
    collected = bytearray()
    for piece in pieces:
        if len(collected) + len(piece) > max_bytes:
            raise Poison(Reason.TOO_LARGE)
        collected += piece
    return bytes(collected)


def _count(frames: int, most: int | None) -> int:
    if most is not None and frames >= most:
        raise Poison(Reason.CORRUPT_COMPRESSION)
    return frames + 1


@cache
def _zstd_decompressor(max_window_bytes: int) -> zstandard.ZstdDecompressor:
    """Return a decompressor; it keeps nothing between frames, but making one costs 20 µs."""
    return zstandard.ZstdDecompressor(max_window_size=max_window_bytes)
