"""Following what grows: one task asks Redis for all that is followed, however many follow it.

Nothing waits inside Redis: a follower costs it nothing, a thing that is followed one short command a second.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import msgspec

from replay.api.types_live import Dropped, DropReason
from replay.errors import StoreError
from replay.redis_client import Call, RedisClient, Reply

POLL_SECONDS: Final = 1.0
"""How often is asked for news."""

HEARTBEAT_SECONDS: Final = 15.0
"""How long a follower hears nothing: less than proxies keep a silent connection."""

MAX_FOLLOW_SECONDS: Final = 900.0
"""How long a stream lasts: then who follows has to show again that they may."""

MAX_FOLLOWERS: Final = 500
"""Followers at a time: half of the connections a server takes by default, so that others are still answered."""

MAX_NEWS: Final = 500
"""Messages told at once; what is more than that waits for the next time."""

MAX_WAITING: Final = 2 * MAX_NEWS
"""Messages that wait for a slow follower, before it is dropped."""

HEARTBEAT: Final = b":\n\n"


class TooManyFollowersError(Exception):
    """Nobody else can follow now."""


class NothingMoreError(Exception):
    """What is followed has ended, and all of it was heard."""


def encode_message(event: str, data: bytes, event_id: str = "") -> bytes:
    """Write a server-sent event; `data` is JSON without newlines."""
    named = f"id: {event_id}\nevent: {event}\n" if event_id else f"event: {event}\n"
    return named.encode() + b"data: " + data + b"\n\n"


class News(msgspec.Struct, frozen=True):
    """What is to be told to all followers of a thing, and whether that is the end."""

    messages: Sequence[bytes] = ()
    is_end: bool = False


class Follower:
    """One who follows: messages wait here until they are taken."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._news = asyncio.Event()
        self._is_closed = False
        self.is_too_slow = False

    def hear(self, news: News) -> None:
        """Let messages wait; if these are too many, drop the follower."""
        if self._is_closed:
            return
        if len(self._waiting) + len(news.messages) > MAX_WAITING:
            self.drop("too_slow")
            return
        self._waiting += news.messages
        self._news.set()
        if news.is_end:
            self.close()

    def drop(self, reason: DropReason) -> None:
        """Tell the follower that this is the end, and why; what waits is left out where there is too much of it."""
        if self._is_closed:
            return
        if reason == "too_slow":
            self.is_too_slow = True
            self._waiting.clear()
        self._waiting.append(encode_message("dropped", msgspec.json.encode(Dropped(reason))))
        self.close()

    def close(self) -> None:
        """Let the stream end after what waits."""
        self._is_closed = True
        self._news.set()

    async def messages(self, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> AsyncIterator[bytes]:
        """Give messages as they come, all that wait at once, and a sign of life while none do."""
        ends_at = asyncio.get_running_loop().time() + MAX_FOLLOW_SECONDS
        while True:
            if self._waiting:
                waiting = b"".join(self._waiting)
                self._waiting.clear()
                yield waiting
                continue
            if self._is_closed:
                return
            if asyncio.get_running_loop().time() >= ends_at:
                self.drop("renew")
                continue
            self._news.clear()
            try:
                async with asyncio.timeout(heartbeat_seconds):
                    await self._news.wait()
            except TimeoutError:
                yield HEARTBEAT


class Topic(Protocol):
    """A thing that is followed."""

    async def greet(self, last_id: str) -> News:
        """Read how things stand; give what one who heard `last_id` last (empty: nothing) has to be told.

        Afterwards `news` tells what changes from there on.
        """
        ...

    def call(self) -> Call:
        """Make the command by which is seen whether there is news."""
        ...

    async def news(self, reply: Reply) -> News:
        """Make of its reply what followers have to be told; it may read more."""
        ...


class Hub:
    """Brings topics and followers together."""

    def __init__(self, redis: RedisClient, stopping: asyncio.Event, poll_seconds: float = POLL_SECONDS) -> None:
        self._redis = redis
        self._stopping = stopping
        self._poll_seconds = poll_seconds
        self._topics: dict[str, tuple[Topic, set[Follower]]] = {}
        self._task: asyncio.Task[None] | None = None
        # Who joins reads how things stand; nothing is told to others in between, so that nothing is missed or doubled.
        self._lock = asyncio.Lock()

    @property
    def followers(self) -> int:
        """Count those who follow."""
        return sum(len(followers) for _, followers in self._topics.values())

    @asynccontextmanager
    async def following(self, name: str, topic: Topic, last_id: str) -> AsyncIterator[Follower]:
        """Follow a topic, or the one that is followed under this name already.

        Raises TooManyFollowersError, NothingMoreError, and what the topic raises.
        """
        follower = Follower()
        async with self._lock:
            if self.followers >= MAX_FOLLOWERS or self._stopping.is_set():
                raise TooManyFollowersError("too many follow something already; try again later")
            known, followers = self._topics.get(name, (topic, set()))
            greeting = await known.greet(last_id)
            if greeting.is_end and not greeting.messages:
                raise NothingMoreError
            follower.hear(greeting)
            followers.add(follower)
            self._topics[name] = known, followers
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._tell())
        try:
            yield follower
        finally:
            followers.discard(follower)
            if not followers and self._topics.get(name, (None, None))[1] is followers:
                del self._topics[name]

    async def _tell(self) -> None:
        reason: DropReason = "failed"
        try:
            while self._topics:
                if await self._is_stopping():
                    reason = "stopping"
                    return
                try:
                    await self._ask()
                except StoreError:
                    continue  # followers stay, and are told when Redis is there again
        finally:
            for _, followers in self._topics.values():
                for follower in followers:
                    follower.drop(reason)

    async def _is_stopping(self) -> bool:
        """Wait until it is time to ask again, or to stop."""
        try:
            async with asyncio.timeout(self._poll_seconds):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _ask(self) -> None:
        async with self._lock:
            topics = list(self._topics.values())
            replies = await self._redis.run_many([topic.call() for topic, _ in topics], in_order=False)
            asked = [topic.news(reply) for (topic, _), reply in zip(topics, replies, strict=True)]
            told = await asyncio.gather(*asked, return_exceptions=True)
            for (_, followers), news in zip(topics, told, strict=True):
                if isinstance(news, StoreError):
                    continue  # what is not told now is told the next time; others are not to wait for it
                if isinstance(news, BaseException):
                    raise news
                for follower in followers:
                    follower.hear(news)
