"""Arithmetic of a bundle's index: offsets, the byte cap, playing order and seeking. Pure; shared by all stores."""

from collections.abc import Iterable, Sequence

from replay.writes import BlockDraft
from schemas.bundle_index import BlockEntry, BundleIndex, Hole


def place_blocks(drafts: Iterable[BlockDraft], offset: int) -> list[BlockEntry]:
    """Give blocks their places one after the other, the first at `offset` (bytes in the bundle's data)."""
    entries: list[BlockEntry] = []
    for draft in drafts:
        entries.append(
            BlockEntry(
                window_id=draft.window_id,
                sequence=draft.sequence,
                offset=offset,
                length=len(draft.data),
                raw_length=draft.raw_length,
                events=draft.events,
                first_t=draft.first_t,
                last_t=draft.last_t,
                keyframe=draft.keyframe,
                late=draft.late,
                policy=draft.policy,
            )
        )
        offset += len(draft.data)
    return entries


def cap_blocks(drafts: Sequence[BlockDraft], room_bytes: int) -> tuple[tuple[BlockDraft, ...], tuple[Hole, ...]]:
    """Keep the blocks that fit into `room_bytes` of masked JSON; from the first that does not, all are given up.

    Gives the blocks kept and one hole (`max_bytes`) for each window that lost some, with the count of its events.
    """
    used = 0
    for place, draft in enumerate(drafts):
        used += draft.raw_length
        if used > room_bytes:
            return tuple(drafts[:place]), _holes_of(drafts[place:])
    return tuple(drafts), ()


def _holes_of(drafts: Iterable[BlockDraft]) -> tuple[Hole, ...]:
    lost: dict[str, tuple[int, int]] = {}
    for draft in drafts:
        t, events = lost.get(draft.window_id, (draft.first_t, 0))
        lost[draft.window_id] = (min(t, draft.first_t), events + draft.events)
    return tuple(Hole(window_id=window, reason="max_bytes", t=t, events=n) for window, (t, n) in lost.items())


def playing_order(blocks: Iterable[BlockEntry]) -> list[BlockEntry]:
    """Sort blocks as they are to be played: one window after the other, by its first event, then by sequence.

    Blocks cut from one batch have the same sequence; they were written in their order.
    """
    blocks = list(blocks)
    starts: dict[str, int] = {}
    for block in blocks:
        starts[block.window_id] = min(block.first_t, starts.get(block.window_id, block.first_t))
    return sorted(blocks, key=lambda b: (starts[b.window_id], b.window_id, b.sequence, b.offset))


def blocks_to_play(index: BundleIndex, window_id: str, from_t: int, to_t: int) -> list[BlockEntry]:
    """Choose the blocks of a window needed to show it from `from_t` to `to_t` (epoch ms), in playing order.

    The first is the last keyframe at or before `from_t`; where there is none, the window's first keyframe; where it
    has none at all, its first block. Empty if the window has no blocks.
    """
    blocks = playing_order(block for block in index.blocks if block.window_id == window_id)
    keyframes = [place for place, block in enumerate(blocks) if block.keyframe]
    before = [place for place in keyframes if blocks[place].first_t <= from_t]
    start = before[-1] if before else keyframes[0] if keyframes else 0
    ends = [place + 1 for place in range(start, len(blocks)) if blocks[place].first_t <= to_t]
    return blocks[start : max([start + 1, *ends])]


def byte_range(blocks: Sequence[BlockEntry]) -> tuple[int, int]:
    """Give offset and length (bytes) of the one range of data that holds all of `blocks`, which are not empty.

    Blocks of other windows may lie in between.
    """
    offset = min(block.offset for block in blocks)
    return offset, max(block.offset + block.length for block in blocks) - offset


def seek(index: BundleIndex, window_id: str, t: int) -> tuple[int, int] | None:
    """Say which bytes of the data show `window_id` at `t` (epoch ms): offset and length of one range read.

    The range begins with the last keyframe at or before `t`, or with what comes nearest to it (see
    `blocks_to_play`). `None` if the window has no blocks.
    """
    blocks = blocks_to_play(index, window_id, t, t)
    return byte_range(blocks) if blocks else None


def late_events(index: BundleIndex) -> int:
    """Count the events that came after their place was given up."""
    return sum(block.events for block in index.blocks if block.late)
