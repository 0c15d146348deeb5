"""A store that was put back to an older dump, or lost its last moments: who built on what is gone is told so."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from replay.marks import RedisMarks
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.store import Store
from replay.writes import Outcome
from tests.replay.samples import write
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHARD, LOG = "session-events/3", "cluster/topic-id/3"


class TestVersionsThatComeAgain:
    async def test_a_write_on_another_write_of_the_same_version_is_refused(self, store: Store) -> None:
        await store.apply(write(token="lost"))
        await store.withdraw("b", "session_deleted")
        on_what_is_there = write(base=1, token="next", base_token="lost")
        on_what_is_gone = write(base=1, token="zombie's", base_token="gone")
        assert (await store.apply(on_what_is_gone)).outcome is Outcome.REFUSED
        assert (await store.apply(on_what_is_there)).outcome is Outcome.APPLIED
        assert (await store.apply(on_what_is_there)).outcome is Outcome.REPEATED

    async def test_who_loads_a_session_knows_the_token_of_its_last_write(self, store: Store) -> None:
        await store.apply(write(token="first"))
        await store.apply(write(base=1, token="second", base_token="first"))
        loaded = await store.load("a")
        assert loaded is not None
        assert (loaded.version, loaded.token) == (2, "second")


@pytest_asyncio.fixture(loop_scope="session")
async def marks(server: RedisServer | FoundRedis, store: Store) -> AsyncIterator[RedisMarks]:
    """Marks on the server of the store."""
    assert isinstance(store, RedisStore)
    clustered = isinstance(server, RedisServer) and "--cluster-enabled" in server._options
    client = connect(server.url.replace("redis://", "redis+cluster://") if clustered else server.url)
    assert client.is_cluster == clustered
    yield RedisMarks(client, "wince")
    await client.close()


@pytest.mark.parametrize("server", ["redis", "cluster"], indirect=True)
class TestMarksThatVouch:
    async def test_a_mark_moves_while_everything_written_is_there(self, store: Store, marks: RedisMarks) -> None:
        count = (await marks.claim(SHARD, "one")).count
        await store.apply_many([write("a", token="t1"), write("b", token="t2"), write("c", token="t3")])
        await store.withdraw("c", "session_deleted")
        assert await marks.move(SHARD, "one", count, LOG, 7, {"a": "t1", "b": "t2", "c": ""})
        assert await marks.move(SHARD, "one", count, LOG, 7, {"a": "t1", "b": "t2", "c": ""}), "a repetition"
        assert await marks.move(SHARD, "one", count + 1, LOG, 8, {})

    @pytest.mark.parametrize(
        "written",
        [
            {"a": "t1", "never": "t2"},
            {"a": "of a later write that is gone"},
            {"a": ""},
            {"never": ""},
        ],
    )
    async def test_it_does_not_when_something_is_gone(
        self, store: Store, marks: RedisMarks, written: dict[str, str]
    ) -> None:
        count = (await marks.claim(SHARD, "one")).count
        await store.apply_many([write("a", token="t1"), write("c", token="t3")])
        await store.withdraw("c", "session_deleted")
        assert not await marks.move(SHARD, "one", count, LOG, 7, written)
        assert await marks.read(SHARD) is None
        assert await marks.move(SHARD, "one", count, LOG, 7)

    async def test_who_holds_a_mark_is_told(self, marks: RedisMarks) -> None:
        assert not await marks.holds(SHARD, "one", 0)
        assert (await marks.claim(SHARD, "one")).count == 1
        assert await marks.holds(SHARD, "one", 1)
        await marks.move(SHARD, "one", 1, LOG, 7)
        assert await marks.holds(SHARD, "one", 2)
        assert not await marks.holds(SHARD, "one", 1)
        await marks.claim(SHARD, "two")
        assert not await marks.holds(SHARD, "one", 2)
        assert not await marks.holds(SHARD, "one", 3)
