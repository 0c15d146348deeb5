"""The application: what all modules serve, behind one door."""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from replay.server.endpoints import Endpoint
from replay.server.guard import Guard
from replay.server.options import ServeOptions
from replay.server.problems import HANDLERS
from replay.server.services import Services
from replay.server.signing_in import SigningIn

Served = BaseRoute | Endpoint[Any]

MODULES: Final = (
    "replay.server.sessions",
    "replay.server.listing",
    "replay.server.moments",
    "replay.server.overview",
    "replay.server.events",
    "replay.server.bundles",
    "replay.server.timeline",
    "replay.server.live",
    "replay.server.summary",
    "replay.server.exports",
    "replay.viewer.pages",
    "replay.server.page",
)
"""Who serves something: each has a function `routes(services)` that lists endpoints of the API, and pages as routes."""


def create_app(services: Services, options: ServeOptions) -> Starlette:
    """Make the application; see docs/api.md for what it serves. Errors are `application/problem+json`."""
    served = list(_served(services))
    app = Starlette(
        routes=[each.route() if isinstance(each, Endpoint) else each for each in served],
        middleware=[Middleware(Guard, options=options), Middleware(SigningIn, options=options)],
        exception_handlers=HANDLERS,
    )
    app.router.redirect_slashes = False
    return app


def _served(services: Services) -> Iterator[Served]:
    for name in MODULES:
        if find_spec(name.rpartition(".")[0]) is not None and find_spec(name) is not None:
            routes: Callable[[Services], Sequence[Served]] = import_module(name).routes
            yield from routes(services)
