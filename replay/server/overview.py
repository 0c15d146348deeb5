"""Where it hurts: the worst pages and elements of a project, and heatmaps of a page."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from replay.api.types_overview import Heatmap, HeatmapQuery, Overview, OverviewQuery
from replay.room import Room
from replay.search.filters import SessionFilter
from replay.search.heatmap import HELD_BYTES, HeatmapReader
from replay.search.pain import PainReader
from replay.server.access import access_of
from replay.server.delivery import ROOM_WAIT_SECONDS
from replay.server.endpoints import Endpoint, json_response, path_id
from replay.server.services import Services


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    pain = PainReader(services.redis, services.names)
    heat = HeatmapReader(services.redis, services.names)
    room = Room(4 * HELD_BYTES, ROOM_WAIT_SECONDS)  # one heatmap of each who asks, four in all

    async def overview(request: Request, query: OverviewQuery) -> Response:
        found = await pain.overview(path_id(request, "project_id"), query.from_ms, query.to_ms)
        return json_response(found)

    async def heatmap(request: Request, query: HeatmapQuery) -> Response:
        wanted = SessionFilter(page=query.page, from_ms=query.from_ms, to_ms=query.to_ms)
        async with room.of(access_of(request).who)(HELD_BYTES):
            return json_response(await heat.heatmap(path_id(request, "project_id"), wanted, query.kind))

    project = "/api/v1/projects/{project_id}"
    return [
        Endpoint(
            path=f"{project}/overview", handler=overview, takes=OverviewQuery, gives=Overview,
            summary="Rank pages and elements by their signals per 1,000 sessions",
        ),
        Endpoint(
            path=f"{project}/heatmap", handler=heatmap, takes=HeatmapQuery, gives=Heatmap,
            summary="Count clicks, rage clicks or dead clicks by their place on a page",
        ),
    ]  # fmt: skip
