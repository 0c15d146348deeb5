"""Puts the HTTP server together, runs it, and takes it apart."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from engine.core.projects import known_as
from engine.operate.http import HttpOperations
from engine.operate.logs import get_logger
from engine.operate.meters import Histogram
from engine.operate.programs import SERVER_METERS
from engine.operate.registry import Meters
from engine.reasons import Reason
from engine.runtime.models import chosen_rephraser
from engine.runtime.readers import open_readers, readers_of
from engine.runtime.stores import redis_client, store_settings
from engine.settings import ServeSettings, Settings
from replay.redis_client import Operation, RedisClient
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.server.operations import Operations
from replay.server.options import LOOPBACK_NAMES
from replay.server.services import TellDeleted, no_readers

_MAX_HEADER_BYTES: Final = 32 << 10
_KEEP_ALIVE_SECONDS: Final = 30


class _Observer:
    """Tells metrics how Redis is."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def called(self, operation: Operation, seconds: float, sent_bytes: int) -> None:
        del sent_bytes  # next to nothing: the server reads
        self._meters.observe(Histogram.REDIS_COMMAND, seconds, operation=operation)


async def run_server(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let requests under way end.

    Raises OSError if the address is taken, or files of certificates cannot be read or are of no use (SSLError).
    """
    meters, serve = Meters(version("wince"), SERVER_METERS), settings.serve
    async with AsyncExitStack() as stack:
        client = redis_client(settings, _Observer(meters))
        stack.push_async_callback(client.close)
        services = make_services(settings, client, HttpOperations(meters))
        app = create_app(services, serve_options(serve))
        listener = stack.enter_context(_listen(serve.http_host, serve.http_port))
        get_logger().info("server_started", host=serve.http_host, port=listener.getsockname()[1])
        await serve_app(app, services.stopping, listener, _server_settings(serve))
        get_logger().info("server_stopped")


def make_services(
    settings: Settings, client: RedisClient, operations: Operations, *, tell_readers: bool | None = None
) -> Services:
    """Make what handlers work with, as the settings say; `tell_readers` is stronger than the settings' own."""
    store, tells = store_settings(settings), settings.serve.tell_readers if tell_readers is None else tell_readers

    def replay_sources(project_id: str) -> Sequence[str]:
        """List where replays of a project may load from."""
        named = (each.split(" ") for each in settings.serve.replay_sources)
        return [source for project, source in named if project == project_id]

    def opened_readers() -> AbstractAsyncContextManager[TellDeleted]:
        return open_readers(settings) if tells else no_readers()

    return Services(
        store=RedisStore(client, store),
        redis=client,
        settings=store,
        reasons={reason.value: reason.explanation for reason in Reason},
        operations=operations,
        open_readers=opened_readers,
        readers=readers_of(settings, told=tells),
        known_as=partial(known_as, settings),
        replay_sources=replay_sources,
        rephraser=chosen_rephraser(settings),
    )


def serve_options(serve: ServeSettings) -> ServeOptions:
    """Say how a server is to behave, as the settings have it."""
    own = LOOPBACK_NAMES if serve.is_loopback else {serve.http_host.lower()}
    return ServeOptions(
        login=serve.login,
        allowed_hosts=frozenset({*own, *serve.allowed_hosts}),
        cors_origins=frozenset(serve.cors_origins),
        requests_per_second=serve.max_requests_per_second,
        failed_logins_per_minute=serve.max_failed_logins_per_minute,
        login_lifetime_ms=serve.login_lifetime_ms,
        max_share_lifetime_ms=serve.max_share_lifetime_ms,
        max_deletions=serve.max_deletions_per_request,
        audit_max_entries=serve.max_audit_entries,
    )


def _server_settings(serve: ServeSettings) -> dict[str, object]:
    """Return what the server below the application is told."""
    told: dict[str, object] = {
        "limit_concurrency": serve.max_connections,
        "timeout_graceful_shutdown": max(1, serve.drain_timeout_ms // 1_000),
        "proxy_headers": bool(serve.trusted_proxies),
        "forwarded_allow_ips": list(serve.trusted_proxies),
    }
    if serve.tls_cert_file:
        told |= {"ssl_certfile": serve.tls_cert_file, "ssl_keyfile": serve.tls_key_file or None}
    return told


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1_024)


class _Server(uvicorn.Server):
    """A server that leaves the signals of the process to the program it serves."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_app(
    app: ASGIApp, stopping: asyncio.Event, listener: socket.socket, told: dict[str, object] | None = None
) -> None:
    """Serve an application until SIGTERM or SIGINT; `stopping` is set then, which ends streams without an end."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        **(told or {"timeout_graceful_shutdown": 1, "proxy_headers": False}),  # type: ignore[arg-type]
    )
    server = _Server(config)
    async with _until_signal(stopping):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopped.cancel()
        await serving


@asynccontextmanager
async def _until_signal(stopping: asyncio.Event) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
