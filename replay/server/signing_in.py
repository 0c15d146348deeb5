"""Middleware: finds out who asks."""

from typing import Final

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from replay.server.access import ANY_PROJECT, Access, Scope
from replay.server.options import ServeOptions

EVERYBODY: Final = Access(who="local", name="everybody", project_id=ANY_PROJECT, scopes=frozenset(Scope))
"""Whoever reaches a server without a login."""


class SigningIn:
    """Puts the `Access` of a request into its state, if it has one."""

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Pass a request on with its access."""
        if scope["type"] == "http" and self._options.login == "none":
            scope.setdefault("state", {})["access"] = EVERYBODY
        await self._app(scope, receive, send)
