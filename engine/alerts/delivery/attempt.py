"""One attempt to send one message: links, body, signature, post."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from engine.alerts.delivery.bodies import body_of
from engine.alerts.delivery.endpoints import Endpoint
from engine.alerts.delivery.links import Links, Shown
from engine.alerts.delivery.outbox import Entry
from engine.alerts.delivery.told import News
from engine.delivery.posting import Posted, Poster
from engine.delivery.webhook import sign
from replay.errors import StoreError

TOO_LATE: Final = Posted("retry", note="Redis took too long before it could be sent")


class Attempt(NamedTuple):
    """What came of an attempt, the entry with the links that were made for it, and how long the post took."""

    posted: Posted
    entry: Entry
    seconds: float


class Attempter:
    """Sends messages, once each time it is asked."""

    def __init__(self, poster: Poster, links: Links, clock_ms: Callable[[], int]) -> None:
        self._poster = poster
        self._links = links
        self._clock_ms = clock_ms

    async def send(
        self, endpoint: Endpoint, entry: Entry, *, messages_left_out: int = 0, until_ms: int | None = None
    ) -> Attempt:
        """Send a message on its route, if it can be answered before `until_ms` (epoch ms): then another may hold it."""
        message, route = entry.message, endpoint.route
        # Links to share are made for what fires; that it is over needs no more of them.
        may_share = message.state == "firing"
        try:
            shown = await self._links.make(message.alert, route, entry.links, may_share=may_share)
        except StoreError:
            # Whether its sessions were deleted cannot be told, so none is named; the alert cannot wait.
            shown = Shown(msgspec.structs.replace(message.alert, moments=[]), [])
        news = News(
            route.name, message.state, shown.alert, shown.links, None, messages_left_out, self._links.public_url
        )
        body = body_of(route.kind, news)
        if until_ms is not None and self._clock_ms() + route.timeout_ms > until_ms:
            return Attempt(TOO_LATE, msgspec.structs.replace(entry, links=shown.links or None), 0.0)
        started = time.perf_counter()
        posted = await self._poster.post(
            endpoint.url, body, self._headers(endpoint, message.id, body), endpoint.allow,
            timeout_s=route.timeout_ms / 1_000,
        )  # fmt: skip
        return Attempt(posted, msgspec.structs.replace(entry, links=shown.links or None), time.perf_counter() - started)

    def _headers(self, endpoint: Endpoint, message_id: str, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        if endpoint.secrets:
            headers |= sign(endpoint.secrets, message_id, self._clock_ms() // 1_000, body)
        if endpoint.authorization:
            headers["authorization"] = endpoint.authorization
        return headers
