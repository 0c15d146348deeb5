"""Puts one worker process together, runs it, and takes it apart."""

import asyncio
import os
import signal
import uuid
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Final

from engine.core.shared import Shared
from engine.operate.health import Dependency, Health, serve_health
from engine.operate.logs import get_logger
from engine.operate.meters import Count, Histogram
from engine.operate.registry import Meters
from engine.operate.traces import make_tracer
from engine.runtime.collecting import collector_by_plan
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.exclusion_watch import watch_exclusions
from engine.runtime.kafka.patience import Patience
from engine.runtime.kafka.tools import Tools
from engine.runtime.kafka.worker import Worker
from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings
from replay.marks import RedisMarks
from replay.redis_client import Operation
from replay.redis_exclusions import RedisExclusions
from replay.redis_store import RedisStore

ORPHAN_SECONDS: Final = 1.0
"""How often a process looks whether the one that started it is still there."""


class _Observer:
    """Tells metrics and health how Redis is."""

    def __init__(self, meters: Meters, health: Health) -> None:
        self._meters = meters
        self._health = health

    def called(self, operation: Operation, seconds: float, sent_bytes: int) -> None:
        redis: Dependency = "redis"
        self._health.reached(redis)
        self._meters.observe(Histogram.REDIS_COMMAND, seconds, operation=operation)
        self._meters.count(Count.REDIS_SENT_BYTES, sent_bytes)


async def run_process(settings: Settings, process_number: int, *, parent: int | None = None) -> None:
    """Run one worker until SIGTERM or SIGINT, or until `parent` is not its parent process any more.

    Raises Broken; OSError if the port of metrics is taken; SettingsError if files of certificates are of no use.
    """
    meters, health = Meters(version("wince")), Health()
    worker_settings = settings.worker
    async with AsyncExitStack() as stack:
        collect = stack.enter_context(collector_by_plan())
        client = redis_client(settings, _Observer(meters, health))
        stack.push_async_callback(client.close)
        emitter = Emitter(settings.kafka)
        stack.push_async_callback(emitter.close)
        tracer = make_tracer(os.environ, version("wince"))
        stack.push_async_callback(tracer.close)
        port = worker_settings.http_port and worker_settings.http_port + process_number
        bound = await stack.enter_async_context(serve_health(worker_settings.http_host, port, meters, health))
        get_logger().info("worker_started", process=process_number, host=worker_settings.http_host, port=bound)
        tools = Tools(
            settings=settings,
            owner=uuid.uuid4().hex,
            shared=Shared(settings),
            store=RedisStore(client, store_settings(settings)),
            marks=RedisMarks(client, settings.store.key_prefix),
            emitter=emitter,
            patience=Patience(worker_settings, meters, health.beat),
            meters=meters,
            health=health,
            tracer=tracer,
            collect=collect,
        )
        worker = Worker(tools, process_number)
        meters.refresh_with(worker.refresh)
        exclusions = RedisExclusions(client, settings.store.key_prefix, tools.shared.exclusions)
        await _run(worker, parent, watch_exclusions(exclusions, tools.patience))
        get_logger().info("worker_stopped", process=process_number)


async def _run(worker: Worker, parent: int | None, starting: Coroutine[None, None, asyncio.Task[None]]) -> None:
    """Run a worker once what is `starting` has started; that task ends with it."""
    loop = asyncio.get_running_loop()
    first = asyncio.create_task(starting)

    def stop() -> None:
        worker.stop()
        first.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    beside: list[asyncio.Task[object]] = (
        [first] if parent is None else [first, asyncio.create_task(_watch_parent(parent, stop))]
    )
    try:
        await asyncio.wait([first])
        if not first.cancelled():
            beside.append(first.result())
        await worker.run()
    finally:
        for task in beside:
            task.cancel()


async def _watch_parent(parent: int, stop: Callable[[], None]) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells when a parent is gone
        await asyncio.sleep(ORPHAN_SECONDS)
    stop()
