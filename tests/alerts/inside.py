"""An alerter in this process, with a clock of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from engine.alerts.app.background import RulesWatch
from engine.alerts.app.observers import RedisMeters
from engine.alerts.app.process import Alerter, make_tools
from engine.alerts.app.tools import AlertTools
from engine.alerts.delivery.assembly import make_sender
from engine.alerts.delivery.metrics import DeliveryMeters
from engine.delivery.posting import Poster
from engine.operate.health import Health
from engine.operate.meters import Count
from engine.operate.programs import ALERT_METERS
from engine.operate.registry import Meters
from engine.runtime.stores import redis_client
from tests.alerts.site import SECONDS, AlertSite, now_ms
from tests.servers.waiting import until


class Inside:
    """An alerter at work. `skipped_ms` is how far its clock is ahead."""

    def __init__(self, alerter: Alerter, tools: AlertTools, watch: RulesWatch) -> None:
        self.tools, self.meters, self.health = tools, tools.meters, tools.health
        self.alerter = alerter
        self.skipped_ms = 0
        tools.clock_ms = self.clock_ms
        self.task = asyncio.create_task(alerter.run(watch))

    def clock_ms(self) -> int:
        return now_ms() + self.skipped_ms

    async def until(self, ask: Callable[[], Awaitable[object]], what: str) -> None:
        """Wait until something is so; raises what ends the alerter."""

        async def asked() -> bool:
            if self.task.done():
                self.task.result()
            return bool(await ask())

        await until(asked, SECONDS, what)

    async def counts(self, meter: Count, at_least: float = 1, **labels: str) -> None:
        """Wait until something was counted."""

        async def ask() -> bool:
            return self.meters.value(meter, **labels) >= at_least

        await self.until(ask, f"{meter} {labels}")


@asynccontextmanager
async def running(site: AlertSite, health: Health | None = None) -> AsyncIterator[Inside]:
    """Run an alerter on a site's topics; it has to stop well in the end."""
    meters, health = Meters("test", ALERT_METERS), health or Health()
    async with AsyncExitStack() as stack:
        client = redis_client(site.settings, RedisMeters(meters, health))
        stack.push_async_callback(client.close)
        poster = Poster()
        stack.push_async_callback(poster.close)
        watch = RulesWatch(str(site.rules), {})
        rules, endpoints = watch.read()
        sender = make_sender(site.settings, client, poster, DeliveryMeters(meters))
        sender.use(endpoints)
        tools = make_tools(site.settings, rules, client, meters, health)
        inside = Inside(Alerter(tools, sender), tools, watch)
        sender._clock_ms = inside.clock_ms
        try:
            yield inside
        finally:
            inside.alerter.stop()
            async with asyncio.timeout(SECONDS):
                await inside.task
