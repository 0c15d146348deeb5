"""The bundle index: enough to seek in a stored session with one more read."""

from typing import Literal

import msgspec

HoleReason = Literal["gap", "max_bytes", "max_duration", "undecodable"]


class BlockEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One block: an independent zstd frame of JSON lines, one masked event a line, all of one window.

    `offset` and `length` are bytes in the bundle's data, `raw_length` is the size after decompression. `sequence` is
    the window's running number of the block's first batch, the order in which a window's blocks are to be played.
    `first_t` and `last_t` are the smallest and largest event time in it (epoch ms). A `keyframe` starts with a full
    snapshot (its Meta event before it); `late` blocks came after their place was given up. `policy` is the privacy
    level it was masked at and the version of the project's privacy settings (`medium@0123456789ab`).
    """

    window_id: str
    sequence: int
    offset: int
    length: int
    raw_length: int
    events: int
    first_t: int
    last_t: int
    keyframe: bool = False
    late: bool = False
    policy: str = ""


class Hole(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A part known to be missing: batches `first_seq` to `last_seq` of a window, or all after a cap at `t`."""

    window_id: str
    reason: HoleReason
    t: int
    first_seq: int | None = None
    last_seq: int | None = None
    events: int = 0


class BundleIndex(msgspec.Struct, frozen=True, gc=False):
    """All blocks of a session in the order of their offsets, its holes, and the data's total length in bytes.

    Everything is always said: readers refuse a `format` they do not know.
    """

    session_id: str
    version: int
    blocks: list[BlockEntry]
    holes: list[Hole]
    length: int
    compacted: bool = False
    format: int = 1
