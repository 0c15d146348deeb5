"""What every request passes: only names of this machine as host, raw paths, and headers that forbid everything."""

from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replay.server.problems import problem

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts a request may name. Any other name that leads here was made to (DNS rebinding), so that a page can read us."""

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Guard:
    """ASGI middleware; answers requests for other hosts with 421."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it may pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        if _host(scope) not in LOOPBACK_NAMES:
            refusal = problem(421, "unknown host", "This server answers to 127.0.0.1 and localhost only.")
            await refusal(scope, receive, send_guarded)
            return
        # An encoded slash in a session id is not a border of the path: routes see the path as it was sent.
        raw = scope.get("raw_path") or scope["path"].encode()
        await self._app({**scope, "path": raw.decode("ascii", "replace")}, receive, send_guarded)


def _host(scope: Scope) -> str | None:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return None
    try:
        text: str = hosts[0].decode("ascii")
        return urlsplit(f"//{text}").hostname
    except ValueError:
        return None
