"""Which sessions were deleted lately, for programs beside the workers that remember sessions of their own.

They are told on Kafka too, unless nobody is to be told there, or Kafka has forgotten it by the time they listen.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

import msgspec

from replay.redis_client import Call, RedisClient
from replay.redis_keys import KeyNames
from replay.tombstones import Removed

KEPT_MS: Final = 31 * 86_400_000
"""So long a deletion is told. Nobody who remembers sessions may keep what was not looked after for longer."""

MAX_ENTRIES: Final = 1_000
"""About so many are kept, the latest; each is of up to 500 sessions."""

_PAGE: Final = 100


class Withdrawn(NamedTuple):
    """Sessions of a project that were deleted, and when (epoch ms)."""

    project_id: str
    session_ids: list[str]
    at: int


_decode: Final = msgspec.json.Decoder(list[str]).decode


class Withdrawals:
    """A stream of deletions in Redis; `news` gives what was told since it was asked last.

    Methods raise Unavailable, Saturated and Broken as the client does.
    """

    def __init__(self, client: RedisClient, names: KeyNames) -> None:
        self._client = client
        self._key = names.withdrawn
        self._seen = b""

    async def tell(self, removed: Sequence[Removed], now_ms: int) -> None:
        """Tell of sessions that were deleted, at `now_ms` (epoch ms); those of which nothing was known need it not."""
        of_projects: dict[str, list[str]] = defaultdict(list)
        for each in removed:
            if each.tombstone.project_id:
                of_projects[each.tombstone.project_id].append(each.session_id)
        for project_id, ids in of_projects.items():
            fields = ("project", project_id, "at", now_ms, "sessions", msgspec.json.encode(ids))
            await self._client.run(Call("XADD", (self._key,), ("MAXLEN", "~", MAX_ENTRIES, "*", *fields)), "list")
        if of_projects:
            await self._client.run(Call("XTRIM", (self._key,), ("MINID", "~", max(now_ms - KEPT_MS, 0))), "list")

    async def skip(self) -> None:
        """Give only what is told from now on."""
        reply = await self._client.run(Call("XREVRANGE", (self._key,), ("+", "-", "COUNT", 1)))
        for id_, _ in cast("list[tuple[bytes, dict[bytes, bytes]]]", reply):
            self._seen = id_

    async def news(self) -> list[Withdrawn]:
        """Give what was told since the last call; at first, all that is kept. A call that fails is as if never made."""
        found: list[Withdrawn] = []
        seen = self._seen
        while True:
            start = b"(" + seen if seen else b"-"
            reply = await self._client.run(Call("XRANGE", (self._key,), (start, "+", "COUNT", _PAGE)))
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)
            for id_, fields in entries:
                seen = id_
                project_id = fields[b"project"].decode("utf-8", "surrogatepass")
                found.append(Withdrawn(project_id, _decode(fields[b"sessions"]), int(fields[b"at"])))
            if len(entries) < _PAGE:
                self._seen = seen
                return found
