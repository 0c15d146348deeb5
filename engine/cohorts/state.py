"""What is known of a cohort, in Redis: its members, what is to be sent, and who may change that."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.resources import files
from typing import Final, Literal, NamedTuple, cast

import msgspec

from engine.cohorts.events import Source
from engine.cohorts.membership import Member, due_event
from replay.names import encode_name
from replay.redis_client import Argument, Call, RedisClient, Script

LEASE_MS: Final = 60_000
"""How long an owner that died is waited for; whoever works renews it."""

KEPT_MS: Final = 90 * 86_400_000
"""How long the state of a cohort is kept that nobody runs any more."""

NUMBERS_IN_A_MS: Final = 1_000
"""Changes are numbered from here on by the time, so that no number comes again if the state was lost."""

_AT_ONCE: Final = 500

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Member).decode


class NotOwnerError(Exception):
    """Another process has taken the cohort over; whatever this one wanted to write was not written."""


class CohortKeys(NamedTuple):
    """Keys of one cohort, in one slot of a cluster with all others of its project.

    `meta` is a hash: owner, numbers, the batch that is being sent. `members` is a hash, user to member. `ends` is a
    sorted set of members by when they end, `due` of users to be told by the number of their change; `supports` a hash,
    digest of a session to the user whose membership stands on it.
    """

    meta: str
    members: str
    ends: str
    due: str
    supports: str


def cohort_keys(prefix: str, source: Source, purpose: str = "") -> CohortKeys:
    """Name the keys of a cohort; `purpose` tells states of the same cohort apart."""
    name = f"{source.cohort}.{purpose}" if purpose else source.cohort
    slot = f"{prefix}:{{cohorts:{encode_name(source.project_id)}}}:{name}:"
    return CohortKeys(*(slot + part for part in CohortKeys._fields))


def _script(name: str) -> Script:
    text = (files("engine.cohorts") / "lua" / f"{name}.lua").read_text("utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


_CLAIM: Final = _script("claim")
_CHANGE: Final = _script("change")


class Change(NamedTuple):
    """A member before and after; `None` of who is not known."""

    before: Member | None
    after: Member | None


class Counts(NamedTuple):
    """Members, and users of whom something is to be sent."""

    members: int
    due: int


class CohortState:
    """The state of one cohort. Methods raise what the Redis client raises; those that write, NotOwnerError."""

    def __init__(self, client: RedisClient, keys: CohortKeys, owner: str, lease_ms: int = LEASE_MS) -> None:
        self._client = client
        self._keys = keys
        self._owner = owner
        self._lease_ms = lease_ms

    async def claim(self) -> int:
        """Become the owner; return for how many ms somebody else may still be it, 0 if it is us."""
        arguments = (self._owner, self._lease_ms, KEPT_MS)
        return cast("int", await self._client.run(Call(_CLAIM, (self._keys.meta,), arguments), "write"))

    async def release(self) -> None:
        """Own it no longer."""
        await self._client.run(Call(_CLAIM, (self._keys.meta,), (self._owner, 0, KEPT_MS)), "write")

    async def meta(self) -> dict[str, str]:
        """Read the numbers that are kept beside the members."""
        reply = await self._client.run(Call("HGETALL", (self._keys.meta,)))
        return {name.decode(): value.decode() for name, value in cast("dict[bytes, bytes]", reply).items()}

    async def members(self, users: Sequence[str]) -> dict[str, Member]:
        """Read what is known of users."""
        if not users:
            return {}
        reply = await self._client.run(Call("HMGET", (self._keys.members,), list(users)))
        texts = cast("list[bytes | None]", reply)
        return {user: _decode(text) for user, text in zip(users, texts, strict=True) if text is not None}

    async def change(self, changes: Mapping[str, Change], meta: Mapping[str, str]) -> None:
        """Write members and numbers, all or nothing; also with nothing to write this renews the lease."""
        arguments: list[Argument] = [self._owner, self._lease_ms, KEPT_MS, len(meta)]
        arguments += [text for pair in meta.items() for text in pair]
        for user, (before, after) in changes.items():
            arguments += (user, *_written(after), before.support if before else "", after.support if after else "")
        if not await self._client.run(Call(_CHANGE, self._keys, arguments), "write"):
            raise NotOwnerError("another process has taken the cohort over")

    async def ended(self, now_ms: int) -> list[str]:
        """List some members whose time is over."""
        arguments = ("-inf", now_ms, "LIMIT", 0, _AT_ONCE)
        return _texts(await self._client.run(Call("ZRANGEBYSCORE", (self._keys.ends,), arguments)))

    async def scan(self, which: Literal["ends", "due"]) -> AsyncIterator[list[str]]:
        """Give all members, or all users to be told, some hundred at a time, some maybe twice.

        Those that are so from the start to the end are among them.
        """
        key = self._keys.ends if which == "ends" else self._keys.due
        cursor = 0
        while True:
            reply = await self._client.run(Call("ZSCAN", (key,), (cursor, "COUNT", _AT_ONCE)))
            cursor, found = cast("tuple[int, list[tuple[bytes, float]]]", reply)
            if found:
                yield [user.decode("utf-8", "surrogatepass") for user, _ in found]
            if not cursor:
                return

    async def due(self, limit: int, up_to: float) -> list[str]:
        """List the users to be told, the first change first, of changes with numbers up to `up_to`."""
        arguments = ("-inf", up_to, "LIMIT", 0, limit)
        return _texts(await self._client.run(Call("ZRANGEBYSCORE", (self._keys.due,), arguments)))

    async def supported(self, supports: Sequence[str]) -> dict[str, str]:
        """Find the users whose membership stands on sessions with these digests, by digest."""
        if not supports:
            return {}
        reply = await self._client.run(Call("HMGET", (self._keys.supports,), list(supports)))
        users = cast("list[bytes | None]", reply)
        return {
            support: user.decode("utf-8", "surrogatepass")
            for support, user in zip(supports, users, strict=True)
            if user is not None
        }

    async def counts(self) -> Counts:
        """Count."""
        members, due = await self._client.run_many(
            [Call("ZCARD", (self._keys.ends,)), Call("ZCARD", (self._keys.due,))]
        )
        return Counts(cast("int", members), cast("int", due))

    async def oldest_due_ms(self) -> int | None:
        """Say when the oldest change that is to be told was made (epoch ms); `None` without one."""
        reply = await self._client.run(Call("ZRANGE", (self._keys.due,), (0, 0, "WITHSCORES")))
        found = cast("list[bytes]", reply)
        return int(float(found[1])) // NUMBERS_IN_A_MS if found else None

    async def drop(self) -> None:
        """Forget everything: also what its receiver was told."""
        await self._client.run(Call("DEL", self._keys), "write")


def _written(member: Member | None) -> tuple[bytes, str, str]:
    """Write a member for the script: its text, when it ends, the number of the event that is due."""
    if member is None:
        return b"", "", ""
    until = str(member.until) if member.until else ""
    return _encode(member), until, str(member.sequence) if due_event(member) else ""


def _texts(reply: object) -> list[str]:
    return [text.decode("utf-8", "surrogatepass") for text in cast("list[bytes]", reply)]
