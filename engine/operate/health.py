"""Whether this process is well: `/livez` and `/readyz` for whoever restarts it and waits for it, and `/metrics`."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, Literal

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.operate.registry import CONTENT_TYPE, Meters

Dependency = Literal["kafka", "redis"]

BEAT_WITHIN_MS: Final = 60_000
"""Oldest heartbeat of a loop that is alive. Far above the longest poll: a restart costs more than it heals."""

REACHED_WITHIN_MS: Final = 60_000
"""Oldest contact with a dependency of a process that is ready. An idle worker moves its marks every few seconds."""

_CONNECTIONS_MAX: Final = 32
_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether all is well, each check with `ok` or what is wrong, and what else is to be known."""

    ok: bool
    checks: dict[str, str]
    notes: dict[str, str] = {}


class Health:
    """What the loops of a process tell of themselves. Alive from the start; ready when in a group and in contact.

    `clock` gives milliseconds that never fall; every age is measured by it. A loop that waits for a dependency still
    beats: a restart would not bring the dependency back. `needs` are the dependencies it cannot work without.
    """

    def __init__(
        self,
        clock: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        *,
        beat_within_ms: int = BEAT_WITHIN_MS,
        reached_within_ms: int = REACHED_WITHIN_MS,
        needs: tuple[Dependency, ...] = ("kafka", "redis"),
    ) -> None:
        self._needs = needs
        self._clock = clock
        self._beat_within_ms = beat_within_ms
        self._reached_within_ms = reached_within_ms
        self._beats: dict[str, int] = {"main": clock()}
        self._reached: dict[Dependency, int] = {}
        self._joined = False
        self._draining = False
        self._notes: dict[str, str] = {}

    def beat(self, loop: str = "main") -> None:
        """Tell that a loop went round; from its first beat on it is expected to go on."""
        self._beats[loop] = self._clock()

    def end(self, loop: str) -> None:
        """Tell that a loop came to its end, as was planned."""
        self._beats.pop(loop, None)

    def reached(self, dependency: Dependency) -> None:
        """Tell that a dependency answered."""
        self._reached[dependency] = self._clock()

    def joined(self, *, group: bool) -> None:
        """Tell whether the process is in its consumer group (with or without partitions: there may be too few)."""
        self._joined = group

    def draining(self) -> None:
        """Tell that the process is on its way out."""
        self._draining = True

    def note(self, about: str, text: str) -> None:
        """Say something that is to be known and does not make the process less ready; nothing takes it back."""
        self._notes = {name: told for name, told in {**self._notes, about: text}.items() if told}

    def alive(self) -> Verdict:
        """Judge whether every loop goes round."""
        now_ms = self._clock()
        return _verdict({loop: _young(now_ms - at_ms, self._beat_within_ms) for loop, at_ms in self._beats.items()})

    def ready(self) -> Verdict:
        """Judge whether work is done here: in the group, dependencies in reach, not draining."""
        now_ms = self._clock()
        checks = {"group": "ok" if self._joined else "not joined", "drain": "draining" if self._draining else "ok"}
        for dependency in self._needs:
            at_ms = self._reached.get(dependency)
            checks[dependency] = "never reached" if at_ms is None else _young(now_ms - at_ms, self._reached_within_ms)
        return msgspec.structs.replace(_verdict(checks), notes=self._notes)


def _young(age_ms: int, within_ms: int) -> str:
    return "ok" if age_ms <= within_ms else f"last seen {age_ms / 1000:.0f} s ago"


def _verdict(checks: dict[str, str]) -> Verdict:
    return Verdict(all(text == "ok" for text in checks.values()), checks)


def health_app(meters: Meters, health: Health) -> Starlette:
    """Make the application: `GET /livez`, `/readyz` (200 or 503, with the checks as JSON) and `/metrics`."""

    async def livez(_: Request) -> Response:
        return _answer(health.alive())

    async def readyz(_: Request) -> Response:
        return _answer(health.ready())

    async def metrics(_: Request) -> Response:
        return Response(meters.exposition(), headers={**_HEADERS, "content-type": CONTENT_TYPE})

    app = Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])
    app.router.redirect_slashes = False
    return app


def _answer(verdict: Verdict) -> Response:
    body = msgspec.json.encode(verdict)
    return Response(body, 200 if verdict.ok else 503, _HEADERS, "application/json")


class _Server(uvicorn.Server):
    """A server that leaves the signals of the process to the program it serves."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_health(host: str, port: int, meters: Meters, health: Health) -> AsyncIterator[int]:
    """Serve `health_app` in this event loop while the body runs; gives the port that was bound (`port` 0: any free).

    Raises OSError, before the body runs, if the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        config = uvicorn.Config(
            health_app(meters, health),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS_MAX,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving
