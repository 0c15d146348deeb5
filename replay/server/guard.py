"""What every request passes: only our own names as host, raw paths, and headers that forbid everything."""

from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replay.server.health import PATHS
from replay.server.options import ANY_HOST, ServeOptions
from replay.server.problems import problem

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
)
"""Headers of every answer that does not have its own."""


_NOT_IN_HOST: Final = frozenset(b"@/?#")
"""What ends or begins other parts of an address: the links we make begin with what the request called us."""

_HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")


class Guard:
    """ASGI middleware; answers requests for other hosts with 421."""

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self._app = app
        self._options = options

    def _is_ours(self, scope: Scope) -> bool:
        """Say whether a request calls us by one of our names, or asks for what strangers may know."""
        hosts = self._options.allowed_hosts
        return ANY_HOST in hosts or path_as_sent(scope) in PATHS or _host(scope) in hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it may pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name for name, _ in own}
                if scope["scheme"] == "https":
                    own.append(_HTTPS_ONLY)
                message["headers"] = own + [header for header in _HEADERS if header[0] not in names]
            await send(message)

        if not self._is_ours(scope):
            refusal = problem(421, "unknown host", "This server has other names.")
            await refusal(scope, receive, send_guarded)
            return
        # An encoded slash in a session id is not a border of the path: routes see the path as it was sent.
        await self._app({**scope, "path": path_as_sent(scope)}, receive, send_guarded)


def path_as_sent(scope: Scope) -> str:
    """Return the path of a request with its percent-encoding."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("ascii", "replace")


def _host(scope: Scope) -> str | None:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not _NOT_IN_HOST.isdisjoint(hosts[0]):
        return None
    try:
        text: str = hosts[0].decode("ascii")
        return urlsplit(f"//{text}").hostname
    except ValueError:
        return None
