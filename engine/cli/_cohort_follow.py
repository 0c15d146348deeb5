"""`wince cohort follow`."""

import argparse
import asyncio
import math
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from engine.cli._cohort_parts import FAILED, WRONG_USE, chosen, complain, open_tools, receiver_of, watched
from engine.cohorts.feed import Feed, Touched
from engine.cohorts.file import Declared, read_cohorts
from engine.cohorts.following import LINGER_MS, Followed, Following, KnownExclusions, Surroundings
from engine.cohorts.opening import Tools, owned, put_together
from engine.cohorts.sending import Sender
from engine.cohorts.state import NotOwnerError
from engine.cohorts.watching import CohortMeters
from engine.delivery.posting import Poster
from engine.errors import WinceError
from engine.operate.health import Health
from engine.operate.logs import configure_logs
from engine.runtime.ending import end_tasks
from engine.settings import Settings
from replay.errors import StoreError
from replay.redis_keys import KeyNames
from replay.withdrawals import Withdrawals


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Follow until stopped; exit status 1 after an error that only a restart may mend."""
    cohorts = read_cohorts(args.cohorts, settings)
    kafka = settings.kafka
    names = (kafka.signals_topic, kafka.activity_topic, kafka.client_id, *kafka.servers)
    configure_logs(settings.worker.log_level, settings.worker.log_format, names=names)
    try:
        wanted = chosen(cohorts, args.names)
    except ValueError as error:
        complain(error)
        return WRONG_USE
    try:
        asyncio.run(_follow(args, settings, wanted))
    except (OSError, StoreError, WinceError, NotOwnerError) as error:
        complain(error)
        return FAILED
    return 0


async def _follow(args: argparse.Namespace, settings: Settings, wanted: list[Declared]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with watched(args, settings, wanted, ("kafka", "redis")) as (meters, health):
        following = asyncio.create_task(_follow_always(settings, wanted, meters, health))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([following, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not following.done():
            # Every step can be broken off, and it may be waiting for another owner, or for Redis.
            await end_tasks([following])
        if not following.cancelled():
            following.result()


async def _deletions(settings: Settings, tools: Tools) -> Callable[[], Awaitable[list[Touched]]]:
    """Make what gives the sessions that are deleted from now on."""
    withdrawals = Withdrawals(tools.client, KeyNames(settings.store.key_prefix))
    await withdrawals.skip()

    async def deleted() -> list[Touched]:
        return [Touched(each.project_id, id_) for each in await withdrawals.news() for id_ in each.session_ids]

    return deleted


async def _follow_always(settings: Settings, wanted: list[Declared], meters: CohortMeters, health: Health) -> None:
    exclusions = KnownExclusions()
    async with AsyncExitStack() as stack:
        tools, excluded = await stack.enter_async_context(open_tools(settings, exclusions))
        poster = Poster()
        stack.push_async_callback(poster.close)
        cohorts = []
        for declared in wanted:
            receiver = receiver_of(declared, poster, meters)
            parts = put_together(tools, declared, linger_ms=LINGER_MS)
            await stack.enter_async_context(owned(parts, tools.lease_ms, math.inf))
            cohorts.append(Followed(parts, Sender(parts.keeping, receiver, tools.clock_ms, asyncio.sleep)))
        around = Surroundings(
            clock_ms=tools.clock_ms,
            sleep=asyncio.sleep,
            listen=lambda: Feed(settings.kafka),
            exclusions=exclusions,
            refresh=excluded.refresh,
            withdrawn=await _deletions(settings, tools),
            tell=complain,
            heard=lambda: health.reached("kafka"),
            retried=meters.retried,
            untold=meters.untold,
        )
        await Following(cohorts, around).run()
