"""What lists draw beside each session: when its signals were, of many sessions in one read of Redis."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_moments import Moment, MomentsPage, SessionMoments
from replay.errors import Poison
from replay.redis_client import Call
from replay.redis_reads import decode_signals
from replay.server.endpoints import Endpoint, json_response, path_id
from replay.server.services import Services
from schemas.signals import Signal

MAX_SESSIONS: Final = 50
"""Sessions asked for at once: a page of a list."""

MAX_MOMENTS: Final = 200
"""Moments given of one session, the first ones; its signals have them all."""

MAX_TEXT_CHARS: Final = 80


class MomentsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sessions, `session_id` repeated."""

    session_id: list[Annotated[str, msgspec.Meta(max_length=1_024)]] = []


def routes(services: Services) -> list[Endpoint[MomentsQuery]]:
    """List the endpoints."""

    async def moments(request: Request, query: MomentsQuery) -> Response:
        project_id = path_id(request, "project_id")
        return json_response(await read_moments(services, project_id, query.session_id))

    return [
        Endpoint(
            path="/api/v1/projects/{project_id}/moments",
            handler=moments,
            summary="When the signals of up to 50 sessions were, for drawing them beside each other.",
            takes=MomentsQuery,
            gives=MomentsPage,
        )
    ]


async def read_moments(services: Services, project_id: str, session_ids: Sequence[str]) -> MomentsPage:
    """Read when the signals of sessions were; a session that is unknown, or of another project, has none.

    Raises Poison for more than `MAX_SESSIONS`; what Redis raises.
    """
    if len(session_ids) > MAX_SESSIONS:
        raise Poison(f"moments are given of at most {MAX_SESSIONS} sessions at once")
    calls = [Call("HVALS", (services.names.session(session_id).signals,)) for session_id in session_ids]
    replies = await services.redis.run_many(calls) if calls else []
    found = [[each for each in decode_signals(reply) if each.project_id == project_id] for reply in replies]
    return MomentsPage(
        [
            SessionMoments(session_id, [_moment(each) for each in signals[:MAX_MOMENTS]], len(signals))
            for session_id, signals in zip(session_ids, found, strict=True)
        ]
    )


def _moment(signal: Signal) -> Moment:
    text = signal.target.text if signal.target else None
    return Moment(signal.t, signal.detector, signal.window_id, signal.count, text[:MAX_TEXT_CHARS] if text else None)
