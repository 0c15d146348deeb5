"""Stands between workers and Redis, and loses replies: what was asked for is done, and nobody is told."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

CHUNK_BYTES = 1 << 16
WRITES = (b"EVALSHA", b"EVAL")


class CuttingProxy:
    """Forwards to a port on loopback; use it with `async with`. `cut` loses replies, `cuts` counts them."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.cuts = 0
        self._target_port = target_port
        self._left = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def cut(self, count: int) -> None:
        """Lose the next so many replies to scripts, each with its connection."""
        self._left += count

    def cut_no_more(self) -> None:
        """Lose no more, also of those that were announced."""
        self._left = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._serve(reader, writer)
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        connection = _Connection()
        pumps = [
            asyncio.create_task(self._forward(reader, up_writer, connection)),
            asyncio.create_task(self._answer(up_reader, writer, connection)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            up_writer.close()

    async def _forward(
        self, reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter, connection: "_Connection"
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            connection.has_asked = connection.has_asked or any(word in data for word in WRITES)
            up_writer.write(data)
            await up_writer.drain()

    async def _answer(
        self, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: "_Connection"
    ) -> None:
        while data := await up_reader.read(CHUNK_BYTES):
            if self._left and connection.has_asked and not data.startswith(b"-NOSCRIPT"):
                self._left -= 1
                self.cuts += 1
                return
            connection.has_asked = False
            writer.write(data)
            await writer.drain()


class _Connection:
    """Whether a script was asked for since the last answer."""

    def __init__(self) -> None:
        self.has_asked = False
