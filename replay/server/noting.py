"""Middleware: tells the operator of every request, by the template of its path: nothing secret, nobody's id."""

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replay.server.guard import path_as_sent
from replay.server.operations import Operations

PAGES: Final = ("/assets", "/s", "/p", "/overview", "/login", "/")
"""What requests of pages are counted as: the first part of their path."""

OTHER: Final = "other"

METHODS: Final = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", OTHER)


class Noting:
    """Measures requests, streams to their end."""

    def __init__(self, app: ASGIApp, operations: Operations) -> None:
        self._app = app
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, sent_bytes, started = 0, 0, time.perf_counter()

        async def send_counted(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
            sent_bytes += len(message.get("body", b""))
            await send(message)

        self._operations.started()
        state = scope.setdefault("state", {})
        try:
            await self._app(scope, receive, send_counted)
        finally:
            method = scope["method"] if scope["method"] in METHODS else OTHER
            route = state.get("route") or _page(path_as_sent(scope))
            seconds = time.perf_counter() - started
            self._operations.finished(route, method, status or 500, seconds, sent_bytes)


def _page(path: str) -> str:
    first = "/" + path.removeprefix("/").partition("/")[0]
    return first if first in PAGES else OTHER
