"""Holes as sets of missing batches."""

from hypothesis import given
from hypothesis import strategies as st

from replay.holes import MAX_HOLES, change_holes
from replay.writes import FilledRange
from schemas.bundle_index import Hole

RANGES = st.tuples(st.integers(0, 30), st.integers(0, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def missing(holes: list[Hole]) -> set[int]:
    covered = [seq for hole in holes for seq in range(hole.first_seq or 0, (hole.last_seq or 0) + 1)]
    assert len(covered) == len(set(covered)), "holes overlap"
    return set(covered)


@given(st.lists(RANGES), st.lists(RANGES))
def test_holes_are_what_was_missing_less_what_came(gaps: list[tuple[int, int]], fills: list[tuple[int, int]]) -> None:
    expected: set[int] = set()
    for first, last in gaps:
        expected |= set(range(first, last + 1))
    holes = change_holes([], [Hole("w", "gap", first, first, last) for first, last in gaps])
    assert missing(holes) == expected
    for first, last in fills:
        expected -= set(range(first, last + 1))
        holes = change_holes(holes, filled=[FilledRange("w", first, last)])
    assert missing(holes) == expected
    bounds = [(hole.first_seq or 0, hole.last_seq or 0) for hole in holes]
    assert bounds == sorted(bounds)


@given(st.lists(RANGES, max_size=8))
def test_the_order_of_writes_does_not_matter(gaps: list[tuple[int, int]]) -> None:
    holes = [Hole("w", "gap", 7, first, last) for first, last in gaps]
    one_by_one: list[Hole] = []
    for hole in reversed(holes):
        one_by_one = change_holes(one_by_one, [hole])
    assert missing(one_by_one) == missing(change_holes([], holes))


def test_windows_and_reasons_stay_apart() -> None:
    holes = [Hole("w2", "gap", 1, 0, 3), Hole("w1", "gap", 1, 4, 5), Hole("w1", "undecodable", 1, 5, 6)]
    assert change_holes([], holes) == [holes[1], holes[2], holes[0]]
    assert change_holes(holes, filled=[FilledRange("w1", 5, 5)]) == [
        Hole("w1", "gap", 1, 4, 4), Hole("w1", "undecodable", 1, 6, 6), holes[0],
    ]  # fmt: skip


def test_holes_without_a_range_become_one() -> None:
    holes = change_holes([Hole("w", "max_bytes", 9, events=3)], [Hole("w", "max_bytes", 5, events=4)])
    assert holes == [Hole("w", "max_bytes", 5, events=7)]
    assert change_holes(holes, filled=[FilledRange("w", 0, 99)]) == holes


def test_the_same_hole_again_changes_nothing() -> None:
    hole = Hole("w", "gap", 5, 1, 2, events=4)
    assert change_holes([hole], [hole]) == [hole]


def test_a_flood_of_holes_is_counted_in_one() -> None:
    for count, whole in ((MAX_HOLES, 0), (MAX_HOLES + 5, 1)):
        holes = change_holes([], [Hole("w", "gap", n, 2 * n, 2 * n) for n in range(count)])
        assert len(holes) == min(count, MAX_HOLES) + whole
        assert [hole.t for hole in holes if hole.first_seq is None] == [MAX_HOLES][:whole]
