"""Room in memory for all who read at the same time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from replay.errors import Saturated

Hold = Callable[[int], AbstractAsyncContextManager[None]]
"""Holds so many bytes (or places) for a while. Raises Saturated when there is no room for them."""


class Room:
    """What all who read may hold at the same time (bytes, or places), and a quarter each; the slow would fill it."""

    def __init__(self, total: int, wait_seconds: float) -> None:
        self._free = total
        self._share = total // 4
        self._held: dict[str, int] = {}
        self._wait_seconds = wait_seconds
        self._changed = asyncio.Condition()

    def of(self, who: str) -> Hold:
        """Make what somebody holds bytes by."""
        return partial(self._take, who)

    @asynccontextmanager
    async def _take(self, who: str, size: int) -> AsyncGenerator[None, None]:
        size = min(size, self._share)
        async with self._changed:
            try:
                async with asyncio.timeout(self._wait_seconds):
                    await self._changed.wait_for(lambda: self._fits(who, size))
            except TimeoutError:
                raise Saturated("too much is being read at this moment; try again") from None
            self._change(who, size)
        try:
            yield
        finally:
            self._change(who, -size)
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, who: str, size: int) -> bool:
        return size <= min(self._free, self._share - self._held.get(who, 0))

    def _change(self, who: str, size: int) -> None:
        self._free -= size
        held = self._held.pop(who, 0) + size
        if held:
            self._held[who] = held
