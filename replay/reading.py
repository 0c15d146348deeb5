"""Reading bundles: blocks to lines, with few reads and little memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from replay.blocks import decode_block
from replay.compaction import Fetch
from replay.ranges import plan_reads
from replay.store import BundleLine
from schemas.bundle_index import BlockEntry

MAX_READ_BYTES: Final = 4 << 20
"""Compressed bytes one read asks for, unless a single block is larger."""


async def read_lines(blocks: Sequence[BlockEntry], fetch: Fetch) -> AsyncIterator[BundleLine]:
    """Give the events of `blocks`, in their order, reading neighbouring blocks at once.

    Raises what `fetch` raises, and Poison if a block is damaged.
    """
    for read in plan_reads(blocks, MAX_READ_BYTES):
        data = await fetch(read.offset, read.length)
        for block in read.parts:
            lines = decode_block(read.cut(data, block), block.raw_length)
            for line in lines.split(b"\n"):
                if line:
                    yield BundleLine(block.window_id, line)


def exported_line(line: BundleLine) -> bytes:
    """Make the line of an exported bundle: `{"window_id":...,"event":{...}}` and a newline.

    The event's own bytes are kept as they are.
    """
    return b'{"window_id":%s,"event":%s}\n' % (msgspec.json.encode(line.window_id), line.event)
