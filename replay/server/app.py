"""The HTTP surface over a store: JSON, one small page, for programs on the same machine."""

from collections.abc import AsyncIterator, Mapping
from typing import Final, TypeVar
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from replay.errors import Poison
from replay.explain import explain_session
from replay.reading import exported_line
from replay.server.guard import Guard
from replay.server.page import CONTENT_SECURITY_POLICY, Entry, render_page
from replay.server.problems import HANDLERS, NotFound
from replay.store import BundleLine, SessionQuery, Store

_T = TypeVar("_T")

_PAGE_PROJECTS: Final = 20
_PAGE_SESSIONS: Final = 25
_CHUNK_BYTES: Final = 64 << 10
_END_OF_TIME: Final = 2**53


def create_app(store: Store, reasons: Mapping[str, str]) -> Starlette:
    """Make the application: `GET /` and everything under `/sessions`. `reasons` maps reason codes to sentences.

    It reads only, answers only to names of this machine, allows no other origin, and belongs on a loopback address:
    there is no login. Errors are `application/problem+json`.
    """
    sessions = _Sessions(store, reasons)
    routes = [
        Route("/", sessions.page),
        Route("/sessions", sessions.list),
        Route("/sessions/{id}", sessions.record),
        Route("/sessions/{id}/signals", sessions.signals),
        Route("/sessions/{id}/index", sessions.index),
        Route("/sessions/{id}/events", sessions.events),
        Route("/sessions/{id}/bundle", sessions.bundle),
        Route("/sessions/{id}/explain", sessions.explain),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guard)], exception_handlers=HANDLERS)
    app.router.redirect_slashes = False
    return app


class _Sessions:
    """The handlers. Ids in paths are percent-encoded; an unknown session is a 404, except for `explain`."""

    def __init__(self, store: Store, reasons: Mapping[str, str]) -> None:
        self._store = store
        self._reasons = reasons

    async def page(self, _: Request) -> Response:
        """Show the sessions with the highest score of each project."""
        projects = []
        for project_id in (await self._store.projects())[:_PAGE_PROJECTS]:
            listed = await self._store.sessions(SessionQuery(project_id, by="score", limit=_PAGE_SESSIONS))
            entries = [Entry(each, await self._store.signals(each.session_id)) for each in listed.sessions]
            projects.append((project_id, entries))
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return Response(render_page(projects), media_type="text/html", headers=headers)

    async def list(self, request: Request) -> Response:
        """List sessions of `project` (needed when there are several): highest score first, or latest with `tag`."""
        query = request.query_params
        tag, project_id = query.get("tag"), query.get("project") or await self._only_project()
        by: Mapping[str, str] = {"by": "score"} if tag is None else {"by": "tag", "value": tag}
        limit = _integer(query.get("limit", "50"), "limit")
        fields = {"project_id": project_id, "limit": limit, "cursor": query.get("cursor", ""), **by}
        return _json(await self._store.sessions(msgspec.convert(fields, SessionQuery)))

    async def _only_project(self) -> str:
        projects = await self._store.projects()
        if len(projects) > 1:
            raise Poison("there are several projects: say which with ?project=")
        return projects[0] if projects else ""

    async def record(self, request: Request) -> Response:
        """Give a session's record."""
        return _json(_found(await self._store.record(_id(request))))

    async def signals(self, request: Request) -> Response:
        """Give a session's signals."""
        _found(await self._store.record(_id(request)))
        return _json(await self._store.signals(_id(request)))

    async def index(self, request: Request) -> Response:
        """Give a bundle's index."""
        return _json(_found(await self._store.index(_id(request))))

    async def events(self, request: Request) -> Response:
        """Give what shows `window_id` `from` a moment `to` another (epoch ms), as JSON lines."""
        query = request.query_params
        index = _found(await self._store.index(_id(request)))
        window_id = query.get("window_id")
        if window_id is None or all(block.window_id != window_id for block in index.blocks):
            raise NotFound("there is no such window in this session: say which with ?window_id=")
        from_t = _integer(query.get("from", "0"), "from")
        to_t = _integer(query.get("to", str(_END_OF_TIME)), "to")
        return _lines(self._store.events(_id(request), window_id, from_t, to_t))

    async def bundle(self, request: Request) -> Response:
        """Give a whole bundle as JSON lines, in playing order."""
        _found(await self._store.index(_id(request)))
        return _lines(self._store.bundle(_id(request)))

    async def explain(self, request: Request) -> Response:
        """Say what became of a session, known or not."""
        return _json(await explain_session(self._store, _id(request), self._reasons))


def _id(request: Request) -> str:
    raw: str = request.path_params["id"]
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise Poison("an id in a path is percent-encoded UTF-8") from None


def _found(value: _T | None) -> _T:
    if value is None:
        raise NotFound("there is no such session; /sessions/ID/explain may say why")
    return value


def _integer(text: str, name: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise Poison(f"{name} is a whole number") from None
    if not -_END_OF_TIME <= value <= _END_OF_TIME:
        raise Poison(f"{name} is out of bounds")
    return value


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _lines(lines: AsyncIterator[BundleLine]) -> Response:
    return StreamingResponse(_chunks(lines), media_type="application/jsonl")


async def _chunks(lines: AsyncIterator[BundleLine]) -> AsyncIterator[bytes]:
    """Gather lines into chunks worth sending."""
    gathered = bytearray()
    async for line in lines:
        gathered += exported_line(line)
        if len(gathered) >= _CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
