"""Sending bundles: only to those who may, only what they lack, never more than memory holds, and never cut short."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from replay.bundle_reads import OpenBundle, open_bundle
from replay.errors import StoreError, Unavailable
from replay.pieces import Pieces, gather
from replay.room import Room
from replay.server.access import access_of
from replay.server.endpoints import path_id
from replay.server.negotiation import is_current
from replay.server.operations import Operations
from replay.server.problems import NotFound
from replay.server.services import Services

MAX_HELD_BYTES: Final = 128 << 20
"""Bytes that all answers of a kind (events, whole bundles) under way hold together."""

ROOM_WAIT_SECONDS: Final = 5.0

STALL_SECONDS: Final = 30.0
"""How long a client may take nothing at all. Stored data that was replaced meanwhile is kept for twice as long."""

LEAST_BYTES_PER_SECOND: Final = 16 << 10
"""How fast a client has to take a bundle on the whole, after the first moments."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose events an answer shows, for the audit log."""

    project_id: str
    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What is to be sent: its pieces, their length (bytes) if it is known before, its entity tag and its type."""

    pieces: Pieces
    tag: str
    media_type: str
    length: int | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Make = Callable[[OpenBundle], Body | Response]
"""Decides what to send of a bundle, or what to say instead. It starts no reading."""


class Delivery(Response):
    """An answer in pieces.

    It ends early, and visibly so (without its last chunk, or with less than its length), when reading fails, or when
    the client takes nothing for `stall_seconds` or on the whole is slower than `least_bytes_per_second` (0: as slow as
    it likes). When the client leaves, reading ends.
    """

    def __init__(
        self,
        pieces: Pieces,
        status: int,
        headers: Mapping[str, str],
        operations: Operations,
        *,
        stall_seconds: float = STALL_SECONDS,
        least_bytes_per_second: float = LEAST_BYTES_PER_SECOND,
    ) -> None:
        super().__init__(None, status, headers=headers)
        if "content-length" not in headers:
            del self.headers["content-length"]
        self._pieces = pieces
        self._stall_seconds = stall_seconds
        self._least_bytes_per_second = least_bytes_per_second
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; a HEAD request gets no pieces."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await self._pieces.aclose()
            await send({"type": "http.response.body", "body": b""})
            return
        sending = asyncio.ensure_future(self._send_all(send))
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send_all(self, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        patience = Patience(self._stall_seconds, self._least_bytes_per_second, clock())
        async with aclosing(self._pieces):
            try:
                async for piece in self._pieces:
                    async with asyncio.timeout(patience.seconds(len(piece), clock())):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                    await asyncio.sleep(0)  # let others have their turn, and see whether the client is still there
            except (StoreError, TimeoutError) as error:
                # No last chunk: a server then closes the connection, and the client knows that something is missing.
                self._operations.broken_off("stalled" if isinstance(error, TimeoutError) else "unreadable")
                return
        await send({"type": "http.response.body", "body": b""})


class Patience:
    """How long is waited for a client to take what it is sent. Times are seconds, of a clock that is an argument."""

    def __init__(self, stall_seconds: float, least_bytes_per_second: float, now: float) -> None:
        self._stall_seconds = stall_seconds
        self._least_bytes_per_second = least_bytes_per_second
        self._ends_at = now + stall_seconds

    def seconds(self, size: int, now: float) -> float:
        """Say how long may be waited for so many bytes to be taken; called before each is sent."""
        if not self._least_bytes_per_second:
            return self._stall_seconds
        self._ends_at += size / self._least_bytes_per_second
        return min(self._stall_seconds, self._ends_at - now)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Deliverer:
    """Answers requests for what bundles hold."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.room = Room(MAX_HELD_BYTES, ROOM_WAIT_SECONDS)

    async def deliver(self, request: Request, make: Make) -> Response:
        """Answer with what `make` decides to send.

        Where the bundle was compacted between reading its index and its data, the index is read once more. Raises
        NotFound for a session that is not there or out of reach; Unavailable, Saturated and what `make` raises.
        """
        try:
            return await self._deliver(request, make)
        except Unavailable:
            return await self._deliver(request, make)

    async def _deliver(self, request: Request, make: Make) -> Response:
        body = make(await self._open(request))
        if isinstance(body, Response):
            return body
        headers = {"etag": body.tag, "vary": "Accept-Encoding", **body.headers}
        if is_current(request.headers.get("if-none-match", ""), body.tag):
            return Response(None, 304, headers=headers)
        headers["content-type"] = body.media_type
        if body.length is not None:
            headers["content-length"] = str(body.length)
        pieces = body.pieces if request.method == "HEAD" else await begin(gather(body.pieces))
        return Delivery(pieces, body.status, headers, self._services.operations)

    async def _open(self, request: Request) -> OpenBundle:
        """Read a bundle's index, if the request may see it: its project is told by the same read."""
        session_id = path_id(request, "session_id")
        access = access_of(request)
        bundle = await open_bundle(self._services.redis, self._services.names, session_id)
        if bundle is None or not access.reaches(bundle.project_id) or access.session_id not in {"", session_id}:
            raise NotFound("there is no such session; its explain may say why")
        request.state.record = Seen(bundle.project_id, session_id)
        return bundle


async def begin(pieces: Pieces) -> Pieces:
    """Read the first piece now: until it is there, it is not too late for another answer. Raises what that raises."""
    return _resumed(await anext(pieces, b""), pieces)


async def _resumed(first: bytes, pieces: Pieces) -> Pieces:
    async with aclosing(pieces):
        if first:
            yield first
        async for piece in pieces:
            yield piece
