"""Talking to Redis: scripts, pipelines, and errors in our four kinds."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from importlib.resources import files
from typing import Any, Final, Literal, NamedTuple, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoScriptError

from replay.redis_access import Access, login_options, tls_options
from replay.redis_errors import FAILURES, translate

Argument = bytes | str | int | float
Reply = bytes | str | int | float | None | list["Reply"] | dict[bytes, bytes] | set[bytes]

Operation = Literal["load", "write", "list", "mark", "read"]
"""What a call is for: an owner's loads and writes of sessions, what lies outside them, marks, or all other reading."""

MAX_PIPELINE: Final = 200
"""Commands sent at once: enough to hide the round trip, few enough not to hold the server for long."""

MAX_PIPELINE_BYTES: Final = 4 << 20
"""Bytes sent at once, unless one call alone has more: blocks of a busy session are large."""

MAX_PIPELINES: Final = 4
"""Pipelines of one client under way at a time: the server works on one while the next is being packed."""

_SCAN_AT_ONCE: Final = 1_000

_RETRIES: Final = 3
"""How often redis-py repeats what got no reply, before the caller is told; half a second in all."""

_REPLY_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 5.0

_NO_ACCESS: Final = Access()


class Script(NamedTuple):
    """A Lua script and the SHA-1 by which the server knows it."""

    text: str
    digest: str


def load_script(name: str) -> Script:
    """Read `replay/lua/NAME.lua`."""
    text = files("replay").joinpath("lua", f"{name}.lua").read_text("utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class Call(NamedTuple):
    """One command, or one script with its keys."""

    command: str | Script
    keys: tuple[str, ...]
    arguments: Sequence[Argument] = ()

    def size(self) -> int:
        """Count the bytes of its arguments, numbers left out."""
        return sum([len(argument) for argument in self.arguments if not isinstance(argument, (int, float))])


class Observer(Protocol):
    """Who wants to know how Redis is used."""

    def called(self, operation: Operation, seconds: float, sent_bytes: int) -> None:
        """Take note of a pipeline that was answered, be it with refusals.

        `seconds` includes repetitions and the wait for a connection; `sent_bytes` counts arguments, each once.
        """
        ...


def connect(url: str, access: Access = _NO_ACCESS, observer: Observer | None = None) -> "RedisClient":
    """Make a client of `redis://`, `rediss://` or `unix://`; `redis+cluster://` and `rediss+cluster://` find a cluster.

    Connections are opened when first needed. Raises ValueError if the URL is none of these, or files for TLS cannot be
    used.
    """
    scheme, _, rest = url.partition("://")
    options = _options() | login_options(access)
    if scheme.startswith("rediss"):
        options |= tls_options(access)
    if scheme.endswith("+cluster"):
        cluster = RedisCluster.from_url(f"{scheme.removesuffix('+cluster')}://{rest}", **options)
        return RedisClient(cluster, observer)
    return RedisClient(Redis.from_url(url, **options), observer)


def _options() -> dict[str, Any]:
    return {
        "protocol": 2,
        "retry": Retry(ExponentialBackoff(base=0.05, cap=1.0), _RETRIES),
        "socket_timeout": _REPLY_SECONDS,
        "socket_connect_timeout": _CONNECT_SECONDS,
    }


class RedisClient:
    """Runs calls in pipelines. Each call must bear being carried out twice: redis-py repeats what got no reply."""

    def __init__(self, redis: Redis | RedisCluster, observer: Observer | None = None) -> None:
        self._redis = redis
        self._observer = observer
        self._free = asyncio.Semaphore(MAX_PIPELINES)

    @property
    def is_cluster(self) -> bool:
        """Whether this is a cluster: one script may only touch keys of one slot."""
        return isinstance(self._redis, RedisCluster)

    async def run(self, call: Call, operation: Operation = "read") -> Reply:
        """Run one call. Raises Saturated, Unavailable or Broken."""
        return (await self.run_many([call], operation))[0]

    async def run_many(
        self, calls: Sequence[Call], operation: Operation = "read", *, in_order: bool = True
    ) -> list[Reply]:
        """Run calls, giving their replies; after one that failed others may be run all the same.

        They are run in their order, or, with `in_order` false, several pipelines of them at the same time. Raises
        Saturated, Unavailable or Broken for the first that failed.
        """
        chunks = list(_chunks(calls))
        if in_order or len(chunks) <= 1:
            return [reply for chunk in chunks for reply in await self._run_chunk(chunk, operation)]
        # All of them end before an error is told: nothing is left under way.
        running = [self._run_chunk(chunk, operation) for chunk in chunks]
        replies: list[Reply] = []
        for done in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
            replies += done
        return replies

    async def _run_chunk(self, chunk: "_Chunk", operation: Operation) -> list[Reply]:
        started = time.perf_counter()
        async with self._free:
            replies = await self._replies(chunk.calls)
        if self._observer is not None:
            self._observer.called(operation, time.perf_counter() - started, chunk.size)
        return [_checked(reply) for reply in replies]

    async def _replies(self, calls: Sequence[Call]) -> list[Reply | Exception]:
        replies = await self._execute([_by_digest(call) for call in calls])
        unknown = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            again = await self._execute([_by_text(calls[place]) for place in unknown])
            for place, reply in zip(unknown, again, strict=True):
                replies[place] = reply
        return replies

    async def _execute(self, commands: Sequence[Sequence[Argument]]) -> list[Reply | Exception]:
        pipeline = self._redis.pipeline(transaction=False)
        cancels = _cancels()
        try:
            for command in commands:
                pipeline.execute_command(*command)
            replies: list[Reply | Exception] = await pipeline.execute(raise_on_error=False)
        except FAILURES as error:
            _raise_lost(cancels)
            # What redis-py and the server say may quote arguments, so it is not handed on.
            raise translate(error) from None
        _raise_lost(cancels)
        return replies

    async def scan(self, pattern: str) -> AsyncIterator[bytes]:
        """Give the names of all keys like `pattern`, of all nodes of a cluster, some maybe twice.

        A key that is there from the start to the end is among them. Raises Unavailable or Broken.
        """
        try:
            async for key in self._redis.scan_iter(match=pattern, count=_SCAN_AT_ONCE):
                yield key
        except FAILURES as error:
            raise translate(error) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose()


def _cancels() -> int:
    """Count how often what is running was cancelled."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _raise_lost(cancels: int) -> None:
    """Be cancelled after all, if that was asked for since `cancels` were counted.

    redis-py writes by `asyncio.wait_for`, which up to Python 3.11 loses a cancellation that comes as the writing ends
    (https://github.com/python/cpython/issues/86296): who is told to end would go on for ever.
    """
    if _cancels() > cancels:
        raise asyncio.CancelledError


class _Chunk(NamedTuple):
    """Calls of one pipeline, and the bytes of their arguments."""

    calls: Sequence[Call]
    size: int


def _chunks(calls: Sequence[Call]) -> Iterator[_Chunk]:
    start = size = 0
    for place, call in enumerate(calls):
        call_size = call.size()
        if place > start and (place - start >= MAX_PIPELINE or size + call_size > MAX_PIPELINE_BYTES):
            yield _Chunk(calls[start:place], size)
            start, size = place, 0
        size += call_size
    if calls:
        yield _Chunk(calls[start:], size)


def _checked(reply: Reply | Exception) -> Reply:
    if isinstance(reply, Exception):
        raise translate(reply) from None
    return reply


def _by_digest(call: Call) -> Sequence[Argument]:
    if isinstance(call.command, Script):
        return ("EVALSHA", call.command.digest, len(call.keys), *call.keys, *call.arguments)
    return (call.command, *call.keys, *call.arguments)


def _by_text(call: Call) -> Sequence[Argument]:
    """Send the script itself; the server knows it from then on."""
    if isinstance(call.command, Script):
        return ("EVAL", call.command.text, len(call.keys), *call.keys, *call.arguments)
    return _by_digest(call)
