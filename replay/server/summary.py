"""The summary of a session over HTTP."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.server.access import access_of, load_record
from replay.server.endpoints import Endpoint, json_response, path_id
from replay.server.services import Services
from replay.summary.reading import summarize_session
from replay.summary.types import Summary

_PATH: Final = "/api/v1/sessions/{session_id}/summary"


class SummaryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`rephrased` asks for the words of the installation's language model as well, where there is one."""

    rephrased: bool = False


def routes(services: Services) -> list[Endpoint[SummaryQuery]]:
    """List the endpoints."""

    async def summary(request: Request, query: SummaryQuery) -> Response:
        record = await load_record(request, services, path_id(request, "session_id"))
        access = access_of(request)
        told = await summarize_session(services.store, record, access.from_t, access.to_t)
        if query.rephrased and services.rephraser is not None:
            told = msgspec.structs.replace(told, rephrased=await services.rephraser.rephrase(told))
        return json_response(told)

    return [
        Endpoint(
            path=_PATH, handler=summary, takes=SummaryQuery, gives=Summary, is_shared=True, is_watching=True,
            summary="Tell what happened in a session, in sentences with their moments and signals",
        )
    ]  # fmt: skip
