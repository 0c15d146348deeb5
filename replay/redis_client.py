"""Talking to Redis: scripts, pipelines, and errors in our four kinds."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    NoScriptError,
    OutOfMemoryError,
    RedisError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from replay.errors import Broken, Saturated, StoreError, Unavailable

Argument = bytes | str | int | float
Reply = bytes | str | int | float | None | list["Reply"] | dict[bytes, bytes] | set[bytes]

MAX_PIPELINE: Final = 200
"""Commands sent at once: enough to hide the round trip, few enough not to hold the server for long."""

_RETRIES: Final = 3
"""How often redis-py repeats what got no reply, before the caller is told; half a second in all."""

_REPLY_SECONDS: Final = 10.0
_CONNECT_SECONDS: Final = 5.0

_PASSING: Final = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOAUTH", "NOREPLICAS")
"""Refusals that a failover, a restart or an operator ends."""


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


def translate(error: Exception) -> StoreError:
    """Say which of the four kinds an error of redis-py is."""
    text = str(error)
    # Inside a script, older servers wrap the refusal into an error of the script.
    if isinstance(error, OutOfMemoryError) or "OOM command not allowed" in text:
        return Saturated("Redis is out of memory")
    if isinstance(error, RedisConnectionError | RedisTimeoutError | AuthenticationError | OSError):
        return Unavailable(f"Redis cannot be reached: {type(error).__name__}")
    if text.startswith(_PASSING) or any(f"-{code}" in text for code in _PASSING):
        return Unavailable(f"Redis refuses for now: {text.split(' ', 1)[0]}")
    return Broken(f"Redis rejected a command: {type(error).__name__}")


def connect(url: str) -> "RedisClient":
    """Make a client of `redis://`, `rediss://` or `unix://`; `redis+cluster://` and `rediss+cluster://` find a cluster.

    Connections are opened when first needed. Raises ValueError if the URL is none of these.
    """
    scheme, _, rest = url.partition("://")
    if scheme.endswith("+cluster"):
        return RedisClient(RedisCluster.from_url(f"{scheme.removesuffix('+cluster')}://{rest}", **_options()))
    return RedisClient(Redis.from_url(url, **_options()))


def _options() -> Any:  # noqa: ANN401 - redis-py takes them as untyped keywords
    return {
        "protocol": 2,
        "retry": Retry(ExponentialBackoff(base=0.05, cap=1.0), _RETRIES),
        "socket_timeout": _REPLY_SECONDS,
        "socket_connect_timeout": _CONNECT_SECONDS,
    }


class RedisClient:
    """Runs calls in pipelines. Each call must bear being carried out twice: redis-py repeats what got no reply."""

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self._redis = redis

    async def run(self, call: Call) -> Reply:
        """Run one call. Raises Saturated, Unavailable or Broken."""
        return (await self.run_many([call]))[0]

    async def run_many(self, calls: Sequence[Call]) -> list[Reply]:
        """Run calls in their order, giving their replies; after one that failed the others are run all the same.

        Raises Saturated, Unavailable or Broken for the first that failed.
        """
        replies: list[Reply] = []
        for start in range(0, len(calls), MAX_PIPELINE):
            replies += await self._run_chunk(calls[start : start + MAX_PIPELINE])
        return replies

    async def _run_chunk(self, calls: Sequence[Call]) -> list[Reply]:
        replies = await self._execute([_by_digest(call) for call in calls])
        unknown = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            again = await self._execute([_by_text(calls[place]) for place in unknown])
            for place, reply in zip(unknown, again, strict=True):
                replies[place] = reply
        return [_checked(reply) for reply in replies]

    async def _execute(self, commands: Sequence[Sequence[Argument]]) -> list[Reply | Exception]:
        pipeline = self._redis.pipeline(transaction=False)
        try:
            for command in commands:
                pipeline.execute_command(*command)
            replies: list[Reply | Exception] = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise translate(error) from error
        return replies

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose()


def _checked(reply: Reply | Exception) -> Reply:
    if isinstance(reply, Exception):
        raise translate(reply) from reply
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
