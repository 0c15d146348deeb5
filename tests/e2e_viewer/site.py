"""A running Wince: a real Redis with the shipped recordings in it, and the whole application on a local port."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import uvicorn

from engine.core.core import Core
from engine.core.effects import DeadLetter
from engine.input.files import read_batches
from engine.reasons import Reason
from engine.runtime.recorded import RecordedRun
from engine.runtime.stores import store_settings
from engine.runtime.writer import Writer
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.redis_client import connect
from replay.redis_server import Binary, RedisServer
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.writes import SessionWrite

_T = TypeVar("_T")

START_SECONDS = 60.0
PLENTY = 100_000
"""Requests a second: a browser under test asks faster than people do."""


class Site:
    """The server, in a thread and an event loop of its own. `address` is its origin."""

    def __init__(self, binary: Binary) -> None:
        self._binary = binary
        self._loop = asyncio.new_event_loop()
        self._ready: Future[None] = Future()
        self._done = threading.Event()
        self.address = ""
        self.store: RedisStore

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do something with the store, where it lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    def put(self, *writes: SessionWrite) -> None:
        """Store sessions, as an engine would."""
        self.run(self.store.apply_many(writes))

    async def _live(self) -> None:
        async with RedisServer(self._binary) as redis:
            settings = store_settings(Settings())
            client = connect(redis.url)
            self.store = RedisStore(client, settings)
            try:
                await self._serve(Services(store=self.store, redis=client, settings=settings, reasons=_reasons()))
            finally:
                await self.store.close()

    async def _serve(self, services: Services) -> None:
        await _fill(self.store)
        app = create_app(services, ServeOptions(login="none", requests_per_second=PLENTY))
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            serving = asyncio.create_task(server.serve([listening]))
            self._ready.set_result(None)
            await asyncio.to_thread(self._done.wait)
            services.stopping.set()
            server.should_exit = True
            await serving

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
        finally:
            self._loop.close()

    @contextlib.contextmanager
    def running(self) -> Iterator["Site"]:
        """Start, and stop at the end."""
        thread = threading.Thread(target=self._work, name="site")
        thread.start()
        try:
            self._ready.result(START_SECONDS)
            yield self
        finally:
            self._done.set()
            thread.join(START_SECONDS)


async def _fill(store: RedisStore) -> None:
    settings = Settings()
    run = RecordedRun(Core(settings), Writer(store, "samples", "tests", keep_state=True), bury=_no_letter)
    await run.run(read_batches([SAMPLES_FOLDER], settings.limits, run.unreadable))


def _no_letter(letter: DeadLetter) -> None:
    raise AssertionError(letter.reason)


def _reasons() -> dict[str, str]:
    return {reason.value: reason.explanation for reason in Reason}
