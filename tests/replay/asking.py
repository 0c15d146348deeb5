"""Asking endpoints without a network, and over one."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from replay.server.access import ANY_PROJECT, Access
from replay.server.access import Scope as Right
from replay.server.endpoints import Endpoint
from replay.server.problems import HANDLERS

ALL = Access(who="t", name="tests", project_id=ANY_PROJECT, scopes=frozenset(Right))


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool

    def json(self, kind: Any = object) -> Any:
        return msgspec.json.decode(self.body, type=kind)


def make_app(endpoints: Iterable[Endpoint[Any]], access: Access | None = ALL) -> ASGIApp:
    """An application of some endpoints, asked by somebody with this access."""
    app = Starlette(routes=[endpoint.route() for endpoint in endpoints], exception_handlers=HANDLERS)

    async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
        if access is not None:
            scope.setdefault("state", {})["access"] = access
        raw = scope.get("raw_path") or scope.get("path", "").encode()
        await app({**scope, "path": raw.decode()} if scope["type"] == "http" else scope, receive, send)

    return let_in


async def ask(app: ASGIApp, target: str, method: str = "GET", **headers: str) -> Answer:
    """Send a request whose client stays until it has its answer."""
    path, _, query = target.partition("?")
    sent: list[Message] = []
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http", "scheme": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("the client stays")

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], answered, body, not sent[-1].get("more_body", False))


class _Told(uvicorn.Server):
    """A server that says when it has started."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=5))
        self.told = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.told.set()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[int, None]:
    """Serve on a free port of this machine, which is given."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Told(app)
        task = asyncio.ensure_future(server.serve([listener]))
        await server.told.wait()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task
