"""Excluded users in Redis: one set of digests for all workers, which look at it every few seconds."""

from typing import Final, cast

from replay.errors import Poison
from replay.exclusions import Exclusions, user_digest
from replay.redis_client import Call, RedisClient, Reply, load_script
from replay.redis_keys import KeyNames

MAX_EXCLUSIONS: Final = 100_000
"""Users in the set; every worker keeps all of them in memory."""

_EXCLUDE: Final = load_script("exclude")


class RedisExclusions:
    """The set, and `known`: what this process knows of it. Methods raise what the client raises."""

    def __init__(self, client: RedisClient, key_prefix: str, known: Exclusions | None = None) -> None:
        self._client = client
        self._key = KeyNames(key_prefix).excluded
        self._seen: tuple[Reply, ...] = ()
        self.known = Exclusions() if known is None else known

    async def add(self, project_id: str, user_id: str) -> str:
        """Exclude a user of a project, or of `ANY_PROJECT`, for good; return the user's digest.

        Raises Poison if there are as many as there may be.
        """
        digest = user_digest(project_id, user_id)
        added = await self._client.run(Call(_EXCLUDE, (self._key,), (MAX_EXCLUSIONS, digest)), "write")
        if added == -1:
            raise Poison(f"there are {MAX_EXCLUSIONS} excluded users already")
        return digest

    async def refresh(self) -> None:
        """Learn what is new: little is asked for while nothing is."""
        reads = [Call("ZCARD", (self._key,)), Call("ZREVRANGE", (self._key,), (0, 0, "WITHSCORES"))]
        card, newest = await self._client.run_many(reads)
        seen = (card, *cast("list[bytes]", newest))
        if seen == self._seen:
            return
        members = cast("list[bytes]", await self._client.run(Call("ZRANGE", (self._key,), (0, MAX_EXCLUSIONS - 1))))
        self.known.replace([member.decode("latin-1") for member in members])
        self._seen = seen
