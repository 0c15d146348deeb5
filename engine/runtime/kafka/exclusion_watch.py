"""Keeps what a process knows of excluded users up to date."""

import asyncio
from typing import Final

from engine.operate.logs import get_logger
from engine.runtime.kafka.patience import Patience
from replay.errors import StoreError
from replay.redis_exclusions import RedisExclusions

REFRESH_SECONDS: Final = 2.0
"""How often it is asked for news: two small commands."""


async def watch_exclusions(exclusions: RedisExclusions, patience: Patience) -> asyncio.Task[None]:
    """Learn who is excluded, however long that takes: nothing may be processed before. Return the task that goes on."""
    await patience.insist(exclusions.refresh)
    return asyncio.create_task(_refresh_always(exclusions))


async def _refresh_always(exclusions: RedisExclusions) -> None:
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await exclusions.refresh()
        except StoreError as error:
            # What is known already holds on; without Redis nothing is stored either.
            get_logger().warning("exclusions_unknown", error=error)
