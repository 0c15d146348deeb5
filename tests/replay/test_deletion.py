"""Deleted sessions: nothing is left anywhere but tombstones, whoever is at work, and that is proved."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from replay.blocks import encode_block
from replay.deletion import Deletion, DeletionQuery, count_removed
from replay.errors import Poison, Unavailable
from replay.redis_client import connect
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from replay.tombstones import Removed
from replay.writes import Outcome, SessionWrite
from schemas.session_record import PageVisit
from tests.replay.everything import everything
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.wires import dump
from tests.servers.redis_server import FoundRedis

pytestmark = pytest.mark.asyncio(loop_scope="session")

GONE, KEPT = "visit-of-mia", "visit-of-noa"
PLANTED = b"planted-secret"
META = f"wince:session:{{{GONE}}}:meta".encode()
TOLD = b"wince:withdrawn"
P = "wince:project:{shop}:"


@pytest_asyncio.fixture(loop_scope="session")
async def store(redis: Redis, redis_server: FoundRedis) -> AsyncIterator[RedisStore]:
    assert await redis.dbsize() == 0
    store = RedisStore(connect(redis_server.url), StoreSettings(), lambda: T0)
    yield store
    await store.close()


@pytest_asyncio.fixture(loop_scope="session")
async def deletion(redis_server: FoundRedis) -> AsyncIterator[Deletion]:
    client = connect(redis_server.url)
    yield Deletion(client, StoreSettings(), lambda: T0)
    await client.close()


def planted(session_id: str, text: str, **changes: Any) -> SessionWrite:
    """A write that holds `text` in everything it can hold it in."""
    lines = f'{{"type":3,"data":{{"text":"{text}"}},"timestamp":{T0}}}\n'.encode()
    draft = msgspec.structs.replace(block([0]), data=encode_block(lines), raw_length=len(lines))
    told = msgspec.structs.replace(signal(f"{text}-signal", session_id=session_id), page=f"https://shop.test/{text}")
    return msgspec.structs.replace(
        write(
            session_id,
            blocks=[draft],
            signals=[told],
            state=zstandard.ZstdCompressor().compress(msgspec.msgpack.encode({"state": text})),
            outbox=msgspec.msgpack.encode([("signal", session_id, text)]),
            deadline_ms=T0,
            shard="events/3",
            record_of=record(
                session_id,
                user_id=f"{text}-user",
                anonymous_id=f"{text}-anonymous",
                pages=[
                    PageVisit(f"https://shop.test/{text}", "w1", T0),
                    PageVisit("https://shop.test/o/123456", "w1", T0),
                ],
                attributes={"release": text, "device": f"{text}-device", "country": f"{text}-country"},
                errors={f"{text}-error": 1},
            ),
        ),
        **changes,
    )


async def delete(deletion: Deletion, *session_ids: str) -> list[Removed]:
    return [removed async for removed in deletion.delete(session_ids)]


class TestNothingIsLeft:
    async def test_beside_saved_filters(self, redis: Any, store: RedisStore, deletion: Deletion) -> None:
        await redis.hset(P + "filters", "f1", '{"id":"f1","name":"a","query":"tag=rage_click","created_at":1}')
        await store.apply(planted(GONE, "text"))
        (removed,) = await delete(deletion, GONE)
        proof = await deletion.prove([removed])
        assert (proof.left, proof.taken) == ([], [])
        assert await redis.hlen(P + "filters") == 1

    async def test_of_a_session_in_any_form(self, redis: Any, store: RedisStore, deletion: Deletion) -> None:
        await store.apply(planted(KEPT, "other-text"))
        await store.note_fate(KEPT, "shop", "late", 1, T0)
        before = await dump(redis)
        first = planted(GONE, PLANTED.decode())
        await store.apply(first)
        grown = [msgspec.structs.replace(each, count=9) for each in first.signals]
        await store.apply(planted(GONE, PLANTED.decode(), base_version=1, token="2", signals=tuple(grown)))
        await store.compact(GONE, 2)
        await store.note_fate(GONE, "shop", "late", 1, T0)
        for needle in (GONE.encode(), PLANTED):
            assert (await everything(redis)).count(needle) > 10
        (removed,) = await delete(deletion, GONE)
        after = await dump(redis)
        tombstone, ((_, told),) = after.pop(META), after.pop(TOLD)
        assert after == before
        assert told == {b"project": b"shop", b"at": str(T0).encode(), b"sessions": f'["{GONE}"]'.encode()}
        rest = await everything(redis, but=(META, TOLD))
        assert GONE.encode() not in rest
        assert PLANTED not in rest
        assert PLANTED not in b"".join(tombstone.values())
        assert removed.tombstone.id.encode() == tombstone[b"tombstone"]
        assert (removed.tombstone.reason, removed.tombstone.at) == ("session_deleted", T0)
        assert removed.tombstone.project_id == "shop"
        assert len(removed.keys) == 8
        assert {name.removeprefix(P) for name in removed.listings if name.startswith(P)} == {
            "time", "score", "duration", "status", "tag:rage_click",
            "user:planted-secret-user", "user:planted-secret-anonymous",
            "page:https%3A%2F%2Fshop%2Etest%2Fplanted-secret",
            "page:https%3A%2F%2Fshop%2Etest%2Fo%2F123456", "page:https%3A%2F%2Fshop%2Etest%2Fo%2F%2A",
            "release:planted-secret", "device:planted-secret-device", "country:planted-secret-country",
            "error:planted-secret-error",
        }  # fmt: skip
        assert {"wince:fates", "wince:deadlines:{events%2F3}"} <= set(removed.listings)
        assert (removed.stream_entries, removed.signal_ids) == (2, ["planted-secret-signal"])
        proof = await deletion.prove([removed])
        assert (proof.left, proof.taken, proof.rounds) == ([], [], 1)
        assert proof.searched.keys == len(after) + 2
        assert (proof.searched.streams, proof.searched.stream_entries) == (1, 1)

    async def test_of_what_somebody_put_back(self, redis: Any, store: RedisStore, deletion: Deletion) -> None:
        """What a session's own keys say nothing about is found by searching, and taken away."""
        await store.apply(planted(GONE, "x"))
        await store.apply(planted(KEPT, "y"))
        before = await dump(redis)
        (removed,) = await delete(deletion, GONE)
        clean = await dump(redis)
        assert clean != before
        await redis.zadd("wince:fates", {GONE: T0})
        await redis.zadd("wince:deadlines:{events%2F9}", {GONE: T0})
        await redis.zadd(P + "tag:dead_click", {GONE: T0, KEPT: T0})
        await redis.zadd(P + "published", {"x-signal:0123456789abcdef": T0})
        await redis.xadd(P + "signals", {"id": "x-signal", "session_id": GONE, "signal": "{}"})
        await redis.hset(f"wince:session:{{{GONE}}}:fate", "late", f"1 {T0} shop")
        await redis.hset(META, "state", "left")
        proof = await deletion.prove([removed])
        assert proof.left == []
        assert sorted(trace.kind for trace in proof.taken) == [
            "listing", "listing", "listing", "published", "session", "session", "stream",
        ]  # fmt: skip
        after = await dump(redis)
        assert after.pop((P + "tag:dead_click").encode()) == [(KEPT.encode(), float(T0))]
        assert len(after.pop(TOLD)) == len(clean.pop(TOLD)) + 1
        assert after == clean

    async def test_of_very_many(self, redis: Any, store: RedisStore, deletion: Deletion) -> None:
        ids = [f"s/{n}" for n in range(1_100)]
        await store.apply_many([write(id_, signals=[signal(f"x{id_}", session_id=id_)]) for id_ in [*ids, KEPT]])
        removed = await delete(deletion, *ids, *ids)
        assert [each.session_id for each in removed] == ids
        sums = count_removed(removed)
        assert (sums["sessions"], sums["stored"], sums["stream_entries"]) == (1_100, 1_100, 1_100)
        proof = await deletion.prove(removed)
        assert proof.left == proof.taken == []
        assert await redis.zrange(P + "time", 0, -1) == [KEPT.encode()]
        assert await redis.xlen(P + "signals") == 1

    async def test_again_the_same_tombstone_stands(self, redis: Any, store: RedisStore, deletion: Deletion) -> None:
        await store.apply(write(GONE))
        (first,) = await delete(deletion, GONE)
        (second,) = await delete(deletion, GONE)
        assert second.tombstone == first.tombstone == await store.tombstone(GONE)
        assert (second.keys, second.listings) == ([], [])
        assert await store.tombstone(KEPT) is None
        assert await redis.pttl(META) > 33 * 86_400_000

    async def test_what_was_refused_is_not_noted_any_more(
        self, redis: Any, store: RedisStore, deletion: Deletion
    ) -> None:
        await delete(deletion, GONE)
        await store.note_fate(GONE, "shop", "after_end", 1, T0)
        assert list(await dump(redis)) == [META]


class TestPlan:
    @pytest_asyncio.fixture(loop_scope="session", autouse=True)
    async def _sessions(self, store: RedisStore) -> None:
        def made(name: str, start: int, project: str = "shop", **changes: Any) -> SessionWrite:
            made_of = record(name, project_id=project, started_at=start, **changes)
            return write(name, project_id=project, record_of=made_of)

        await store.apply_many([
            made("a", T0, user_id="mia", tags={"rage_click": 1}),
            made("b", T0 + 10, user_id="mia", tags={"js_error": 1}),
            made("c", T0 + 20, user_id="noa", tags={"js_error": 1}),
            made("d", T0, project="bank", user_id="mia", tags={"js_error": 1}),
            made("e", 17, user_id="mia", tags={"js_error": 2}),
        ])  # fmt: skip

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"user": "mia"}, "abde"), ({"user": "mia", "project_id": "shop"}, "abe"), ({"user": "nobody"}, ""),
            ({"user": "mia", "tag": "js_error"}, "bde"), ({"tag": "js_error", "from_ms": T0 + 1}, "bc"),
            ({"project_id": "shop", "from_ms": T0, "to_ms": T0 + 20}, "ab"), ({"project_id": "bank"}, "d"),
            ({"user": "anon-1", "to_ms": T0 + 1}, "ade"), ({"session_ids": ("c", "x")}, "cx"),
            ({"page": "https://shop.test/cart#somewhere", "user": "noa"}, "c"),
            ({"session_ids": ("a", "b", "c"), "user": "mia", "from_ms": T0 + 1}, "b"),
        ],
    )  # fmt: skip
    async def test_all_conditions_have_to_hold(self, deletion: Deletion, query: dict[str, Any], expected: str) -> None:
        planned = await deletion.plan(DeletionQuery(**query))
        assert "".join(each.session_id for each in planned) == expected
        # A start that lies so far back is not listed.
        quickly = await deletion.plan(DeletionQuery(**query), thorough=False)
        assert "".join(each.session_id for each in quickly) == expected.replace("e", "")

    async def test_a_session_that_is_in_no_listing_is_found_if_one_looks_at_all(
        self, redis: Any, deletion: Deletion
    ) -> None:
        await redis.delete(*[key for key in await redis.keys() if b":project:" in key])
        query = DeletionQuery(user="mia", project_id="shop")
        assert [each.session_id for each in await deletion.plan(query)] == ["a", "b", "e"]
        assert await deletion.plan(query, thorough=False) == []

    async def test_what_is_stored_of_it_is_told(self, deletion: Deletion) -> None:
        (planned,) = await deletion.plan(DeletionQuery(project_id="bank"))
        assert (planned.project_id, planned.started_at) == ("bank", T0)

    async def test_a_session_that_expired_is_taken_out_of_listings(self, redis: Any, deletion: Deletion) -> None:
        await redis.delete(*await redis.keys("wince:session:{a}:*"))
        planned = await deletion.plan(DeletionQuery(user="mia"))
        removed = await delete(deletion, *(each.session_id for each in planned))
        proof = await deletion.prove(removed)
        assert {trace.session_id for trace in proof.taken} == {"a"}
        assert proof.left == []
        assert b"mia" not in await everything(redis)

    async def test_something_has_to_be_chosen(self) -> None:
        with pytest.raises(Poison):
            DeletionQuery()


class Owner:
    """Writes a session again and again, as a worker does that does not know of any deletion."""

    def __init__(self, store: RedisStore, name: str) -> None:
        self._store = store
        self._name = name
        self._base = 0

    async def do(self, what: str, place: int) -> None:
        if what == "load":
            loaded = await self._store.load(GONE)
            self._base = loaded.version if loaded else 0
        elif what == "compact":
            # Its data may be gone between two reads.
            with suppress(Unavailable):
                await self._store.compact(GONE, self._base)
        elif what == "note":
            await self._store.note_fate(GONE, "shop", "after_end", 1, T0 + place)
        else:
            text = f"{PLANTED.decode()}-{self._name}-{place}"
            result = await self._store.apply(planted(GONE, text, base_version=self._base, token=text))
            if result.outcome is not Outcome.REFUSED:
                self._base = result.version


DOINGS = st.lists(st.sampled_from(["load", "write", "write", "write", "note", "compact"]), max_size=8)


class TestAtTheSameTime:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(DOINGS, min_size=1, max_size=3), st.integers(0, 8), st.integers())
    async def test_a_deletion_among_owners_wins(
        self, redis: Any, redis_server: FoundRedis, owners: list[list[str]], before: int, seed: int
    ) -> None:
        """Whatever owners do before, during and after it: only a tombstone stays, and the proof finds nothing."""
        await redis.flushall()
        rng = random.Random(seed)
        stores = [RedisStore(connect(redis_server.url), StoreSettings(), lambda: T0) for _ in owners]
        client = connect(redis_server.url)
        deletion = Deletion(client, StoreSettings(), lambda: T0)
        await stores[0].apply(planted(GONE, PLANTED.decode()))

        async def own(store: RedisStore, doings: Sequence[str], name: str) -> None:
            owner = Owner(store, name)
            await owner.do("load", -1)
            for place, what in enumerate(doings):
                for _ in range(rng.randrange(3)):
                    await asyncio.sleep(0)
                await owner.do(what, place)

        async def remove() -> list[Removed]:
            for _ in range(before):
                await asyncio.sleep(0)
            return await delete(deletion, GONE)

        working = [own(store, doings, str(n)) for n, (store, doings) in enumerate(zip(stores, owners, strict=True))]
        removing = asyncio.create_task(remove())
        await asyncio.gather(removing, *working)
        removed = removing.result()
        # A stream stays when it is empty.
        left = {name.decode() for name in await dump(redis)} - {META.decode()}
        assert left <= {"wince:projects", P + "longest", P + "signals", TOLD.decode()}
        rest = await everything(redis, but=(META, TOLD))
        assert GONE.encode() not in rest
        assert PLANTED not in rest
        proof = await deletion.prove(removed)
        assert proof.left == proof.taken == []
        for store in stores:
            await store.close()
        await client.close()
