"""Reading bundles: blocks to lines, with few reads and little memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from replay.blocks import decode_block
from replay.compaction import Fetch
from replay.index import byte_range
from replay.store import BundleLine
from schemas.bundle_index import BlockEntry

MAX_READ_BYTES: Final = 4 << 20
"""Compressed bytes one read asks for, unless a single block is larger."""


async def read_lines(blocks: Sequence[BlockEntry], fetch: Fetch) -> AsyncIterator[BundleLine]:
    """Give the events of `blocks`, in their order, reading neighbouring blocks at once.

    Raises what `fetch` raises, and Poison if a block is damaged.
    """
    for run in _runs(blocks):
        offset, length = byte_range(run)
        data = await fetch(offset, length)
        for block in run:
            start = block.offset - offset
            lines = decode_block(data[start : start + block.length], block.raw_length)
            for line in lines.split(b"\n"):
                if line:
                    yield BundleLine(block.window_id, line)


def _runs(blocks: Sequence[BlockEntry]) -> list[list[BlockEntry]]:
    """Split blocks where the bytes to read would go backwards or grow too many."""
    runs: list[list[BlockEntry]] = []
    for block in blocks:
        end = block.offset + block.length
        run = runs[-1] if runs else None
        if run is None or block.offset < run[-1].offset or end - run[0].offset > MAX_READ_BYTES:
            runs.append([block])
        else:
            run.append(block)
    return runs


def exported_line(line: BundleLine) -> bytes:
    """Make the line of an exported bundle: `{"window_id":...,"event":{...}}` and a newline.

    The event's own bytes are kept as they are.
    """
    return b'{"window_id":%s,"event":%s}\n' % (msgspec.json.encode(line.window_id), line.event)
