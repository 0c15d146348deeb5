"""Filters that people saved, by project."""

import secrets
from typing import Final, cast

import msgspec

from replay.api.types_listing import SavedFilter
from replay.errors import Broken, Mismatched
from replay.redis_client import Call, RedisClient, load_script
from replay.redis_keys import KeyNames

_SAVE: Final = load_script("save")

MAX_FILTERS: Final = 200
"""Filters of one project."""


_decode: Final = msgspec.json.Decoder(SavedFilter).decode


class SavedFilters:
    """Saved filters of all projects."""

    def __init__(self, client: RedisClient, names: KeyNames) -> None:
        self._client = client
        self._names = names

    def _key(self, project_id: str) -> str:
        return self._names.project(project_id, "filters")

    async def all(self, project_id: str) -> list[SavedFilter]:
        """List the filters of a project, by name."""
        reply = await self._client.run(Call("HVALS", (self._key(project_id),)))
        try:
            found = [_decode(text) for text in cast("list[bytes]", reply)]
        except msgspec.DecodeError as error:
            raise Broken("a saved filter is not in the form this version writes") from error
        return sorted(found, key=lambda each: (each.name, each.id))

    async def add(self, project_id: str, name: str, query: str, now_ms: int) -> SavedFilter:
        """Save a filter. Raises Mismatched if the project has too many."""
        made = SavedFilter(secrets.token_hex(8), name, query, now_ms)
        call = Call(_SAVE, (self._key(project_id),), (MAX_FILTERS, made.id, msgspec.json.encode(made)))
        if await self._client.run(call, "list") != 1:
            raise Mismatched(f"a project has at most {MAX_FILTERS} saved filters: delete one")
        return made

    async def remove(self, project_id: str, filter_id: str) -> bool:
        """Delete a filter; say whether it was there."""
        return bool(await self._client.run(Call("HDEL", (self._key(project_id),), (filter_id,)), "list"))
