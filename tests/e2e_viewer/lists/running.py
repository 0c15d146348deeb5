"""The whole application as it runs: a real server over a real Redis, in a thread of its own, for a browser to use."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import uvicorn

from engine.core.core import Core
from engine.input.files import read_batches
from engine.reasons import Reason
from engine.runtime.recorded import RecordedRun
from engine.runtime.stores import store_settings
from engine.runtime.writer import Writer
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.redis_client import RedisClient, connect
from replay.redis_server import Binary
from replay.redis_store import RedisStore, wall_clock_ms
from replay.server import ServeOptions, Services, create_app
from replay.server.access import Scope
from replay.server.tokens import Tokens
from tests.servers.redis_process import RedisProcess

T = TypeVar("T")

WAIT_S: Final = 60


class Site:
    """A running application over an empty Redis; a context manager.

    `run` lets a coroutine run beside the server, so that a test can put sessions into the store while a browser looks.
    `clock_ms` is the server's clock (epoch ms).
    """

    def __init__(self, binary: Binary, options: ServeOptions, clock_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._binary = binary
        self._options = options
        self._clock_ms = clock_ms
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.redis: RedisProcess | None = None
        self.services: Services | None = None
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def store(self) -> RedisStore:
        assert self.services is not None
        return self.services.store

    def empty(self) -> None:
        """Take everything out of Redis."""
        self.run(self._empty())

    def fill(self) -> None:
        """Run the shipped recordings through the engine into Redis."""
        self.run(fill(self.store))

    def token(self, *scopes: Scope, project_id: str = "*") -> str:
        """Make a token, and give its text."""
        return self.run(self._token(scopes, project_id))

    def lose_redis(self) -> None:
        assert self.redis is not None
        self.redis.kill()

    def bring_redis_back(self) -> None:
        """Start it again with all it held, if it is gone."""
        assert self.redis is not None
        assert self.redis.process is not None
        if not self.redis.process.is_running:
            self.run(self.redis.start())

    def go_down(self) -> None:
        """End the server, as in a restart; Redis stays."""
        self.run(self._end_server())

    def come_back(self) -> None:
        """Start the server again at its old address."""
        self.run(self._start_server(self._port))

    async def _start(self) -> None:
        self.redis = await RedisProcess(self._binary, append_only=True).__aenter__()
        await self._start_server(0)

    async def _start_server(self, port: int) -> None:
        assert self.redis is not None
        settings = Settings()
        client: RedisClient = connect(self.redis.url)
        self.services = Services(
            store=RedisStore(client, store_settings(settings)), redis=client, settings=store_settings(settings),
            reasons={reason.value: reason.explanation for reason in Reason}, clock_ms=self._clock_ms,
        )  # fmt: skip
        app = create_app(self.services, self._options)
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", port))
        self._port = listener.getsockname()[1]
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def _end_server(self) -> None:
        assert self._server is not None
        assert self._serving is not None
        assert self.services is not None
        self.services.stopping.set()
        self._server.should_exit = True
        await self._serving
        await self.services.store.close()

    async def _stop(self) -> None:
        await self._end_server()
        if self.redis is not None:
            await self.redis.__aexit__(None, None, None)

    async def _empty(self) -> None:
        assert self.redis is not None
        async with self.redis.client() as admin:
            await admin.flushall()

    async def _token(self, scopes: tuple[Scope, ...], project_id: str) -> str:
        assert self.services is not None
        tokens = Tokens(self.services.redis, self.services.names, self.services.clock_ms)
        text, _ = await tokens.create("test", project_id, scopes)
        return text


async def fill(store: RedisStore) -> None:
    """Put the shipped recordings into a store."""
    run = RecordedRun(Core(Settings()), Writer(store, "samples", "test", keep_state=True), bury=_unreadable)
    await run.run(read_batches([SAMPLES_FOLDER], Settings().limits, _unreadable))


def _unreadable(problem: object) -> None:
    raise AssertionError(problem)
