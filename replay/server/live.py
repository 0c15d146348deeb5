"""Server-sent events: signals of a project as they are found, and a session as it grows."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from replay.pieces import Pieces
from replay.server.access import load_record
from replay.server.delivery import Delivery, begin
from replay.server.endpoints import SESSION_PATH, Endpoint, Nothing, path_id
from replay.server.following import (
    HEARTBEAT_SECONDS,
    POLL_SECONDS,
    Hub,
    NothingMoreError,
    TooManyFollowersError,
    Topic,
)
from replay.server.live_topics import GrowingSession, ProjectSignals
from replay.server.problems import problem
from replay.server.services import Services

EVENT_STREAM: Final = "text/event-stream"

RETRY: Final = b"retry: 2000\n\n"
"""After how long (ms) a browser connects again."""

_HEADERS: Final = {"content-type": EVENT_STREAM, "cache-control": "no-store", "x-accel-buffering": "no"}


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    live = Live(services)
    return [
        Endpoint(
            path="/api/v1/projects/{project_id}/live", handler=live.project, takes=Nothing, media_type=EVENT_STREAM,
            summary="Follow a project: its signals as they are found, as server-sent events",
        ),
        Endpoint(
            path=f"{SESSION_PATH}/live", handler=live.session, takes=Nothing, media_type=EVENT_STREAM,
            other_statuses=(204,), is_watching=True,
            summary="Follow a session: what is appended to its bundle, its signals, its end, as server-sent events",
        ),
    ]  # fmt: skip


class Live:
    """The handlers, and the one hub of this server."""

    def __init__(
        self,
        services: Services,
        poll_seconds: float = POLL_SECONDS,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._services = services
        self._heartbeat_seconds = heartbeat_seconds
        self.hub = Hub(services.redis, services.stopping, poll_seconds)

    async def project(self, request: Request, _: Nothing) -> Response:
        """Follow a project; who may is checked before."""
        project_id = path_id(request, "project_id")
        topic = ProjectSignals(self._services.redis, self._services.names, project_id)
        return await self._follow(request, f"project {project_id}", topic)

    async def session(self, request: Request, _: Nothing) -> Response:
        """Follow a session."""
        session_id = path_id(request, "session_id")
        await load_record(request, self._services, session_id)
        topic = GrowingSession(self._services.redis, self._services.names, session_id)
        return await self._follow(request, f"session {session_id}", topic)

    async def _follow(self, request: Request, name: str, topic: Topic) -> Response:
        if request.method == "HEAD":
            return Response(None, headers=_HEADERS)
        try:
            pieces = await begin(self._pieces(name, topic, request.headers.get("last-event-id", "")))
        except NothingMoreError:
            return Response(None, 204)  # browsers connect again after any other end of a stream
        except TooManyFollowersError as error:
            refusal = problem(503, "too many followers", str(error))
            refusal.headers["retry-after"] = "10"
            return refusal
        return Delivery(pieces, 200, _HEADERS, self._services.operations, least_bytes_per_second=0)

    async def _pieces(self, name: str, topic: Topic, last_id: str) -> Pieces:
        async with self.hub.following(name, topic, last_id) as follower:
            yield RETRY
            async for message in follower.messages(self._heartbeat_seconds):
                yield message
            if follower.is_too_slow:
                self._services.operations.broken_off("too_slow")
