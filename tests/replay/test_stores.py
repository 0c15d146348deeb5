"""What both stores promise: guarded writes, exact bundles, listings, deletion. One suite over all of them."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.errors import Poison
from replay.store import BundleLine, Fate, SessionQuery, Store
from replay.writes import FilledRange, Outcome, withdrawn_session
from schemas.bundle_index import Hole
from tests.replay.conftest import StoreMaker
from tests.replay.samples import T0, block, event, record, signal, write

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE_IDS = [
    "}{", "{a}", "../../etc/passwd", "..", "a/b", "nul\0", "line\nbreak", "x" * 4096, "é", "%2E", " ", "a:b", "*", "'",
]  # fmt: skip


async def lines(stream: AsyncIterator[BundleLine]) -> list[tuple[str, bytes]]:
    return [(line.window_id, line.event) async for line in stream]


async def ids(store: Store, **query: object) -> list[str]:
    page = await store.sessions(msgspec.convert({"project_id": "shop", **query}, SessionQuery))
    return [session.session_id for session in page.sessions]


async def gone(store: Store, session_id: str) -> bool:
    """Whether an owner finds nothing of a session, but at most that it was withdrawn."""
    loaded = await store.load(session_id)
    return loaded is None or loaded == withdrawn_session(session_id, loaded.version, "excluded_user")


class TestGuard:
    async def test_a_new_session_is_stored_whole(self, store: Store) -> None:
        written = write(blocks=[block([0, 5], keyframe=True)], signals=[signal()], deadline_ms=T0 + 9)
        result = await store.apply(written)
        assert (result.outcome, result.version, result.blocks) == (Outcome.APPLIED, 1, 1)
        loaded = await store.load("a")
        assert loaded is not None
        assert (loaded.version, loaded.position, loaded.state, loaded.deadline_ms) == (1, "log/1", b"state", T0 + 9)
        assert loaded.record == written.record == await store.record("a")
        index = await store.index("a")
        assert index is not None
        assert (index.version, len(index.blocks)) == (1, 1)
        assert await store.signals("a") == [signal()]

    async def test_an_unknown_session_is_none(self, store: Store) -> None:
        assert await store.load("nobody") is None
        assert await store.record("nobody") is None
        assert await store.index("nobody") is None
        assert await store.signals("nobody") == []
        assert await lines(store.bundle("nobody")) == []
        assert await lines(store.events("nobody", "w1", 0, T0)) == []
        assert await store.compact("nobody", 1) is False
        assert await store.fates("nobody") == []

    async def test_the_same_write_twice_is_applied_once(self, store: Store) -> None:
        again = write(blocks=[block([0])], signals=[signal()], holes=[Hole("w1", "gap", T0, 3, 4, 2)])
        first = await store.apply(again)
        index = await store.index("a")
        second = await store.apply(again)
        assert (first.outcome, second.outcome) == (Outcome.APPLIED, Outcome.REPEATED)
        assert second.version == first.version == 1
        assert await store.index("a") == index

    async def test_another_write_on_an_old_version_is_refused(self, store: Store) -> None:
        await store.apply(write(blocks=[block([0])]))
        refused = await store.apply(write(token="other", blocks=[block([7])], state=b"other"))
        assert (refused.outcome, refused.version) == (Outcome.REFUSED, 1)
        assert await lines(store.bundle("a")) == [("w1", event(0, text=""))]
        loaded = await store.load("a")
        assert loaded is not None
        assert loaded.state == b"state"

    async def test_a_write_on_a_session_that_is_gone_is_refused(self, store: Store) -> None:
        result = await store.apply(write(base=3))
        assert (result.outcome, result.version, result.blocks) == (Outcome.REFUSED, 0, 0)

    async def test_a_token_is_recognised_only_by_the_latest_write(self, store: Store) -> None:
        first = write(blocks=[block([0])])
        await store.apply(first)
        await store.apply(write(base=1))
        assert (await store.apply(first)).outcome is Outcome.REFUSED

    async def test_an_id_of_another_project_is_refused(self, store: Store) -> None:
        await store.apply(write())
        assert (await store.apply(write(base=1, project_id="other"))).outcome is Outcome.REFUSED
        assert (await store.record("a")) == record()

    async def test_of_racing_owners_exactly_one_wins_each_version(self, make_store: StoreMaker) -> None:
        owners = [make_store() for _ in range(4)]
        for version in range(10):
            attempts = [
                owner.apply(write(base=version, token=f"{number}/{version}", blocks=[block([version], padding=number)]))
                for number, owner in enumerate(owners)
            ]
            outcomes = [result.outcome for result in await asyncio.gather(*attempts)]
            assert outcomes.count(Outcome.APPLIED) == 1
            assert outcomes.count(Outcome.REFUSED) == 3
        assert len(await lines(owners[0].bundle("a"))) == 10

    async def test_writes_of_many_sessions_stand_alone(self, store: Store) -> None:
        await store.apply(write("b"))
        many = [write("a"), write("b", token="late"), write("c"), write("c", base=1)]
        results = await store.apply_many(many)
        assert [result.outcome.value for result in results] == ["applied", "refused", "applied", "applied"]
        loaded = await store.load_many(["a", "b", "c", "d"])
        assert [each and each.version for each in loaded] == [1, 1, 2, None]

    async def test_hundreds_of_sessions_in_one_call(self, store: Store) -> None:
        results = await store.apply_many([write(f"s{n}", signals=[signal(session_id=f"s{n}")]) for n in range(450)])
        assert {result.outcome for result in results} == {Outcome.APPLIED}
        loaded = await store.load_many([f"s{n}" for n in range(450)])
        assert [each.session_id for each in loaded if each] == [f"s{n}" for n in range(450)]

    async def test_a_write_without_state_leaves_the_one_stored(self, store: Store) -> None:
        await store.apply(write(state=b"first"))
        await store.apply(write(base=1, token="2", state=b""))
        loaded = await store.load("a")
        assert loaded is not None
        assert (loaded.version, loaded.state) == (2, b"first")

    async def test_hundreds_of_writes_of_one_session_are_applied_in_their_order(self, store: Store) -> None:
        await store.apply_many([write("other")])
        results = await store.apply_many([write(base=n) for n in range(450)])
        assert [(result.outcome, result.version) for result in results] == [
            (Outcome.APPLIED, n + 1) for n in range(450)
        ]

    async def test_binary_state_and_strange_positions_come_back(self, store: Store) -> None:
        state = bytes(range(256)) * 3
        written = msgspec.structs.replace(write(state=state), position="topic:é/7\n")
        await store.apply(written)
        loaded = await store.load("a")
        assert loaded is not None
        assert (loaded.state, loaded.position) == (state, "topic:é/7\n")

    @pytest.mark.parametrize("session_id", HOSTILE_IDS, ids=repr)
    async def test_hostile_ids_are_ordinary_ids(self, store: Store, session_id: str) -> None:
        await store.apply(write(session_id, blocks=[block([0])], signals=[signal(session_id=session_id)]))
        await store.apply(write(session_id, base=1))
        assert await ids(store) == [session_id]
        index = await store.index(session_id)
        assert index is not None
        assert index.session_id == session_id
        assert await store.compact(session_id, 2)
        assert await lines(store.bundle(session_id)) == [("w1", event(0, text=""))]
        await store.withdraw(session_id, "excluded_user")
        assert await ids(store) == []


class TestBundle:
    async def test_one_range_read_serves_a_seek(self, store: Store) -> None:
        await store.apply(write(blocks=[block([0, 10], keyframe=True), block([3], window="w2")]))
        await store.apply(write(base=1, blocks=[block([20], sequence=1), block([30], sequence=2, keyframe=True)]))
        assert [e for _, e in await lines(store.events("a", "w1", T0 + 25, T0 + 25))] == [
            event(0, text=""), event(10, text=""), event(20, text=""),
        ]  # fmt: skip
        assert await lines(store.events("a", "w1", T0 + 31, T0 + 99)) == [("w1", event(30, text=""))]
        assert await lines(store.events("a", "w3", T0, T0)) == []

    async def test_windows_play_one_after_the_other_and_late_blocks_in_their_place(self, store: Store) -> None:
        await store.apply(write(blocks=[block([50], window="w2"), block([0], sequence=0), block([40], sequence=4)]))
        await store.apply(write(base=1, blocks=[block([20], sequence=2, late=True)]))
        played = await lines(store.bundle("a"))
        assert played == [("w1", event(0, text="")), ("w1", event(20, text="")), ("w1", event(40, text="")),
                          ("w2", event(50, text=""))]  # fmt: skip

    async def test_holes_are_merged_and_filled(self, store: Store) -> None:
        await store.apply(write(holes=[Hole("w1", "gap", T0, 2, 5)]))
        await store.apply(write(base=1, holes=[Hole("w1", "gap", T0 + 1, 6, 9)]))
        index = await store.index("a")
        assert index is not None
        assert index.holes == [Hole("w1", "gap", T0, 2, 9)]
        await store.apply(write(base=2, filled=[FilledRange("w1", 4, 4)]))
        index = await store.index("a")
        assert index is not None
        assert [(hole.first_seq, hole.last_seq) for hole in index.holes] == [(2, 3), (5, 9)]

    async def test_holes_of_two_writes_in_one_call_add_up(self, store: Store) -> None:
        await store.apply_many([write(holes=[Hole("w1", "gap", T0, 2, 2)]),
                                write(base=1, holes=[Hole("w1", "gap", T0, 7, 7)])])  # fmt: skip
        index = await store.index("a")
        assert index is not None
        assert [hole.first_seq for hole in index.holes] == [2, 7]

    @pytest.mark.parametrize(("spare", "kept"), [(-1, 1), (0, 2), (1, 2)])
    async def test_the_byte_cap_leaves_a_hole(self, make_store: StoreMaker, spare: int, kept: int) -> None:
        first, second = block([0], padding=100), block([5], sequence=1, padding=50)
        store = make_store(max_session_bytes=first.raw_length + second.raw_length + spare)
        result = await store.apply(write(blocks=[first, second], signals=[signal()]))
        assert (result.outcome, result.version, result.blocks) == (Outcome.APPLIED, 1, kept)
        index = await store.index("a")
        assert index is not None
        assert index.holes == [Hole("w1", "max_bytes", T0 + 5, events=1)][: 2 - kept]
        assert await store.signals("a") == [signal()]

    async def test_after_the_cap_not_even_a_small_block_is_taken(self, make_store: StoreMaker) -> None:
        store = make_store(max_session_bytes=500)
        await store.apply(write(blocks=[block([0], padding=1000)]))
        result = await store.apply(write(base=1, blocks=[block([5], sequence=1)]))
        assert (result.outcome, result.blocks) == (Outcome.APPLIED, 0)
        index = await store.index("a")
        assert index is not None
        assert index.holes == [Hole("w1", "max_bytes", T0, events=2)]

    async def test_signals_are_set_by_id_and_sorted(self, store: Store) -> None:
        await store.apply(write(signals=[signal("b", t=5), signal("c"), signal("a", t=5)]))
        await store.apply(write(base=1, signals=[signal("c", count=9)]))
        assert await store.signals("a") == [signal("c", count=9), signal("a", t=5), signal("b", t=5)]


class TestCompaction:
    async def test_nothing_else_changes(self, store: Store) -> None:
        for n in range(9):
            window = "w2" if n % 3 == 0 else "w1"
            await store.apply(write(base=n, blocks=[block([n], sequence=n, window=window, keyframe=n == 4)]))
        played, loaded = await lines(store.bundle("a")), await store.load("a")
        assert await store.compact("a", 9)
        assert await store.compact("a", 9)
        after = await store.load("a")
        assert loaded is not None
        assert after is not None
        assert await lines(store.bundle("a")) == played
        assert (after.version, after.state, after.record) == (loaded.version, loaded.state, loaded.record)

    async def test_an_old_version_is_left_alone(self, store: Store) -> None:
        await store.apply(write(blocks=[block([0]), block([1], sequence=1)]))
        await store.apply(write(base=1))
        assert not await store.compact("a", 1)

    async def test_an_empty_bundle(self, store: Store) -> None:
        await store.apply(write())
        assert await store.compact("a", 1)
        assert await lines(store.bundle("a")) == []


class TestListings:
    async def test_by_time_score_tag_user_and_page(self, store: Store) -> None:
        await store.apply(write("a", record_of=record("a", score=5.0)))
        await store.apply(write("b", record_of=record("b", score=50.0, started_at=T0 + 9, tags={"dead_click": 2})))
        await store.apply(write("c", record_of=record("c", score=1.0, started_at=T0 + 5, user_id="mia", pages=[])))
        assert await ids(store) == ["b", "c", "a"]
        assert await ids(store, by="score") == ["b", "a", "c"]
        assert await ids(store, by="tag", value="rage_click") == ["c", "a"]
        assert await ids(store, by="tag", value="dead_click") == ["b"]
        assert await ids(store, by="tag", value="none") == []
        assert await ids(store, by="user", value="mia") == ["c"]
        assert await ids(store, by="user", value="anon-1") == ["b", "c", "a"]
        assert await ids(store, by="page", value="https://shop.test/cart") == ["b", "a"]
        assert await ids(store, project_id="empty") == []
        assert await store.projects() == ["shop"]

    async def test_a_changed_score_moves_the_session(self, store: Store) -> None:
        await store.apply_many([write("a"), write("b", record_of=record("b", score=20.0))])
        await store.apply(write("a", base=1, record_of=record("a", score=30.0)))
        assert await ids(store, by="score") == ["a", "b"]

    @pytest.mark.parametrize("by", ["time", "score", "tag"])
    async def test_pages_hold_each_session_once_even_at_equal_scores(self, store: Store, by: str) -> None:
        names = [f"s{n:02}" for n in range(23)]
        await store.apply_many([write(name) for name in names])
        seen: list[str] = []
        cursor = ""
        while True:
            query = {"project_id": "shop", "by": by, "value": "rage_click", "limit": 5, "cursor": cursor}
            page = await store.sessions(msgspec.convert(query, SessionQuery))
            seen += [session.session_id for session in page.sessions]
            cursor = page.cursor
            if not cursor:
                break
        assert sorted(seen) == names

    async def test_a_cursor_outlives_its_session(self, store: Store) -> None:
        for n in range(4):
            await store.apply(write(f"s{n}", record_of=record(f"s{n}", started_at=T0 + n)))
        page = await store.sessions(SessionQuery("shop", limit=2))
        await store.withdraw("s2", "excluded_user")
        assert await ids(store, cursor=page.cursor) == ["s1", "s0"]

    async def test_a_foreign_cursor_is_rejected(self, store: Store) -> None:
        for cursor in ("?", "YQ==", "é", "bnVsbA=="):
            with pytest.raises(Poison):
                await store.sessions(SessionQuery("shop", cursor=cursor))

    @pytest.mark.parametrize("limit", [0, 501])
    async def test_a_limit_out_of_bounds_is_rejected(self, limit: int) -> None:
        with pytest.raises(Poison):
            SessionQuery("shop", limit=limit)

    async def test_deadlines_come_due_in_order(self, store: Store) -> None:
        await store.apply_many([write("a", deadline_ms=T0 + 5), write("b", deadline_ms=T0 + 3), write("c")])
        assert await store.due(T0 + 2, 9) == []
        assert await store.due(T0 + 5, 9) == [("b", T0 + 3), ("a", T0 + 5)]
        assert await store.due(T0 + 5, 9, offset=1) == [("a", T0 + 5)]
        await store.apply(write("b", base=1, deadline_ms=None))
        await store.apply(write("a", base=1, deadline_ms=T0 + 50))
        assert await store.due(T0 + 6, 9) == []
        assert await store.due(T0 + 50, 1) == [("a", T0 + 50)]


class TestDeletion:
    async def test_a_withdrawn_session_leaves_nothing_and_stops_its_owner(self, store: Store) -> None:
        await store.apply(write("keep", signals=[signal("k", session_id="keep")]))
        await store.apply(write(blocks=[block([0])], signals=[signal()], deadline_ms=T0))
        await store.apply(write(base=1, record_of=record(user_id="mia"), deadline_ms=T0))
        await store.note_fate("a", "shop", "late", 1, T0)
        await store.withdraw("a", "excluded_user")
        assert await gone(store, "a")
        assert await store.record("a") is None
        assert await store.index("a") is None
        assert await lines(store.bundle("a")) == []
        assert not await store.compact("a", 3)
        assert await store.signals("a") == []
        assert await store.fates("a") == []
        assert await store.due(T0, 9) == []
        for query in ({}, {"by": "score"}, {"by": "tag", "value": "rage_click"}, {"by": "user", "value": "anon-1"}):
            assert await ids(store, **query) == ["keep"]
        assert await ids(store, by="user", value="mia") == []
        assert (await store.apply(write(base=2))).outcome is Outcome.REFUSED
        await store.withdraw("a", "excluded_user")
        assert await gone(store, "a")


class TestFates:
    async def test_reasons_are_counted_once_for_each_moment(self, store: Store) -> None:
        await store.note_fate("a", "shop", "not_json", 2, T0)
        await store.note_fate("a", "shop", "not_json", 2, T0)
        await store.note_fate("a", "shop", "not_json", 3, T0 + 1)
        await store.note_fate("a", "my shop", "excluded_user", 1, T0)
        expected = [Fate("my shop", "excluded_user", 1, T0), Fate("shop", "not_json", 5, T0 + 1)]
        assert await store.fates("a") == expected

    async def test_the_oldest_are_forgotten(self, make_store: StoreMaker) -> None:
        store = make_store(max_fates=3)
        for n in range(5):
            await store.note_fate(f"s{n}", "shop", "late", 1, T0 + n)
        kept = [n for n in range(5) if await store.fates(f"s{n}")]
        assert kept == [2, 3, 4]


class TestAnyHistory:
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    async def test_however_it_is_cut_repeated_and_compacted_the_bundle_is_the_same(
        self, store: Store, data: st.DataObject
    ) -> None:
        session_id = str(uuid.uuid4())
        size = data.draw(st.integers(1, 12))
        keyframes = data.draw(st.sets(st.integers(0, size - 1)))
        version, place = 0, 0
        while place < size:
            end = data.draw(st.integers(place + 1, size))
            drafts = [block([n], sequence=n, keyframe=n in keyframes) for n in range(place, end)]
            attempt = write(session_id, base=version, blocks=drafts)
            for _ in range(data.draw(st.integers(1, 3))):
                await store.apply(attempt)
            version, place = version + 1, end
            if data.draw(st.booleans()):
                assert await store.compact(session_id, version)
        assert await lines(store.bundle(session_id)) == [("w1", event(n, text="")) for n in range(size)]
