"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

ASK_EVERY_SECONDS = 0.02


async def until(ask: Callable[[], Awaitable[Found | None]], seconds: float, what: str) -> Found:
    """Ask until the answer is true in Python's sense, and give that answer. Raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := await ask():
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"in {seconds:g} seconds not seen: {what}")
        await asyncio.sleep(ASK_EVERY_SECONDS)
