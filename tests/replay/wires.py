"""Looking into a Redis, and standing between it and its clients."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.servers.redis_server import FoundRedis


async def dump(redis: Any) -> dict[bytes, Any]:
    """Everything in the database, without times to live."""
    content: dict[bytes, Any] = {}
    for key in await redis.keys():
        kind = await redis.type(key)
        readers = {b"string": redis.get, b"hash": redis.hgetall, b"set": redis.smembers}
        if kind == b"list":
            content[key] = await redis.lrange(key, 0, -1)
        elif kind == b"zset":
            content[key] = await redis.zrange(key, 0, -1, withscores=True)
        elif kind == b"stream":
            content[key] = await redis.xrange(key)
        else:
            content[key] = await readers[kind](key)
    return content


class CutWire:
    """A proxy that forwards every request and loses the first reply to a script: the client cannot know and asks anew.

    `between` is done when the reply is lost, before the client asks again.
    """

    def __init__(self, target_port: int, between: Callable[[], Awaitable[object]] | None) -> None:
        self.url = ""
        self.lost = 0
        self._target_port = target_port
        self._between = between

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        try:
            while request := await reader.read(1 << 20):
                up_writer.write(request)
                reply = await up_reader.read(1 << 20)
                if b"EVAL" in request and not self.lost and not reply.startswith(b"-NOSCRIPT"):
                    self.lost += 1
                    if self._between is not None:
                        await self._between()
                    return
                writer.write(reply)
        finally:
            up_writer.close()
            writer.close()


@asynccontextmanager
async def losing_replies(
    server: FoundRedis, between: Callable[[], Awaitable[object]] | None = None
) -> AsyncIterator[CutWire]:
    """Stand in front of a server."""
    wire = CutWire(server.port, between)
    proxy = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    wire.url = f"redis://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        proxy.close()
        await proxy.wait_closed()
