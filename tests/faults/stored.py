"""What a viewer finds in Redis, read as docs/redis.md and docs/bundle-format.md say and with nothing of the engine."""

from typing import Any, NamedTuple

import orjson
import zstandard
from redis.asyncio import Redis

from tests.faults.expected import EventName, name_of


class StoredSession(NamedTuple):
    """One session as it is stored. `events` are in playing order, each with its window; `broken` says what is wrong."""

    record: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    signals: dict[str, dict[str, Any]]
    holes: list[dict[str, Any]]
    broken: str

    @property
    def windows(self) -> dict[str, list[EventName]]:
        """Return by window the names of its events."""
        windows: dict[str, list[EventName]] = {}
        for window_id, event in self.events:
            windows.setdefault(window_id, []).append(name_of(event))
        return windows


async def stored_session_ids(redis: Redis, prefix: str) -> set[str]:
    """Return the ids of all sessions that have a record."""
    pattern = f"{prefix}:session:{{*}}:record"
    return {key.decode().split("{")[1].split("}")[0] async for key in redis.scan_iter(pattern, count=1_000)}


async def read_session(redis: Redis, prefix: str, session_id: str) -> StoredSession | None:
    """Read one session; none if it has no record."""
    base = f"{prefix}:session:{{{session_id}}}:"
    record = await redis.get(base + "record")
    if record is None:
        return None
    index = await redis.lrange(base + "index", 0, -1)
    signals = [orjson.loads(value) for value in await redis.hvals(base + "signals")]
    if not index:
        return StoredSession(orjson.loads(record), [], {}, [], "there is no index")
    head, holes, blocks = orjson.loads(index[0]), orjson.loads(index[1]), [orjson.loads(each) for each in index[2:]]
    data: Any = await redis.get(head["data"]) or b""
    broken = "" if len(data) == head["length"] else f"{len(data)} bytes of data, {head['length']} in the index"
    events = [] if broken else play(blocks, data)
    return StoredSession(orjson.loads(record), events, {signal["id"]: signal for signal in signals}, holes, broken)


def play(blocks: list[dict[str, Any]], data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Give the events of blocks in playing order."""
    first: dict[str, int] = {}
    for block in blocks:
        window_id = block["window_id"]
        first[window_id] = min(block["first_t"], first.get(window_id, block["first_t"]))
    ordered = sorted(
        blocks,
        key=lambda block: (first[block["window_id"]], block["window_id"], block["sequence"], block["offset"]),
    )
    events = []
    for block in ordered:
        frame = data[block["offset"] : block["offset"] + block["length"]]
        lines = zstandard.ZstdDecompressor().decompress(frame, max_output_size=block["raw_length"]).splitlines()
        events += [(block["window_id"], orjson.loads(line)) for line in lines]
    return events
