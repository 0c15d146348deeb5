"""Lists: projects, the sessions of one by any filters, counts beside the filters, saved filters."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_listing import (
    Facets,
    FilterList,
    NewFilter,
    ProjectList,
    ProjectSize,
    SavedFilter,
    SessionsPage,
)
from replay.entries import listing_name
from replay.errors import Mismatched
from replay.redis_client import Call
from replay.search.facets import count_facets
from replay.search.filters import MAX_LIMIT, PRIVATE, SessionFilter, Sort
from replay.search.finding import SessionSearch
from replay.search.saved import SavedFilters
from replay.server.access import Scope, access_of
from replay.server.endpoints import Endpoint, Nothing, json_response, path_id
from replay.server.problems import NotFound
from replay.server.services import Services

MAX_PROJECTS: Final = 1_000
"""Projects in one answer, the first by name."""

_FIELDS: Final = SessionFilter.__struct_fields__
_SAVED: Final = {*SessionFilter.__struct_encode_fields__, "project", "sort", "range"}


class SessionsQuery(SessionFilter, frozen=True, kw_only=True):
    """Which sessions, in which order (highest first), and from where on; see `SessionFilter`."""

    sort: Sort = "time"
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIMIT)] = 50
    cursor: Annotated[str, msgspec.Meta(max_length=4_096)] = ""


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    lists, filters = _Lists(services), _Filters(services)
    project = "/api/v1/projects/{project_id}"
    return [
        Endpoint(
            path="/api/v1/projects", handler=lists.projects, takes=Nothing, gives=ProjectList,
            summary="List the projects that can be read, with the number of their sessions",
        ),
        Endpoint(
            path=f"{project}/sessions", handler=lists.sessions, takes=SessionsQuery, gives=SessionsPage,
            summary="List sessions by any filters together, by time, score or duration",
        ),
        Endpoint(
            path=f"{project}/facets", handler=lists.facets, takes=SessionFilter, gives=Facets,
            summary="Count what the sessions of a list have, for the filters beside it",
        ),
        Endpoint(
            path=f"{project}/filters", handler=filters.list, takes=Nothing, gives=FilterList,
            summary="List saved filters",
        ),
        Endpoint(
            path=f"{project}/filters", method="POST", handler=filters.create, takes=NewFilter, gives=SavedFilter,
            status=201, scope=Scope.SHARE,
            summary="Save a filter for all who read the project, at most 200; none that names a person",
        ),
        Endpoint(
            path=f"{project}/filters/{{filter_id}}", method="DELETE", handler=filters.delete, takes=Nothing, status=204,
            scope=Scope.SHARE, summary="Delete a saved filter",
        ),
    ]  # fmt: skip


class _Lists:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._search = SessionSearch(services.redis, services.names)

    async def projects(self, request: Request, _: Nothing) -> Response:
        """Give the projects within reach; a session's share reaches none."""
        access = access_of(request)
        known = await self._services.store.projects()
        seen = [id_ for id_ in known if access.reaches(id_) and not access.is_share][:MAX_PROJECTS]
        calls = [Call("ZCARD", (self._services.names.project(project_id, "time"),)) for project_id in seen]
        counts = await self._services.redis.run_many(calls, in_order=False)
        sizes = [(project_id, count) for project_id, count in zip(seen, counts, strict=True) if isinstance(count, int)]
        return json_response(ProjectList([ProjectSize(project_id, count) for project_id, count in sizes if count]))

    async def sessions(self, request: Request, query: SessionsQuery) -> Response:
        """Give a page of a list."""
        project_id = path_id(request, "project_id")
        wanted = await self._as_stored(project_id, query)
        found = await self._search.find(project_id, wanted, sort=query.sort, limit=query.limit, cursor=query.cursor)
        return json_response(found)

    async def facets(self, request: Request, wanted: SessionFilter) -> Response:
        """Give the counts beside a list."""
        project_id = path_id(request, "project_id")
        wanted = await self._as_stored(project_id, wanted)
        return json_response(await count_facets(self._search, project_id, wanted))

    async def _as_stored(self, project_id: str, query: SessionFilter) -> SessionFilter:
        """Name people by the ids they are stored under: those may be hashes of what was sent."""
        wanted = SessionFilter(**{name: getattr(query, name) for name in _FIELDS})
        for field in PRIVATE:
            known = list(self._services.known_as(project_id, sent)) if (sent := getattr(wanted, field)) else []
            if len(known) > 1:
                names = [self._services.names.project(project_id, listing_name("user", user)) for user in known]
                counts = await self._services.redis.run_many([Call("ZCARD", (name,)) for name in names])
                listed = [user for user, count in zip(known, counts, strict=True) if count]
                wanted = msgspec.structs.replace(wanted, **{field: listed[0] if listed else sent})
        return wanted


class _Filters:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._saved = SavedFilters(services.redis, services.names)

    async def list(self, request: Request, _: Nothing) -> Response:
        """Give the filters."""
        return json_response(FilterList(await self._saved.all(path_id(request, "project_id"))))

    async def create(self, request: Request, made: NewFilter) -> Response:
        """Save a filter."""
        check_query(made.query)
        now_ms = self._services.clock_ms()
        saved = await self._saved.add(path_id(request, "project_id"), made.name, made.query, now_ms)
        return json_response(saved, 201)

    async def delete(self, request: Request, _: Nothing) -> Response:
        """Delete a filter."""
        if not await self._saved.remove(path_id(request, "project_id"), path_id(request, "filter_id")):
            raise NotFound("there is no such filter")
        return Response(status_code=204)


def check_query(query: str) -> None:
    """Raise Mismatched if a query is not one to save.

    It has the names of filters, and `project`, `sort` and `range` (a time up to now, which the list page knows). What
    may name a person is not saved: it would outlive the deletion of that person's sessions.
    """
    try:
        names = {
            name for name, _ in parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
        }
    except ValueError:
        raise Mismatched("this is no query of a list") from None
    if private := names.intersection(PRIVATE):
        named = " and ".join(sorted(private))
        raise Mismatched(f"filters by {named} are not saved: they may name a person. Copy the link")
    if names - _SAVED:
        raise Mismatched("a list has no such filter")
