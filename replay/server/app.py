"""The application: what all modules serve, behind one door."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from replay.server import (
    audit,
    bundles,
    deletions,
    events,
    exports,
    health,
    listing,
    live,
    login,
    moments,
    overview,
    script_errors,
    sessions,
    shares,
    summary,
    timeline,
)
from replay.server.access import access_of
from replay.server.endpoints import Endpoint, Nothing, json_response
from replay.server.guard import Guard
from replay.server.limits import Rate
from replay.server.noting import Noting
from replay.server.openapi import Json, describe
from replay.server.options import ServeOptions
from replay.server.problems import HANDLERS
from replay.server.services import Services
from replay.server.share_links import ShareLinks
from replay.server.signing_in import Rates, SigningIn
from replay.server.tokens import Logins, Tokens
from replay.viewer import pages

Served = BaseRoute | Endpoint[Any]

BURST_SECONDS: Final = 5
"""So many seconds' worth of requests may come at once."""

_MINUTE_S: Final = 60


def create_app(services: Services, options: ServeOptions) -> Starlette:
    """Make the application; docs/api.md says what it serves. Errors are `application/problem+json`."""
    door = _Door(services, options)
    served: list[Served] = [*door.endpoints(), *_served(services)]
    endpoints = [each for each in served if isinstance(each, Endpoint)]
    endpoints.append(_description(endpoints))
    app = Starlette(
        routes=[*(route for each in endpoints for route in _routes(each, door.audit)), *_pages(served)],
        middleware=door.middleware(),
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    app.state.endpoints = endpoints
    return app


def _pages(served: Sequence[Served]) -> Iterator[BaseRoute]:
    return (each for each in served if isinstance(each, BaseRoute))


def _served(services: Services) -> list[Served]:
    """List what the modules serve: endpoints of the API, and pages as routes."""
    return [
        *sessions.routes(services),
        *listing.routes(services),
        *overview.routes(services),
        *moments.routes(services),
        *script_errors.routes(services),
        *events.routes(services),
        *bundles.routes(services),
        *timeline.routes(services),
        *live.routes(services),
        *summary.routes(services),
        *exports.routes(services),
        *pages.routes(services),
    ]


class _Door:
    """Who may come in, how often, and what is written down of it."""

    def __init__(self, services: Services, options: ServeOptions) -> None:
        clock_ms = services.clock_ms
        self.audit = audit.Audit(services, options)
        self._services = services
        self._options = options
        self._tokens = Tokens(services.redis, services.names, clock_ms)
        self._logins = Logins(services.redis, services.names, self._tokens, options.login_lifetime_ms)
        self._links = ShareLinks(services.redis, services.names, clock_ms)
        burst = options.requests_per_second * BURST_SECONDS
        self._rates = Rates(
            addresses=Rate(options.requests_per_second, burst, clock_ms),
            tokens=Rate(options.requests_per_second, burst, clock_ms),
            failures=Rate(options.failed_logins_per_minute / _MINUTE_S, options.failed_logins_per_minute, clock_ms),
        )

    def endpoints(self) -> list[Endpoint[Any]]:
        """List what belongs to the door itself."""
        services, options = self._services, self._options
        return [
            *login.routes(services, self._tokens, self._logins, self._rates.failures, self.audit),
            *shares.routes(services, self._links, self.audit, options),
            *deletions.routes(services, self.audit, options),
            *audit.routes(services),
            *health.routes(services),
        ]

    def middleware(self) -> list[Middleware]:
        """List what a request passes, outermost first."""
        return [
            Middleware(Noting, operations=self._services.operations),
            Middleware(Guard, options=self._options),
            *self._cors(),
            Middleware(
                SigningIn, needs_login=self._options.login != "none", tokens=self._tokens, logins=self._logins,
                links=self._links, rates=self._rates,
            ),
        ]  # fmt: skip

    def _cors(self) -> list[Middleware]:
        if not self._options.cors_origins:
            return []
        exposed = ("ETag", "Content-Range", "Retry-After", "Wince-Position")
        return [
            Middleware(
                CORSMiddleware, allow_origins=sorted(self._options.cors_origins), expose_headers=exposed,
                allow_methods=("GET", "POST", "DELETE"), allow_headers=("authorization", "content-type", "range"),
            )
        ]  # fmt: skip


def _description(endpoints: Sequence[Endpoint[Any]]) -> Endpoint[Any]:
    written: list[Json] = []

    async def answer(_: Request, __: Nothing) -> Response:
        return json_response(written[0])

    endpoint = Endpoint(
        path="/openapi.json", handler=answer, takes=Nothing, gives=dict[str, Any], scope=None,
        summary="Describe this API: OpenAPI 3.1",
    )  # fmt: skip
    written.append(describe([*endpoints, endpoint]))
    return endpoint


def _routes(endpoint: Endpoint[Any], audit_log: audit.Audit) -> Iterator[Route]:
    """Make the routes of an endpoint: its own, and the one for who has a share link."""
    if endpoint.is_watching:
        endpoint = replace(endpoint, handler=_audited(endpoint, audit_log))
    yield endpoint.route()
    for path in endpoint.paths()[1:]:
        yield Route(path, _shared(replace(endpoint, path=path, is_shared=False)), methods=[endpoint.method])


def _audited(endpoint: Endpoint[Any], audit_log: audit.Audit) -> Callable[[Request, Any], Any]:
    async def handle(request: Request, inputs: Any) -> Response:  # noqa: ANN401 - whatever the endpoint takes
        answer = await endpoint.handler(request, inputs)
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            await audit_log.watched(request)
        return answer

    return handle


def _shared(endpoint: Endpoint[Any]) -> Callable[[Request], Any]:
    """Have a request answered as if its path named the session that its share link is for."""

    async def answer(request: Request) -> Response:
        request.scope["path_params"]["session_id"] = quote(access_of(request).session_id, safe="")
        return await endpoint.answer(request)

    return answer
