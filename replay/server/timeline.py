"""The timeline of a session: the record, the index and the signals in one round trip, and a log of its events."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_timeline import Timeline, TimelineEntry
from replay.bundle_reads import OpenBundle, open_bundle, open_frame
from replay.errors import Unavailable
from replay.event_log import find_log
from replay.ranges import Read, plan_reads
from replay.room import Hold, Room
from replay.server.access import Access, access_of, load_record
from replay.server.delivery import ROOM_WAIT_SECONDS
from replay.server.endpoints import SESSION_PATH, Endpoint, Nothing, json_response, path_id
from replay.server.problems import NotFound
from replay.server.services import Services
from replay.timeline import make_timeline
from schemas.bundle_index import BlockEntry

MAX_LOG_ENTRIES: Final = 2_000
"""Errors, console output and requests listed of one session: the first in the order of storage."""

MAX_LOG_BYTES: Final = 64 << 20
"""JSON of one session that is looked through for them."""

MAX_LOGS: Final = 100
"""Sessions whose log is remembered, so that one that grows is only read on."""

REMEMBERED_MS: Final = 600_000

MAX_HELD_BYTES: Final = 128 << 20
"""Bytes that all who ask for timelines hold together while these are made."""

_READ_BYTES: Final = 4 << 20


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoint."""
    logs = EventLogs(services.clock_ms)
    room = Room(MAX_HELD_BYTES, ROOM_WAIT_SECONDS)

    async def timeline(request: Request, _: Nothing) -> Response:
        hold = room.of(access_of(request).who)
        try:
            return await _answer(request, services, logs, hold)
        except Unavailable:
            return await _answer(request, services, logs, hold)  # it may have been compacted between two reads

    return [
        Endpoint(
            path=f"{SESSION_PATH}/timeline", handler=timeline, takes=Nothing, gives=Timeline, is_shared=True,
            summary="Read the course of a session: signals, pages, windows, errors, requests, what is missing, its end",
        )
    ]  # fmt: skip


async def _answer(request: Request, services: Services, logs: "EventLogs", hold: Hold) -> Response:
    session_id = path_id(request, "session_id")
    record = await load_record(request, services, session_id)
    bundle = await open_bundle(services.redis, services.names, session_id)
    if bundle is None:
        raise NotFound("there is no such session; its explain may say why")
    log = await logs.read(bundle, hold)
    signals = await services.store.signals(session_id)
    whole = make_timeline(record, bundle.index, signals, log.entries, is_partial=log.is_partial)
    return json_response(clip_timeline(whole, access_of(request)))


def clip_timeline(timeline: Timeline, access: Access) -> Timeline:
    """Leave what may be seen."""
    return msgspec.structs.replace(
        timeline,
        windows=[each for each in timeline.windows if each.first_t <= access.to_t and each.last_t >= access.from_t],
        entries=[entry for entry in timeline.entries if access.covers(entry.t)],
    )


@dataclass(frozen=True, slots=True)
class EventLog:
    """What was found in a bundle's data, up to a place in it."""

    data_key: str
    length: int = 0
    raw_bytes: int = 0
    entries: tuple[TimelineEntry, ...] = ()
    is_partial: bool = False


class EventLogs:
    """Logs of sessions that were asked for lately."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._known: OrderedDict[str, tuple[int, EventLog]] = OrderedDict()

    async def read(self, bundle: OpenBundle, hold: Hold) -> EventLog:
        """Give the log of a bundle, reading what is new in it. Raises Unavailable if it changed meanwhile."""
        session_id = bundle.index.session_id
        _, known = self._known.get(session_id, (0, EventLog(bundle.data_key)))
        if known.data_key != bundle.data_key or known.length > bundle.index.length:
            known = EventLog(bundle.data_key)
        new = [block for block in bundle.index.blocks if block.offset >= known.length]
        for read in plan_reads(new, _READ_BYTES):
            if known.is_partial:
                break
            async with hold(read.length + max(block.raw_length for block in read.parts)):
                data = await bundle.fetch(read.offset, read.length)
                known = await asyncio.to_thread(_grown, known, read, data)
        self._remember(session_id, known)
        return known

    def _remember(self, session_id: str, log: EventLog) -> None:
        now_ms = self._clock_ms()
        self._known[session_id] = now_ms, log
        self._known.move_to_end(session_id)
        while len(self._known) > MAX_LOGS or next(iter(self._known.values()))[0] < now_ms - REMEMBERED_MS:
            self._known.popitem(last=False)


def _grown(log: EventLog, read: Read[BlockEntry], data: bytes) -> EventLog:
    entries, raw_bytes, blocks = list(log.entries), log.raw_bytes, read.parts
    for block in blocks:
        raw_bytes += block.raw_length
        if raw_bytes > MAX_LOG_BYTES or len(entries) > MAX_LOG_ENTRIES:
            break
        entries += find_log(block, open_frame(block, read.cut(data, block)))
    is_partial = raw_bytes > MAX_LOG_BYTES or len(entries) > MAX_LOG_ENTRIES
    return EventLog(log.data_key, _end(blocks), raw_bytes, tuple(entries[:MAX_LOG_ENTRIES]), is_partial)


def _end(blocks: Sequence[BlockEntry]) -> int:
    return max(block.offset + block.length for block in blocks)
