"""Reading bundles as they are stored: one read of Redis for the index, one for each range of data."""

from dataclasses import dataclass
from typing import Final

import zstandard

from replay.blocks import decode_block
from replay.compaction import Fetch
from replay.errors import Poison, Unavailable
from replay.redis_client import RedisClient
from replay.redis_keys import KeyNames
from replay.redis_reads import data_reader, decode_index, index_call
from schemas.bundle_index import BlockEntry, BundleIndex

_HEADER_BYTES: Final = 18
"""The longest header of a frame."""

_CHANGED: Final = "the bundle changed while it was read; read its index again"


@dataclass(frozen=True, slots=True)
class OpenBundle:
    """A bundle as it was at one moment: its index, its project, the key of its data, and how to read ranges of it.

    `fetch` raises Unavailable where the data is no longer what the index says. What was replaced by compaction can be
    read for another minute.
    """

    index: BundleIndex
    project_id: str
    data_key: str
    fetch: Fetch


async def open_bundle(client: RedisClient, names: KeyNames, session_id: str) -> OpenBundle | None:
    """Read a bundle's index, with one command; `None` for an unknown session. Raises what the client raises."""
    read = decode_index(await client.run(index_call(names.session(session_id))))
    if read is None:
        return None
    head, index = read
    return OpenBundle(index, head.project_id, head.data, data_reader(client, head.data))


def check_frame(block: BlockEntry, data: bytes) -> bytes:
    """Give a stored block as it is, if it begins like the frame the index says it is.

    A key that was used again for the data of a later compaction holds other bytes at that place. Raises Unavailable.
    """
    try:
        size = zstandard.get_frame_parameters(data[:_HEADER_BYTES]).content_size
    except zstandard.ZstdError:
        size = -1
    if size != block.raw_length:
        raise Unavailable(_CHANGED)
    return data


def open_frame(block: BlockEntry, data: bytes) -> bytes:
    """Decompress a stored block. Raises Unavailable if it is not the frame the index says it is."""
    try:
        lines = decode_block(data, block.raw_length)
    except Poison:
        lines = b""
    if len(lines) != block.raw_length:
        raise Unavailable(_CHANGED)
    return lines
