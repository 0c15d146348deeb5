"""Compaction: small blocks of a session become few large ones, better compressed, in playing order."""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from replay.blocks import COMPACT_LEVEL, decode_block, encode_block
from replay.index import playing_order
from schemas.bundle_index import BlockEntry, BundleIndex

Fetch = Callable[[int, int], Awaitable[bytes]]
"""Reads `length` bytes at `offset` of a bundle's data."""


def plan_compaction(index: BundleIndex, max_block_bytes: int) -> list[list[BlockEntry]]:
    """Group the blocks that may become one, in playing order. Pure.

    A group never reaches over a keyframe (a player starts there), a hole (a late batch may still have to be placed
    there), the border of late data, or another privacy policy, and holds at most `max_block_bytes` of JSON unless one
    block alone does.
    """
    hole_starts = _hole_starts(index)
    groups: list[list[BlockEntry]] = []
    room = 0
    for block in playing_order(index.blocks):
        before = groups[-1][-1] if groups else None
        if before is None or block.raw_length > room or _parted(before, block, hole_starts):
            groups.append([])
            room = max_block_bytes
        groups[-1].append(block)
        room -= block.raw_length
    return groups


def _hole_starts(index: BundleIndex) -> dict[str, list[int]]:
    starts: dict[str, list[int]] = {}
    for hole in index.holes:
        if hole.first_seq is not None:
            starts.setdefault(hole.window_id, []).append(hole.first_seq)
    return {window_id: sorted(firsts) for window_id, firsts in starts.items()}


def _parted(before: BlockEntry, after: BlockEntry, hole_starts: dict[str, list[int]]) -> bool:
    same = (before.window_id, before.late, before.policy) == (after.window_id, after.late, after.policy)
    if not same or after.keyframe:
        return True
    starts = hole_starts.get(before.window_id, [])
    return bisect_right(starts, before.sequence) != bisect_right(starts, after.sequence)


async def merge_blocks(groups: Sequence[Sequence[BlockEntry]], fetch: Fetch) -> tuple[list[BlockEntry], bytes]:
    """Make one block of each group: the new entries and the new data.

    Compression runs in another thread, so that an event loop goes on. Raises what `fetch` raises, and Poison if a
    block is damaged.
    """
    entries: list[BlockEntry] = []
    data = bytearray()
    for group in groups:
        lines = [decode_block(await fetch(block.offset, block.length), block.raw_length) for block in group]
        frame = await asyncio.to_thread(encode_block, b"".join(lines), COMPACT_LEVEL)
        entries.append(_merged(group, len(data), len(frame)))
        data += frame
    return entries, bytes(data)


def _merged(group: Sequence[BlockEntry], offset: int, length: int) -> BlockEntry:
    return msgspec.structs.replace(
        group[0],
        offset=offset,
        length=length,
        raw_length=sum(block.raw_length for block in group),
        events=sum(block.events for block in group),
        first_t=min(block.first_t for block in group),
        last_t=max(block.last_t for block in group),
    )
