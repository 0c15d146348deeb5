"""One time in the consumer group: Faust with two agents, and all that goes on beside them, until it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError
from faust.exceptions import FaustError

from engine.alerts.app.background import check_always, resolve_always, save_always, tick_always
from engine.alerts.app.desk import Desk
from engine.alerts.app.lanes import Doubt
from engine.alerts.app.lookout import Lookout
from engine.alerts.app.tools import AlertTools
from engine.alerts.app.transport import AlertsApp
from engine.errors import Unavailable
from engine.operate.logs import get_logger
from engine.runtime.ending import end_tasks

_PASSING: Final = (KafkaError, FaustError, TimeoutError, OSError)
_LEAVE_SECONDS: Final = 10.0
"""How long Faust may take to leave the group in good order; others notice all the same."""


class Membership:
    """Call `run` once; it returns when `stopping` is set, after everything read was stored."""

    def __init__(self, tools: AlertTools, process_number: int, stopping: asyncio.Event) -> None:
        self._tools = tools
        self._number = process_number
        self._stopping = stopping
        self._lookout = Lookout(tools.kafka)
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.desk: Desk | None = None

    async def run(self, entered: Callable[[Desk, AlertsApp], None]) -> None:
        """Work until stopped; `entered` is given what is at work.

        Raises Doubt if all has to be read again, Unavailable for what passes, and whatever a bug of ours raises.
        """
        kafka, input_topic = self._tools.kafka, self._tools.settings.alerts.input_topic
        await self._lookout.start()
        self._tools.health.beat()
        try:
            identities = await self._lookout.identities((kafka.signals_topic, kafka.activity_topic, input_topic))
            self._tools.health.reached("kafka")
            self._tools.health.beat()
            desk = Desk(self._tools, self._lookout, identities)
            app = AlertsApp(kafka, self._number, desk.starts, desk.safe)
            _give_agents(app, desk, input_topic, self._guarded)
            entered(desk, app)
            beside = (
                save_always(self._tools, desk),
                check_always(self._tools, desk, self._lookout, identities),
                tick_always(self._tools, desk, self._lookout),
                resolve_always(self._tools, desk),
            )
            await self._work(app, desk, beside)
        finally:
            await self._lookout.close()

    async def _work(self, app: AlertsApp, desk: Desk, beside: tuple[Coroutine[Any, Any, None], ...]) -> None:
        tasks = [asyncio.create_task(self._guarded(each)) for each in beside]
        try:
            await self._until_ended(app)
            if self._stopping.is_set():
                await self._drain(desk)
        finally:
            await end_tasks(tasks)
            await _leave(app)

    async def _until_ended(self, app: AlertsApp) -> None:
        """Wait until it is stopped or fails. Raises what made it fail."""
        starting = asyncio.create_task(app.start())
        stopped = asyncio.create_task(self._stopping.wait())
        ended = asyncio.create_task(app.wait_until_stopped())
        waits: set[asyncio.Future[Any]] = {starting, stopped, ended, self._failure}
        try:
            while not {stopped, ended, self._failure} & {each for each in waits if each.done()}:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                if starting in done:
                    starting.result()
                    waits.discard(starting)
            if self._failure.done():
                self._failure.result()
            if ended.done() and not stopped.done():
                raise app.crash_reason or Unavailable("Faust has ended by itself")
        except OffsetOutOfRangeError:
            raise Doubt("out_of_range") from None
        except (ConsumerStoppedError, *_PASSING) as error:
            raise Unavailable(f"Kafka cannot be used: {type(error).__name__}") from error
        finally:
            await end_tasks((starting, stopped, ended))

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Do something whose failure ends all of it: Faust would only log it, and go on with the next record."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - it is raised by who waits for all of it
            if not self._failure.done():
                self._failure.set_exception(error)

    async def _drain(self, desk: Desk) -> None:
        self._tools.health.draining()
        try:
            async with asyncio.timeout(self._tools.settings.alerts.drain_timeout_ms / 1_000):
                await desk.save()
        except (Doubt, Unavailable, TimeoutError) as error:
            get_logger().warning("drain_cut_short", error=error)


Guarded = Callable[[Awaitable[None]], Awaitable[None]]


def _give_agents(app: AlertsApp, desk: Desk, input_topic: str, guarded: Guarded) -> None:
    """Let one agent put what comes in order by project, and one let the rules judge it."""
    kafka = desk.kafka

    async def forward(stream: Any) -> None:  # noqa: ANN401 - Faust is untyped
        async for event in stream.noack().events():
            await guarded(desk.forward(event, app))

    async def judge(stream: Any) -> None:  # noqa: ANN401 - Faust is untyped
        async for event in stream.noack().events():
            await guarded(desk.judge(event))

    async def revoked(_app: Any, /, *_: Any, signal: Any, **__: Any) -> None:  # noqa: ANN401, ARG001 - as Faust has it
        await guarded(desk.revoked())

    app.agent(app.raw_topic(kafka.signals_topic, kafka.activity_topic), name="forward", concurrency=1)(forward)
    app.agent(app.raw_topic(input_topic), name="judge", concurrency=1)(judge)
    app.on_partitions_revoked.connect(revoked, weak=False)


async def _leave(app: AlertsApp) -> None:
    try:
        async with asyncio.timeout(_LEAVE_SECONDS):
            await app.stop()
    except (*_PASSING, ConsumerStoppedError) as error:
        get_logger().warning("group_left_in_disorder", error=error)
