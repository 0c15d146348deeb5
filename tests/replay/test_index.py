"""Offsets, order, seeking, the cap and the plan of a compaction."""

from hypothesis import given
from hypothesis import strategies as st

from replay.compaction import merge_blocks, plan_compaction
from replay.index import blocks_to_play, cap_blocks, late_events, place_blocks, playing_order, seek
from replay.writes import BlockDraft
from schemas.bundle_index import BlockEntry, BundleIndex, Hole
from tests.replay.samples import T0, block


def index_of(drafts: list[BlockDraft], holes: list[Hole] | None = None) -> BundleIndex:
    blocks = place_blocks(drafts, 0)
    return BundleIndex("a", 1, blocks, holes or [], sum(entry.length for entry in blocks))


def sequences(blocks: list[BlockEntry]) -> list[int]:
    return [entry.sequence for entry in blocks]


@st.composite
def bundles(draw: st.DrawFn) -> BundleIndex:
    drafts = []
    for sequence in range(draw(st.integers(1, 10))):
        t = draw(st.integers(0, 100))
        drafts.append(
            block(
                [t, t + draw(st.integers(0, 30))],
                window=draw(st.sampled_from(["w1", "w2"])),
                sequence=sequence,
                keyframe=draw(st.booleans()),
                late=draw(st.booleans()),
            )
        )
    return index_of(draw(st.permutations(drafts)))


def test_blocks_lie_one_after_the_other() -> None:
    drafts = [block([0]), block([1], padding=50)]
    placed = place_blocks(drafts, 100)
    assert [entry.offset for entry in placed] == [100, 100 + len(drafts[0].data)]
    assert [entry.length for entry in placed] == [len(draft.data) for draft in drafts]


def test_blocks_of_one_batch_keep_their_order() -> None:
    index = index_of([block([5], sequence=3), block([1], sequence=3), block([9], sequence=2)])
    assert [entry.first_t - T0 for entry in playing_order(index.blocks)] == [9, 5, 1]


def test_a_seek_reads_from_the_keyframe_before_to_the_block_that_covers_the_moment() -> None:
    index = index_of([
        block([0, 9], keyframe=True), block([10, 19], sequence=1), block([20, 29], sequence=2, keyframe=True),
        block([30, 39], sequence=3), block([40, 49], sequence=4),
    ])  # fmt: skip
    first, second, third, fourth, fifth = index.blocks
    assert seek(index, "w1", T0 + 15) == (0, second.offset + second.length)
    assert seek(index, "w1", T0 + 20) == (third.offset, third.length)
    assert seek(index, "w1", T0 + 35) == (third.offset, third.length + fourth.length)
    assert seek(index, "w1", T0 + 999) == (third.offset, third.length + fourth.length + fifth.length)
    assert seek(index, "w1", T0 - 999) == (0, first.length)
    assert seek(index, "w9", T0) is None


def test_a_window_without_a_keyframe_before_starts_at_what_comes_nearest() -> None:
    late_start = index_of([block([0]), block([10], sequence=1, keyframe=True), block([20], sequence=2)])
    assert sequences(blocks_to_play(late_start, "w1", T0, T0)) == [1]
    none = index_of([block([0]), block([10], sequence=1)])
    assert sequences(blocks_to_play(none, "w1", T0 + 10, T0 + 10)) == [0, 1]


@given(bundles(), st.integers(-10, 150))
def test_a_seek_holds_a_keyframe_and_everything_up_to_the_moment(index: BundleIndex, after: int) -> None:
    t = T0 + after
    for window in ("w1", "w2"):
        own = playing_order([entry for entry in index.blocks if entry.window_id == window])
        found = seek(index, window, t)
        if found is None:
            assert not own
            continue
        offset, length = found
        chosen = blocks_to_play(index, window, t, t)
        assert all(offset <= e.offset and e.offset + e.length <= offset + length for e in chosen)
        start = own.index(chosen[0])
        assert chosen == own[start : start + len(chosen)]
        assert not any(e.keyframe and e.first_t <= t for e in own[start + 1 :])
        assert chosen[0].keyframe or not any(e.keyframe for e in own)
        assert {e.sequence for e in own[start:] if e.first_t <= t} <= set(sequences(chosen))


@given(st.lists(st.integers(1, 50), max_size=8), st.integers(0, 200))
def test_the_cap_keeps_what_comes_first_and_counts_the_rest(sizes: list[int], room: int) -> None:
    drafts = [block([n], sequence=n, window=f"w{n % 2}", padding=size) for n, size in enumerate(sizes)]
    kept, holes = cap_blocks(drafts, room)
    assert list(kept) == drafts[: len(kept)]
    assert sum(draft.raw_length for draft in kept) <= max(room, 0)
    assert len(kept) == len(drafts) or sum(draft.raw_length for draft in drafts[: len(kept) + 1]) > room
    assert sum(hole.events for hole in holes) == len(drafts) - len(kept)


def test_late_events_are_counted() -> None:
    assert late_events(index_of([block([0, 1]), block([2, 3, 4], late=True)])) == 3


class TestPlan:
    def test_cuts_at_keyframes_windows_late_data_and_holes(self) -> None:
        drafts = [
            block([0], sequence=0, keyframe=True), block([1], sequence=1), block([2], sequence=2, late=True),
            block([3], sequence=3), block([4], sequence=4, keyframe=True), block([5], sequence=5),
            block([9], sequence=9), block([10], sequence=10), block([8], window="w2"),
        ]  # fmt: skip
        groups = plan_compaction(index_of(drafts, [Hole("w1", "gap", T0, 6, 8), Hole("w2", "gap", T0, 1, 1)]), 1 << 20)
        assert [sequences(group) for group in groups] == [[0, 1], [2], [3], [4, 5], [9, 10], [0]]

    def test_a_group_holds_at_most_the_size_asked_for(self) -> None:
        drafts = [block([n], sequence=n, padding=100) for n in range(6)]
        size = drafts[0].raw_length
        for limit, expected in ((2 * size - 1, 6), (2 * size, 3), (2 * size + 1, 3), (1, 6)):
            assert len(plan_compaction(index_of(drafts), limit)) == expected

    @given(bundles())
    def test_nothing_is_lost_and_the_order_is_kept(self, index: BundleIndex) -> None:
        groups = plan_compaction(index, 200)
        assert [entry for group in groups for entry in group] == playing_order(index.blocks)
        assert all(not entry.keyframe for group in groups for entry in group[1:])

    @given(bundles())
    async def test_merging_twice_plays_the_same(self, index: BundleIndex) -> None:
        async def fetch(_offset: int, _length: int) -> bytes:
            return block([0, 1]).data

        groups = plan_compaction(index, 1 << 20)
        entries, data = await merge_blocks(groups, fetch)
        assert playing_order(entries) == entries
        assert sum(entry.length for entry in entries) == len(data)
        assert sum(entry.events for entry in entries) == sum(entry.events for entry in index.blocks)
        again = BundleIndex("a", 1, entries, [], len(data))
        assert [len(group) for group in plan_compaction(again, 1 << 20)] == [1] * len(entries)
