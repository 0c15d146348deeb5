"""Receivers for tests: real servers on this machine, some of which do anything but answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """Where a receiver is, and what it was sent: heads in lower case, and bodies."""

    port: int
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    arrived: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret-path?key=secret-key"

    def header(self, name: str, place: int = -1) -> str:
        lines = self.heads[place].split("\r\n")[1:]
        return next(value.strip() for line in lines for key, _, value in [line.partition(":")] if key.lower() == name)


@asynccontextmanager
async def receiving(
    answer: Answer, *, host: str = "127.0.0.1", port: int = 0, tls: SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Serve; each connection is one request, and `answer` does what it wants with it."""
    receiver = Receiver(port)
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())  # type: ignore[arg-type]  # a handler runs in a task
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            receiver.heads.append(head)
            receiver.bodies.append(await reader.readexactly(int(receiver.header("content-length"))))
            receiver.arrived.put_nowait(receiver.bodies[-1])
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def saying(status: str, *headers: str, body: bytes = b"") -> Answer:
    """Answer at once and as it should be."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


def raw(*pieces: bytes, again: bytes = b"", stay: bool = False) -> Answer:
    """Send pieces, then one of them again for as long as anybody takes it, or stay without a word."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while again:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0)
        if stay:
            await asyncio.Event().wait()

    return answer
