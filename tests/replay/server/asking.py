"""Asking an application as a server would, without a network."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from starlette.types import ASGIApp, Message


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self, kind: Any = object) -> Any:
        return msgspec.json.decode(self.body, type=kind)


async def ask(
    app: ASGIApp,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    body: object = b"",
    client: str = "127.0.0.1",
) -> Answer:
    """Send a request; a body that is not bytes is sent as JSON. The client stays until it has its answer."""
    sent: list[Message] = []
    route, _, query = path.partition("?")
    named = list(headers.items()) if isinstance(headers, Mapping) else list(headers or ())
    if not any(name.lower() == "host" for name, _ in named):
        named.append(("host", "127.0.0.1:8000"))
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
        "path": "decoded by the server, not to be used", "raw_path": route.encode(), "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in named], "client": (client, 50_000),
    }  # fmt: skip
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    pending = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        if pending:
            return pending.pop()
        await asyncio.Event().wait()
        raise AssertionError("the client stays until it has its answer")

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], names, b"".join(message.get("body", b"") for message in sent[1:]))
