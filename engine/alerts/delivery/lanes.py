"""One lane for each route: how many posts are under way, and until when its receiver is left alone."""

import asyncio
from collections.abc import Mapping
from typing import Final

from engine.alerts.delivery.endpoints import Endpoint
from engine.delivery.backoff import backoff_ms
from engine.delivery.posting import Posted

MAX_POSTS_PER_ROUTE: Final = 2
MAX_WAITING_PER_ROUTE: Final = 20
WAIT_SECONDS: Final = 3.0
"""So many messages wait for so long in this process for a post to end; others are put off."""

LONGEST_PAUSE_MS: Final = 60_000
"""A receiver in trouble is tried again by one message a minute at least, unless it asked for a longer pause."""

_SERVER_ERRORS: Final = 500
_TOO_MANY: Final = 429


class Lane:
    """A route that is sent on."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.paused_until_ms = 0
        self._room = asyncio.Semaphore(MAX_POSTS_PER_ROUTE)
        self._inside = 0
        self._failures = 0

    @property
    def is_full(self) -> bool:
        """Whether no more may wait; nobody waits while the receiver is in trouble, but for the one that tries it."""
        return self._inside >= (1 if self._failures else MAX_POSTS_PER_ROUTE + MAX_WAITING_PER_ROUTE)

    async def enter(self) -> bool:
        """Wait for room for a post; return whether there was any. Who got in has to `leave`."""
        self._inside += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._room.acquire()
        except TimeoutError:
            self._inside -= 1
            return False
        except asyncio.CancelledError:
            self._inside -= 1
            raise
        return True

    def leave(self, posted: Posted | None, now_ms: int, chance: float) -> None:
        """End a post: what came of it, if anything; all of a receiver that is in trouble wait."""
        self._inside -= 1
        self._room.release()
        if posted is None:
            return
        if not _is_trouble(posted):
            self._failures = 0
            return
        self._failures += 1
        pause_ms = min(backoff_ms(self._failures, chance), LONGEST_PAUSE_MS)
        asked_ms = round((posted.retry_after_s or 0) * 1_000)
        self.paused_until_ms = max(self.paused_until_ms, now_ms + max(pause_ms, asked_ms))


def _is_trouble(posted: Posted) -> bool:
    """Whether it is the receiver that is in trouble; an answer such as 400 may be about the one message."""
    if posted.outcome != "retry":
        return False
    return posted.status is None or posted.status >= _SERVER_ERRORS or posted.status == _TOO_MANY


class Lanes:
    """The lanes of the routes there are."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}

    def use(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Take over the routes of a rules file; what is known of a receiver stays if its URL does."""
        lanes = {}
        for name, endpoint in endpoints.items():
            lane = self._lanes.get(name)
            if lane is None or lane.endpoint.url != endpoint.url:
                lane = Lane(endpoint)
            lane.endpoint = endpoint
            lanes[name] = lane
        self._lanes = lanes

    def endpoints(self) -> list[Endpoint]:
        """List where is sent to."""
        return [lane.endpoint for lane in self._lanes.values()]

    def of(self, route: str) -> Lane | None:
        """Return the lane of a route, if there is such a route."""
        return self._lanes.get(route)
