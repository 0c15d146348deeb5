"""What request handlers work with: one object, made once, handed to every `routes(services)`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from replay.receipts import Readers
from replay.redis_client import RedisClient
from replay.redis_keys import KeyNames
from replay.redis_store import RedisStore, wall_clock_ms
from replay.server.operations import Operations, Silent
from replay.store import StoreSettings
from replay.summary.model import Rephraser
from replay.tombstones import Removed

TellDeleted = Callable[[Sequence[Removed]], Awaitable[None]]
"""Tells readers outside Redis of deleted sessions. Raises Unavailable if they cannot be told."""

OpenReaders = Callable[[], AbstractAsyncContextManager[TellDeleted]]
"""Makes contact with those readers before anything is deleted. Raises Unavailable if there is none."""

KnownAs = Callable[[str, str], Sequence[str]]
"""Lists the ids a user of a project (`""`: of any) may be stored under, from the id as it was sent."""


async def _tell_nobody(_: Sequence[Removed]) -> None:
    """Tell nobody: there are no readers outside."""


@asynccontextmanager
async def no_readers() -> AsyncIterator[TellDeleted]:
    """Make contact with nobody."""
    yield _tell_nobody


ReplaySources = Callable[[str], Sequence[str]]
"""Lists the origins that replays of a project may load pictures, fonts, media and style sheets from."""


def from_nowhere(_: str) -> Sequence[str]:
    """Let replays load nothing."""
    return ()


def only_as_sent(_: str, user: str) -> Sequence[str]:
    """Know a user by the id that was sent only."""
    return (user,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The store and the Redis below it, for reads of one's own; `settings` are the store's.

    `reasons` maps reason codes to sentences. `clock_ms` is the wall clock (epoch ms); handlers read no other.
    `stopping` is set when the server is to end: streams without an end of their own end then. `open_readers` reaches
    those who are to be told of deletions, and `readers` is what a receipt says of them. `rephraser` is the
    installation's language model, if it has one.
    """

    store: RedisStore
    redis: RedisClient
    settings: StoreSettings
    reasons: Mapping[str, str]
    clock_ms: Callable[[], int] = wall_clock_ms
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    operations: Operations = field(default_factory=Silent)
    open_readers: OpenReaders = no_readers
    readers: Readers = field(default_factory=Readers)
    known_as: KnownAs = only_as_sent
    replay_sources: ReplaySources = from_nowhere
    rephraser: Rephraser | None = None

    @property
    def names(self) -> KeyNames:
        """Name keys of this installation."""
        return KeyNames(self.settings.key_prefix)
