"""One session: its record, its signals, and why something of it is missing."""

from collections import Counter
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.explain import Explanation, Known, explain
from replay.index import late_events
from replay.server.access import Access, access_of, load_record
from replay.server.endpoints import Endpoint, Nothing, json_response, path_id
from replay.server.services import Services
from schemas.session_record import SessionRecord
from schemas.signals import Signal


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    one = _Session(services)
    path = "/api/v1/sessions/{session_id}"
    return [
        Endpoint(
            path=path, handler=one.record, takes=Nothing, gives=SessionRecord, is_shared=True,
            summary="Read a session's record",
        ),
        Endpoint(
            path=f"{path}/signals", handler=one.signals, takes=Nothing, gives=list[Signal], is_shared=True,
            summary="Read a session's signals, in order of time",
        ),
        Endpoint(
            path=f"{path}/explain", handler=one.explain, takes=Nothing, gives=Explanation,
            summary="Say what became of a session, and of what is missing in it",
        ),
    ]  # fmt: skip


class _Session:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, request: Request, _: Nothing) -> Response:
        """Give a record; who has a share link is not told who the visitor is, nor what was outside the range."""
        record = await load_record(request, self._services, path_id(request, "session_id"))
        access = access_of(request)
        return json_response(await self._shown(record, access) if access.is_share else record)

    async def _shown(self, record: SessionRecord, access: Access) -> SessionRecord:
        """Leave of a record what a share link shows; length, score and totals stay those of the session."""
        record = msgspec.structs.replace(record, user_id=None, anonymous_id=None)
        if access.covers(record.started_at) and access.covers(record.last_event_at):
            return record
        signals = await self._services.store.signals(record.session_id)
        found = Counter(signal.detector for signal in signals if access.covers(signal.t))
        return msgspec.structs.replace(
            record,
            pages=[visit for visit in record.pages if access.covers(visit.t)],
            tags={tag: found[tag] for tag in record.tags if found[tag]},
            errors={},
            score_parts=[],
        )

    async def signals(self, request: Request, _: Nothing) -> Response:
        """Give the signals that may be seen."""
        session_id = path_id(request, "session_id")
        await load_record(request, self._services, session_id)
        access = access_of(request)
        signals = await self._services.store.signals(session_id)
        return json_response([signal for signal in signals if access.covers(signal.t)])

    async def explain(self, request: Request, _: Nothing) -> Response:
        """Explain a session, there or not. Of another project's session, as of an unknown one, nothing is known."""
        known = await self._known(path_id(request, "session_id"), access_of(request))
        return json_response(explain(known, self._services.reasons))

    async def _known(self, session_id: str, access: Access) -> Known:
        store = self._services.store
        record = await store.record(session_id)
        fates = [fate for fate in await store.fates(session_id) if access.reaches(fate.project_id)]
        stone = await store.tombstone(session_id)
        if stone is not None and not access.reaches(stone.project_id):
            stone = None
        if record is None or not access.reaches(record.project_id):
            return Known(session_id=session_id, fates=fates, tombstone=stone)
        index = await store.index(session_id)
        return Known(
            session_id=session_id, record=record, fates=fates, tombstone=stone, holes=index.holes if index else (),
            late_events=late_events(index) if index else 0, compacted=bool(index and index.compacted),
        )  # fmt: skip
