"""What programs beside the workers are told of deletions: each once, also where Redis fails while they ask."""

import pytest
from redis.asyncio import Redis

from replay.errors import Unavailable
from replay.redis_client import connect
from replay.redis_keys import KeyNames
from replay.tombstones import Removed, Tombstone
from replay.withdrawals import Withdrawals
from tests.replay.samples import T0
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = KeyNames("wince")
MANY = 250
"""More than are read at a time."""


def removed(number: int) -> Removed:
    tombstone = Tombstone(id=str(number), reason="session_deleted", at=T0, project_id=f"p{number}")
    return Removed(session_id=f"s{number}", tombstone=tombstone, keys=[], listings=[], stream_entries=0, signal_ids=[])


async def test_nothing_is_lost_when_redis_fails_in_the_middle(
    redis: Redis, redis_server: FoundRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(redis_server.url)
    try:
        withdrawals = Withdrawals(client, NAMES)
        await withdrawals.tell([removed(number) for number in range(MANY)], T0)
        assert await redis.xlen(NAMES.withdrawn) == MANY
        run, calls = client.run, 0

        async def fails_second(*args: object) -> object:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise Unavailable("gone for a moment")
            return await run(*args)  # type: ignore[arg-type]  # the same arguments

        monkeypatch.setattr(client, "run", fails_second)
        with pytest.raises(Unavailable):
            await withdrawals.news()
        assert [each.project_id for each in await withdrawals.news()] == [f"p{number}" for number in range(MANY)]
        assert await withdrawals.news() == []
    finally:
        await client.close()
