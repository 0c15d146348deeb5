"""A receiver of webhooks that remembers what came, and when."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiohttp import web

from tests.servers.process import free_port

SECRET = "whsec_" + "c2VjcmV0" * 6


class Got(NamedTuple):
    """One message: when it came (seconds, monotonic), its id, whether it fires, and what it is about."""

    at_s: float
    message_id: str
    state: str
    project_id: str
    value: str


class Receiver:
    """Answers 200 to everything."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[Got] = []
        self._news = asyncio.Condition()

    async def answer(self, request: web.Request) -> web.Response:
        at_s = time.monotonic()
        body = json.loads(await request.read())
        alert = body["data"]["alert"]
        state = body["type"].removeprefix("alert.")
        got = Got(at_s, request.headers["webhook-id"], state, alert["project_id"], alert["key"]["value"])
        async with self._news:
            self.got.append(got)
            self._news.notify_all()
        return web.Response()

    async def hears(self, value: str, seconds: float, state: str = "firing") -> Got:
        """Wait for a message about a page. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._news:
            while True:
                for got in self.got:
                    if (got.value, got.state) == (value, state):
                        return got
                await self._news.wait()

    def rules(self) -> str:
        """Write the route to here; the secret is in the file `secret` beside the rules."""
        return (
            f'[[routes]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:{self.port}/"\nlinks = "none"\n'
            'allow_hosts = ["127.0.0.1"]\nmax_per_minute = 100000\n'
        )


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver(free_port())
    app = web.Application()
    app.router.add_post("/", receiver.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", receiver.port).start()
    try:
        yield receiver
    finally:
        await runner.cleanup()
