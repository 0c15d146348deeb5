"""Whether the server is well: for who restarts it, waits for it, and measures it. It holds no ids, so it is open."""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from replay.errors import StoreError
from replay.redis_client import Call
from replay.server.endpoints import Endpoint, Nothing, json_response
from replay.server.operations import EXPOSITION_TYPE
from replay.server.services import Services

PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked for by address, so these are answered whatever the request calls this host."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether all is well, and each check with `ok` or what is wrong."""

    ok: bool
    checks: dict[str, str]


def routes(services: Services) -> list[Endpoint[Any]]:
    """List the endpoints."""
    health = _Health(services)
    return [
        Endpoint(
            path="/livez", handler=health.livez, takes=Nothing, gives=Verdict, scope=None,
            summary="Say whether the server answers",
        ),
        Endpoint(
            path="/readyz", handler=health.readyz, takes=Nothing, gives=Verdict, scope=None,
            summary="Say whether Redis is in reach and the server is not about to end (else 503)",
        ),
        Endpoint(
            path="/metrics", handler=health.metrics, takes=Nothing, media_type="text/plain", scope=None,
            summary="Give metrics for Prometheus",
        ),
    ]  # fmt: skip


class _Health:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def livez(self, _: Request, __: Nothing) -> Response:
        """Answer."""
        return json_response(Verdict(ok=True, checks={"main": "ok"}))

    async def readyz(self, _: Request, __: Nothing) -> Response:
        """Ask Redis."""
        checks = {"drain": "draining" if self._services.stopping.is_set() else "ok", "redis": "ok"}
        try:
            await self._services.redis.run(Call("EXISTS", (self._services.names.projects,)))
        except StoreError:
            checks["redis"] = "not in reach"
        is_well = all(text == "ok" for text in checks.values())
        return json_response(Verdict(is_well, checks), 200 if is_well else 503)

    async def metrics(self, _: Request, __: Nothing) -> Response:
        """Give what the operator's side counts."""
        return Response(self._services.operations.exposition(), headers={"content-type": EXPOSITION_TYPE})
