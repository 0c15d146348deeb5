"""Pieces of bundles on their way to readers: stored bytes, or lines in an encoding; few reads, little memory."""

import asyncio
import math
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from typing import Final, Literal, NamedTuple, Protocol

import msgspec
import zstandard

from replay.blocks import LIVE_LEVEL, encode_block, join_lines
from replay.bundle_reads import OpenBundle, check_frame, open_frame
from replay.looks import shows
from replay.ranges import Placed, Segment, plan_reads, split_segments
from replay.room import Hold
from schemas.bundle_index import BlockEntry

MAX_SEEK_BYTES: Final = 16 << 20
"""Stored bytes that are read at once to show a moment: a session of 50 MiB of JSON seldom has more in all."""

MAX_STREAM_BYTES: Final = 2 << 20
"""Stored bytes that are read at once of what is streamed as a whole."""

_GZIP_LEVEL: Final = 1
_GZIP_WINDOW: Final = 31
"""Of zlib: the largest window (15), and a gzip header and trailer around it (16)."""

_BATCH_BYTES: Final = 1 << 20
"""Bytes of lines that are worked on at once, in another thread, unless one block alone has more."""

CHUNK_BYTES: Final = 64 << 10
"""Bytes worth sending."""

Pieces = AsyncGenerator[bytes, None]

Change = Callable[[BlockEntry, bytes], bytes]
"""Changes the lines of a block."""


class Trim(NamedTuple):
    """What may be seen: lines from one moment to another (epoch ms, both included).

    Those before `whole_from` are there for the picture it begins with: only what shows for good may be seen of them.
    """

    from_t: int
    to_t: int
    whole_from: int = -(2**63)

    def touches(self, block: BlockEntry) -> bool:
        """Whether a block has lines that may not be seen."""
        return block.first_t < max(self.from_t, self.whole_from) or block.last_t > self.to_t

    def lines(self, block: BlockEntry, lines: bytes) -> bytes:
        """Leave out the lines of a block that may not be seen."""
        if not self.touches(block):
            return lines
        kept = [line for line in lines.split(b"\n") if line and self._allows(line)]
        return join_lines(kept) if kept else b""

    def _allows(self, line: bytes) -> bool:
        t = _time_of(line)
        return self.from_t <= t <= self.to_t and (t >= self.whole_from or _shows(line))


EVERYTHING: Final = Trim(-(2**63), 2**63)
"""Leaves out nothing."""


class _Times(msgspec.Struct, gc=False):
    """When an event was: rrweb and interaction events name it differently."""

    timestamp: float | None = None
    t: float | None = None


class _Event(msgspec.Struct, gc=False):
    type: int
    data: msgspec.Raw = msgspec.Raw(b"null")


_times: Final = msgspec.json.Decoder(_Times)
_events: Final = msgspec.json.Decoder(_Event)


def _time_of(line: bytes) -> float:
    """Read when an event was; one that does not say never was."""
    try:
        times = _times.decode(line)
    except msgspec.DecodeError:
        return math.nan
    return next((t for t in (times.timestamp, times.t) if t is not None), math.nan)


def _shows(line: bytes) -> bool:
    try:
        event = _events.decode(line)
        return shows(event.type, event.data)
    except msgspec.DecodeError:
        return False


class Encoder(Protocol):
    """Compresses a stream."""

    def compress(self, data: bytes) -> bytes:
        """Take the next bytes, and give what is ready."""
        ...

    def flush(self) -> bytes:
        """Give the rest."""
        ...


class _Plain:
    def compress(self, data: bytes) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def make_encoder(encoding: Literal["zstd", "gzip", "identity"]) -> Encoder:
    """Make what compresses a stream: one frame, or one member, with a checksum at its end."""
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=LIVE_LEVEL, write_checksum=True).compressobj()
    if encoding == "gzip":
        return zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    return _Plain()


async def stored_pieces(bundle: OpenBundle, segments: Iterable[Placed], hold: Hold) -> Pieces:
    """Give stored bytes as they are. Raises Unavailable if they are no longer what the index says."""
    starts = {block.offset: block for block in bundle.index.blocks}
    for read in plan_reads(split_segments(segments, MAX_STREAM_BYTES), MAX_STREAM_BYTES):
        async with hold(read.length):
            data = await bundle.fetch(read.offset, read.length)
            for part in read.parts:
                _check_frames(starts, part, read.cut(data, part))
                yield read.cut(data, part)


def _check_frames(starts: dict[int, BlockEntry], part: Segment, data: bytes) -> None:
    """Check the first frame that is wholly in there: a key with other data in it has not one that fits."""
    block = starts.get(part.offset)
    if block is not None and block.length <= part.length:
        check_frame(block, data)


async def frame_pieces(bundle: OpenBundle, blocks: Sequence[BlockEntry], hold: Hold, trim: Trim | None) -> Pieces:
    """Give blocks as zstd frames: as they are stored, or made anew where lines are left out.

    Raises Unavailable if they are no longer what the index says.
    """

    def work(block: BlockEntry, frame: bytes, trim: Trim) -> bytes:
        return encode_block(trim.lines(block, open_frame(block, frame)))

    for read in plan_reads(blocks, MAX_SEEK_BYTES):
        async with hold(read.length):
            data = await bundle.fetch(read.offset, read.length)
            for block in read.parts:
                frame = check_frame(block, read.cut(data, block))
                if trim is not None and trim.touches(block):
                    frame = await asyncio.to_thread(work, block, frame, trim)
                yield frame


async def line_pieces(
    bundle: OpenBundle, blocks: Sequence[BlockEntry], hold: Hold, encoder: Encoder, change: Change, max_read_bytes: int
) -> Pieces:
    """Give the lines of blocks, changed and encoded. Raises Unavailable if they are not what the index says."""

    def work(batch: Sequence[BlockEntry], frames: Sequence[bytes]) -> bytes:
        lines = [change(block, open_frame(block, frame)) for block, frame in zip(batch, frames, strict=True)]
        return encoder.compress(b"".join(lines))

    for read in plan_reads(blocks, max_read_bytes):
        batches = list(_batches(read.parts))
        largest = max(sum(block.raw_length for block in batch) for batch in batches)
        async with hold(read.length + 2 * largest):
            data = await bundle.fetch(read.offset, read.length)
            for batch in batches:
                yield await asyncio.to_thread(work, batch, [read.cut(data, block) for block in batch])
    yield encoder.flush()


def _batches(blocks: Iterable[BlockEntry]) -> Iterator[list[BlockEntry]]:
    batch: list[BlockEntry] = []
    size = 0
    for block in blocks:
        if batch and size + block.raw_length > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(block)
        size += block.raw_length
    if batch:
        yield batch


async def gather(pieces: Pieces) -> Pieces:
    """Join small pieces and cut large ones, so that each is worth sending."""
    gathered = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            for start in range(0, len(piece), CHUNK_BYTES):
                gathered += piece[start : start + CHUNK_BYTES]
                if len(gathered) >= CHUNK_BYTES:
                    yield bytes(gathered)
                    gathered.clear()
    if gathered:
        yield bytes(gathered)


def export_lines(block: BlockEntry, lines: bytes) -> bytes:
    """Put the window before each event: lines of an exported bundle. No event has a newline in it."""
    before = _before_event(block)
    return (before + lines[:-1].replace(b"\n", b"}\n" + before) + b"}\n") if lines else b""


def exported_length(blocks: Iterable[BlockEntry]) -> int:
    """Count the bytes of blocks as lines of an exported bundle."""
    return sum(block.raw_length + block.events * (len(_before_event(block)) + 1) for block in blocks)


def _before_event(block: BlockEntry) -> bytes:
    return b'{"window_id":%s,"event":' % msgspec.json.encode(block.window_id)
