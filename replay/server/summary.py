"""The summary of a session over HTTP."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.room import Room
from replay.server.access import access_of, load_record
from replay.server.delivery import ROOM_WAIT_SECONDS
from replay.server.endpoints import Endpoint, json_response, path_id
from replay.server.services import Services
from replay.summary.reading import MAX_READ_BYTES, summarize_session
from replay.summary.types import Summary

_PATH: Final = "/api/v1/sessions/{session_id}/summary"


class SummaryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`rephrased` asks for the words of the installation's language model as well, where there is one.

    Who has a share link gets none: each call of a model may cost something, and anybody may have the link.
    """

    rephrased: bool = False


def routes(services: Services) -> list[Endpoint[SummaryQuery]]:
    """List the endpoints."""
    room = Room(4 * MAX_READ_BYTES, ROOM_WAIT_SECONDS)  # one summary of each who asks, four in all

    async def summary(request: Request, query: SummaryQuery) -> Response:
        record = await load_record(request, services, path_id(request, "session_id"))
        access = access_of(request)
        async with room.of(access.who)(MAX_READ_BYTES):
            told = await summarize_session(services.store, record, access.from_t, access.to_t)
        if query.rephrased and services.rephraser is not None and not access.is_share:
            told = msgspec.structs.replace(told, rephrased=await services.rephraser.rephrase(told))
        return json_response(told)

    return [
        Endpoint(
            path=_PATH, handler=summary, takes=SummaryQuery, gives=Summary, is_shared=True, is_watching=True,
            summary="Tell what happened in a session, in sentences with their moments and signals",
        )
    ]  # fmt: skip
