"""What all stores promise to owners: announcements, outboxes, deadlines of shards."""

from collections.abc import Sequence

import pytest

from replay.store import SessionQuery, Store
from replay.writes import Outcome, SessionWrite
from tests.replay.samples import T0, block, signal, write

pytestmark = pytest.mark.asyncio(loop_scope="session")


class TestAnnouncing:
    async def test_what_was_not_refused_is_announced_once_in_its_order(self, store: Store) -> None:
        await store.apply_many([write("a"), write("b"), write("c")])
        told: list[list[SessionWrite]] = []

        async def announce(writes: Sequence[SessionWrite]) -> None:
            told.append(list(writes))

        writes = [write("c"), write("b", token="another's"), write("d"), write("a", base=1)]
        results = await store.apply_many(writes, announce)
        assert [result.outcome.value for result in results] == ["repeated", "refused", "applied", "applied"]
        assert told == [[writes[0], writes[2], writes[3]]]

    async def test_nothing_is_announced_where_all_was_refused_or_nothing_written(self, store: Store) -> None:
        async def announce(writes: Sequence[SessionWrite]) -> None:
            pytest.fail(f"announced {writes}")

        assert await store.apply_many([], announce) == []
        assert (await store.apply_many([write(base=3)], announce))[0].outcome is Outcome.REFUSED

    async def test_after_a_failure_the_same_writes_are_repeated_and_announced_again(self, store: Store) -> None:
        told: list[Sequence[SessionWrite]] = []

        async def announce(writes: Sequence[SessionWrite]) -> None:
            told.append(writes)
            if len(told) == 1:
                raise ConnectionError

        writes = [write("a", blocks=[block([0])], signals=[signal()], deadline_ms=T0), write("b", deadline_ms=T0)]
        with pytest.raises(ConnectionError):
            await store.apply_many(writes, announce)
        results = await store.apply_many(writes, announce)
        assert [result.outcome for result in results] == [Outcome.REPEATED] * 2
        assert told == [writes, writes]
        page = await store.sessions(SessionQuery("shop"))
        assert [record.session_id for record in page.sessions] == ["b", "a"]
        assert await store.due(T0, 9) == [("a", T0), ("b", T0)]

    async def test_the_outbox_stays_until_the_next_write(self, store: Store) -> None:
        for version, outbox in enumerate([b"\x00one", b"", bytes(range(256))]):
            await store.apply(write(base=version, outbox=outbox))
            loaded = await store.load("a")
            assert loaded is not None
            assert loaded.outbox == outbox
        await store.apply(write(base=1, token="another's", outbox=b"refused"))
        loaded = await store.load("a")
        assert loaded is not None
        assert loaded.outbox == bytes(range(256))


class TestShards:
    async def test_each_has_deadlines_of_its_own(self, store: Store) -> None:
        shards = ["", "topic/0", "topic/1", "}{"]
        await store.apply_many([write(f"s{n}", deadline_ms=T0 + n, shard=shard) for n, shard in enumerate(shards)])
        for n, shard in enumerate(shards):
            assert await store.due(T0 + 9, 9, shard=shard) == [(f"s{n}", T0 + n)]
            loaded = await store.load(f"s{n}")
            assert loaded is not None
            assert loaded.shard == shard
        assert await store.due(T0 + 9, 9, shard="topic/2") == []

    async def test_a_session_that_moved_on_is_in_the_new_one_and_can_be_forgotten_in_the_old(
        self, store: Store
    ) -> None:
        await store.apply(write(deadline_ms=T0, shard="old"))
        await store.apply(write(base=1, deadline_ms=T0 + 5, shard="new"))
        loaded = await store.load("a")
        assert loaded is not None
        assert loaded.shard == "new"
        await store.forget_deadline("old", "a")
        assert await store.due(T0 + 9, 9, shard="old") == []
        assert await store.due(T0 + 9, 9, shard="new") == [("a", T0 + 5)]
        await store.forget_deadline("old", "a")
        await store.forget_deadline("nowhere", "nobody")

    async def test_a_withdrawn_session_is_in_none(self, store: Store) -> None:
        await store.apply(write(deadline_ms=T0, shard="topic/0"))
        await store.withdraw("a", "excluded_user")
        assert await store.due(T0, 9, shard="topic/0") == []
