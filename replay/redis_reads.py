"""Reading one session from Redis: what its keys hold, decoded."""

from collections.abc import Sequence
from typing import Final, TypeVar, cast

import msgspec

from replay.compaction import Fetch
from replay.errors import Broken, Unavailable
from replay.redis_client import Call, RedisClient, Reply
from replay.redis_keys import SessionKeys
from schemas.bundle_index import BlockEntry, BundleIndex, Hole
from schemas.session_record import SessionRecord
from schemas.signals import Signal

T = TypeVar("T")


class IndexHead(msgspec.Struct, frozen=True, gc=False):
    """The first element of an index: what holds for the whole bundle, and the key of its data.

    The project is in here so that who reads a bundle can be let in by the same read.
    """

    session_id: str
    project_id: str
    version: int
    length: int
    compacted: bool
    data: str
    format: int


_head: Final = msgspec.json.Decoder(IndexHead)
_holes: Final = msgspec.json.Decoder(list[Hole])
_blocks: Final = msgspec.json.Decoder(list[BlockEntry])
_record: Final = msgspec.json.Decoder(SessionRecord)
_signal: Final = msgspec.json.Decoder(Signal)


def _decoded(decoder: msgspec.json.Decoder[T], text: bytes) -> T:
    try:
        return decoder.decode(text)
    except msgspec.DecodeError as error:
        raise Broken("a stored session is not in the form this version writes") from error


def decode_record(reply: Reply) -> SessionRecord | None:
    """Read the reply to `GET record`."""
    return _decoded(_record, reply) if isinstance(reply, bytes) else None


def decode_holes(reply: Reply) -> list[Hole]:
    """Read the reply to `LINDEX index 1`."""
    return _decoded(_holes, reply) if isinstance(reply, bytes) else []


def decode_head(reply: Reply) -> IndexHead | None:
    """Read the reply to `LINDEX index 0`."""
    return _decoded(_head, reply) if isinstance(reply, bytes) else None


def decode_blocks(listed: Sequence[bytes]) -> list[BlockEntry]:
    """Read the reply to `LRANGE index 2 -1`, or from a later place."""
    return _decoded(_blocks, b"[" + b",".join(listed) + b"]")


def decode_index(reply: Reply) -> tuple[IndexHead, BundleIndex] | None:
    """Read the reply to `LRANGE index 0 -1`."""
    parts = cast("list[bytes]", reply)
    if not parts:
        return None
    head = _decoded(_head, parts[0])
    index = BundleIndex(
        session_id=head.session_id,
        version=head.version,
        blocks=decode_blocks(parts[2:]),
        holes=_decoded(_holes, parts[1]),
        length=head.length,
        compacted=head.compacted,
        format=head.format,
    )
    return head, index


def decode_signals(reply: Reply) -> list[Signal]:
    """Read the reply to `HVALS signals`, in order of time, then id."""
    signals = [_decoded(_signal, text) for text in cast("list[bytes]", reply)]
    return sorted(signals, key=lambda signal: (signal.t, signal.id))


def pairs(reply: Reply) -> list[tuple[str, float]]:
    """Read the reply to a range of a sorted set with scores."""
    flat = cast("Sequence[bytes]", reply)
    return [(flat[place].decode(), float(flat[place + 1])) for place in range(0, len(flat), 2)]


def signal_texts(reply: Reply) -> list[tuple[str, bytes]]:
    """Read ids and JSON of signals from `HGETALL` inside a script, ordered by id."""
    flat = cast("Sequence[bytes]", reply)
    return sorted((flat[place].decode(), flat[place + 1]) for place in range(0, len(flat), 2))


def texts(reply: Reply) -> list[str]:
    """Read a reply that is a list or set of names, sorted."""
    return sorted(text.decode() for text in cast("Sequence[bytes]", reply))


def index_call(keys: SessionKeys) -> Call:
    """Ask for a session's index: one command, so it is of one moment."""
    return Call("LRANGE", (keys.bundle_index,), (0, -1))


def data_reader(client: RedisClient, key: str) -> Fetch:
    """Make the function that reads a range of a bundle's data.

    It raises Unavailable where the data is no longer what the index said, because it was compacted or deleted.
    """

    async def fetch(offset: int, length: int) -> bytes:
        data = await client.run(Call("GETRANGE", (key,), (offset, offset + length - 1)))
        if not isinstance(data, bytes) or len(data) != length:
            raise Unavailable("the bundle was compacted or deleted while it was read; read its index again")
        return data

    return fetch
