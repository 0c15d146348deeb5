"""Ending tasks for sure."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

AGAIN_SECONDS: Final = 15.0
"""Longer than anything here takes to end in good order."""


async def end_tasks(tasks: Iterable[asyncio.Future[Any]], again_seconds: float = AGAIN_SECONDS) -> None:
    """Cancel tasks until they have ended; what they raise is not told.

    Once is not always enough: up to Python 3.11 `asyncio.wait_for`, which clients of Kafka and Redis call, loses a
    cancellation that comes as what it waits for ends (https://github.com/python/cpython/issues/86296). Who is cancelled
    while it waits here is so when they have ended.
    """
    tasks = list(tasks)
    interrupted: asyncio.CancelledError | None = None
    while left := {task for task in tasks if not task.done()}:
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=again_seconds)
        except asyncio.CancelledError as error:
            interrupted = error
    await asyncio.gather(*tasks, return_exceptions=True)
    if interrupted is not None:
        raise interrupted
