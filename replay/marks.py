"""Marks: how far the input of each shard was worked off, and who may say so.

A shard is a part of the input that has one owner at a time. Owning is fenced by a count that grows with every claim and
every move: of all who believe that they own a shard, only the last to claim it can move its mark.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, cast

import msgspec

from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames

_CLAIM: Final = load_script("claim")
_MOVE: Final = load_script("move")


Written = Mapping[str, str]
"""Sessions and the token of the last write of each; nothing (`""`) for one that was withdrawn."""

_NOTHING: Final[Written] = {}


class Mark(msgspec.Struct, frozen=True):
    """Where an owner that starts anew has to read on in a shard.

    `offset` is the next one to read in the input `log`; `owner` and `count` say who moved or claimed the mark last, and
    how often that was done.
    """

    log: str
    offset: int
    owner: str
    count: int


class Claim(msgspec.Struct, frozen=True):
    """What a new owner gets: the count to make its first move from, and the mark as it was (`None`: never moved).

    `previous` is of the time before this claim: its `owner` is the one that was replaced.
    """

    count: int
    previous: Mark | None


class Marks(Protocol):
    """Where marks are kept. Each method may raise Unavailable; those that write may raise Saturated."""

    async def claim(self, shard: str, owner: str) -> Claim:
        """Become the owner of a shard: from now on nobody else's moves succeed.

        `owner` has to be a name nobody else uses, not even an earlier run of the same worker.
        """
        ...

    async def move(
        self, shard: str, owner: str, count: int, log: str, offset: int, written: Written = _NOTHING
    ) -> bool:
        """Set the mark, if `owner` still has it at `count`; the count is one higher then. Say whether that is so.

        Nor is it moved if something of `written` is not stored any more: a server that lost its last moments may have
        kept an older mark that alone looks right; a session that was deleted since counts as stored. In a cluster this
        is looked at just before, as far as that goes.
        The very same move again is answered with yes and changes nothing, as long as nothing was done in between.
        """
        ...

    async def holds(self, shard: str, owner: str, count: int) -> bool:
        """Say whether `owner` has the mark at `count`: then what was stored before its last move is still stored."""
        ...

    async def read(self, shard: str) -> Mark | None:
        """Read a mark; `None` if it was never moved."""
        ...


class RedisMarks:
    """`Marks` in Redis: one hash a shard, which does not expire. Keys and their contents: docs/redis.md."""

    def __init__(self, client: RedisClient, key_prefix: str) -> None:
        self._client = client
        self._names = KeyNames(key_prefix)

    async def claim(self, shard: str, owner: str) -> Claim:
        """Become the owner of a shard; see `Marks.claim`."""
        # The client repeats a call whose reply was lost: by the token the second is known for the same claim.
        call = Call(_CLAIM, (self._names.mark(shard),), (owner, uuid.uuid4().hex))
        count, *previous = cast("list[bytes | None]", await self._client.run(call, "mark"))
        return Claim(int(count or 0), _mark(previous))

    async def move(
        self, shard: str, owner: str, count: int, log: str, offset: int, written: Written = _NOTHING
    ) -> bool:
        """Set the mark; see `Marks.move`."""
        metas = [self._names.session(session_id).meta for session_id in written]
        tokens = list(written.values())
        if self._client.is_cluster:
            # A script may only look at keys of one slot.
            if not await self._are_stored(metas, tokens):
                return False
            metas, tokens = [], []
        call = Call(_MOVE, (self._names.mark(shard), *metas), (owner, count, log, offset, *tokens))
        return await self._client.run(call, "mark") == 1

    async def _are_stored(self, metas: Sequence[str], tokens: Sequence[str]) -> bool:
        calls = [Call("HMGET", (meta,), ("token", "withdrawn")) for meta in metas]
        replies = cast("list[list[bytes | None]]", await self._client.run_many(calls, "mark", in_order=False))
        return all(
            withdrawn is not None or (token and stored == token.encode())
            for token, (stored, withdrawn) in zip(tokens, replies, strict=True)
        )

    async def holds(self, shard: str, owner: str, count: int) -> bool:
        """Say whether somebody has the mark; see `Marks.holds`."""
        call = Call("HMGET", (self._names.mark(shard),), ("owner", "count"))
        found = cast("list[bytes | None]", await self._client.run(call, "mark"))
        return found == [owner.encode(), b"%d" % count]

    async def read(self, shard: str) -> Mark | None:
        """Read a mark; see `Marks.read`."""
        call = Call("HMGET", (self._names.mark(shard),), ("log", "offset", "owner", "count"))
        return _mark(cast("list[bytes | None]", await self._client.run(call, "mark")))


def _mark(fields: list[bytes | None]) -> Mark | None:
    log, offset, owner, count = fields
    if log is None or offset is None or owner is None or count is None:
        return None
    return Mark(log.decode(), int(offset), owner.decode(), int(count))
