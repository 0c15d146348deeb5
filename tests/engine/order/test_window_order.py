"""The order machine by example: each rule of its table, at, under and over its limits."""

import msgspec
import pytest

from engine.order import Gap, Verdict, fingerprint
from engine.order.ranges import MAX_HOLES
from engine.order.window_order import RECENT_FINGERPRINTS
from engine.settings import OrderSettings
from tests.engine.order.tape import WAIT_MS, Tape, numbers


def test_batches_in_order_are_ready_at_once() -> None:
    tape = Tape()
    assert [tape.offer(seq) for seq in range(5)] == [Verdict.READY] * 5
    assert tape.released() == []
    assert tape.order.deadline() is None
    assert tape.order.replay_from() is None


def test_a_gap_holds_what_follows_until_it_is_filled() -> None:
    tape = Tape()
    tape.offer(0)
    assert [tape.offer(2), tape.offer(3), tape.offer(5)] == [Verdict.HELD] * 3
    assert tape.released() == []
    assert tape.order.replay_from() == 1
    assert tape.offer(1) is Verdict.READY
    released = tape.order.release()
    assert numbers(released) == [2, 3]
    assert [held.payload for held in released] == ["batch 2", "batch 3"]
    assert tape.order.release() == []
    assert tape.order.replay_from() == 3


def test_a_window_first_seen_in_the_middle_waits_like_for_any_gap() -> None:
    tape = Tape()
    assert tape.offer(7) is Verdict.HELD
    assert tape.order.deadline() == WAIT_MS
    assert tape.order.expire(WAIT_MS).gaps == [Gap(0, 6)]
    assert tape.released() == [7]
    assert tape.offer(8) is Verdict.READY


@pytest.mark.parametrize(("now_ms", "given_up"), [(WAIT_MS - 1, False), (WAIT_MS, True), (WAIT_MS + 1, True)])
def test_a_gap_is_given_up_when_its_wait_is_over(now_ms: int, *, given_up: bool) -> None:
    tape = Tape()
    tape.offer(2)
    expired = tape.order.expire(now_ms)
    assert expired.gaps == ([Gap(0, 1)] if given_up else [])
    assert tape.released() == ([2] if given_up else [])


def test_each_gap_waits_from_when_it_was_noticed() -> None:
    tape = Tape()
    tape.offer(1)
    tape.now_ms = 1000
    tape.offer(3)
    assert tape.order.expire(WAIT_MS).gaps == [Gap(0, 0)]
    assert tape.released() == [1]
    assert tape.order.deadline() == WAIT_MS + 1000
    assert tape.order.expire(WAIT_MS + 1000).gaps == [Gap(2, 2)]
    assert tape.released() == [3]


def test_what_comes_for_a_hole_is_late_once_and_a_duplicate_then() -> None:
    tape = Tape()
    tape.offer(5)
    tape.order.expire(WAIT_MS)
    tape.released()
    assert [tape.offer(seq) for seq in (2, 2, 0, 4, 4)] == [
        Verdict.LATE,
        Verdict.DUPLICATE,
        Verdict.LATE,
        Verdict.LATE,
        Verdict.DUPLICATE,
    ]
    assert tape.order.snapshot().holes == ((1, 1), (3, 3))


def test_duplicates_are_known_however_old() -> None:
    tape = Tape()
    for seq in range(10_000):
        tape.offer(seq)
    assert {tape.offer(seq) for seq in range(10_000)} == {Verdict.DUPLICATE}


def test_a_duplicate_of_a_held_batch_is_one() -> None:
    tape = Tape()
    tape.offer(3)
    assert tape.offer(3) is Verdict.DUPLICATE
    assert tape.order.held_count == 1


def test_other_content_under_the_same_number_is_a_conflict_while_remembered() -> None:
    tape = Tape()
    for seq in range(RECENT_FINGERPRINTS + 1):
        tape.offer(seq)
    assert tape.offer(0, content=-1) is Verdict.DUPLICATE  # forgotten: more than 64 batches ago
    assert tape.offer(1, content=-1) is Verdict.CONFLICT
    tape.offer(100)
    assert tape.offer(100, content=-1) is Verdict.CONFLICT


def test_a_late_batch_is_remembered_for_conflicts() -> None:
    tape = Tape()
    tape.offer(2)
    tape.order.expire(WAIT_MS)
    tape.released()
    tape.offer(1)
    assert tape.offer(1, content=-1) is Verdict.CONFLICT


def test_a_far_jump_is_dropped_when_the_window_went_on() -> None:
    tape = Tape()
    tape.offer(0)
    assert tape.offer(10**9) is Verdict.HELD
    for seq in range(1, 400):
        assert tape.offer(seq) is Verdict.READY
    expired = tape.order.expire(WAIT_MS)
    assert (expired.gaps, numbers(expired.jumped)) == ([], [10**9])
    assert tape.order.deadline() is None
    assert tape.offer(400) is Verdict.READY


def test_a_far_jump_followed_by_nothing_is_accepted_at_its_deadline() -> None:
    tape = Tape()
    tape.offer(0)
    tape.offer(5000)
    tape.offer(5001)
    assert tape.order.expire(WAIT_MS - 1).gaps == []
    expired = tape.order.expire(WAIT_MS)
    assert (expired.gaps, expired.jumped) == ([Gap(1, 4999)], [])
    assert tape.released() == [5000, 5001]
    assert tape.offer(5002) is Verdict.READY


@pytest.mark.parametrize(("seq", "dropped"), [(1001, False), (1002, True)])
def test_a_jump_is_more_than_max_gap_batches_ahead(seq: int, *, dropped: bool) -> None:
    tape = Tape(OrderSettings(max_gap_batches=1000))
    tape.offer(0)
    tape.offer(seq)  # 1 is next
    tape.now_ms = 1
    tape.offer(2)
    expired = tape.order.expire(WAIT_MS + 1)
    assert bool(expired.jumped) is dropped
    assert expired.gaps[0] == Gap(1, 1)


def test_the_furthest_of_two_jumps_does_not_win() -> None:
    tape = Tape()
    tape.offer(10**9)
    tape.offer(2000)
    tape.offer(2001)
    expired = tape.order.expire(WAIT_MS)
    assert (expired.gaps, numbers(expired.jumped)) == ([Gap(0, 1999)], [10**9])
    assert tape.released() == [2000, 2001]


def test_a_jump_waits_behind_a_gap_that_is_older() -> None:
    tape = Tape()
    tape.offer(1)
    tape.now_ms = 10
    tape.offer(5000)
    assert tape.order.expire(WAIT_MS).gaps == [Gap(0, 0)]
    assert tape.released() == [1]
    assert tape.order.expire(WAIT_MS + 10).gaps == [Gap(2, 4999)]
    assert tape.released() == [5000]


@pytest.mark.parametrize(("held", "given_up"), [(3, False), (4, False), (5, True)])
def test_no_more_batches_are_held_than_allowed(held: int, *, given_up: bool) -> None:
    tape = Tape(OrderSettings(max_held_batches=4))
    for seq in range(1, held + 1):
        tape.offer(seq)
    assert (tape.order.deadline() == 0) is given_up
    assert tape.order.expire(0).gaps == ([Gap(0, 0)] if given_up else [])
    assert tape.order.held_count <= 4


@pytest.mark.parametrize(("size_bytes", "given_up"), [(49, False), (50, False), (51, True)])
def test_no_more_bytes_are_held_than_allowed(size_bytes: int, *, given_up: bool) -> None:
    tape = Tape(OrderSettings(max_held_bytes=100))
    tape.offer(2, size_bytes=50)
    tape.offer(1, size_bytes=size_bytes)
    assert tape.order.expire(0).gaps == ([Gap(0, 0)] if given_up else [])
    assert tape.released() == ([1, 2] if given_up else [])


def test_bytes_of_released_batches_are_free_again() -> None:
    tape = Tape(OrderSettings(max_held_bytes=100))
    for seq in range(0, 20, 2):
        tape.offer(seq + 1, size_bytes=100)
        assert tape.order.expire(0).gaps == []
        tape.offer(seq)
        assert tape.released() == [seq + 1]


def test_room_is_made_on_demand_by_gaps_given_up_one_by_one() -> None:
    tape = Tape()
    tape.offer(0)
    for seq in (2, 4, 5, 7):
        tape.offer(seq, size_bytes=100)
    assert tape.order.held_bytes == 400
    assert tape.order.make_room(400).gaps == []
    assert tape.order.make_room(399).gaps == [Gap(1, 1)]
    assert tape.released() == [2]
    assert tape.order.make_room(100).gaps == [Gap(3, 3)]
    assert tape.released() == [4, 5]
    assert tape.order.make_room(0).gaps == [Gap(6, 6)]
    assert (tape.released(), tape.order.held_bytes) == ([7], 0)


def test_room_is_made_by_overtaken_jumps_first() -> None:
    tape = Tape()
    tape.offer(10**6, size_bytes=100)
    tape.offer(0)
    tape.offer(2, size_bytes=100)
    expired = tape.order.make_room(150)
    assert (numbers(expired.jumped), expired.gaps) == ([10**6], [])


def test_a_flood_of_jumps_gives_way_to_the_window_itself() -> None:
    tape = Tape(OrderSettings(max_held_batches=4))
    jumped: list[int] = []
    for seq in range(50):
        assert tape.offer(seq) is Verdict.READY
        tape.offer(10**6 + 2 * seq)
        expired = tape.order.expire(0)
        assert expired.gaps == []
        jumped += numbers(expired.jumped)
    assert jumped == [10**6 + 2 * seq for seq in range(46)]


def test_a_gap_is_not_given_up_for_overtaken_jumps() -> None:
    tape = Tape(OrderSettings(max_held_batches=2))
    tape.offer(10**6)
    tape.offer(1)
    tape.offer(2)
    expired = tape.order.expire(0)
    assert (expired.gaps, numbers(expired.jumped)) == ([], [10**6])
    assert tape.offer(0) is Verdict.READY


def test_the_end_gives_up_everything() -> None:
    tape = Tape()
    for seq in (1, 3, 9000):
        tape.offer(seq)
    expired = tape.order.finish()
    assert expired.gaps == [Gap(0, 0), Gap(2, 2), Gap(4, 8999)]
    assert tape.released() == [1, 3, 9000]
    assert tape.order.deadline() is None
    assert tape.offer(9001) is Verdict.READY


def test_holes_are_bounded_and_the_oldest_are_closed() -> None:
    tape = Tape()
    for seq in range(1, 2 * MAX_HOLES + 3, 2):  # one hole more than is remembered
        tape.offer(seq)
    assert len(tape.order.finish().gaps) == MAX_HOLES + 1
    tape.released()
    assert tape.order.holes_closed == 1
    assert tape.offer(0) is Verdict.DUPLICATE  # never taken twice, though lost
    assert tape.offer(2) is Verdict.LATE
    assert len(tape.order.snapshot().holes) == MAX_HOLES - 1


def test_a_hole_that_is_split_counts_too() -> None:
    tape = Tape()
    tape.offer(1000)
    tape.order.finish()
    tape.released()
    for seq in range(1, 1000, 2):
        tape.offer(seq)
    assert len(tape.order.snapshot().holes) == MAX_HOLES


def test_fingerprints_tell_contents_apart() -> None:
    assert fingerprint(b"[1]") == fingerprint(msgspec.Raw(b"[1]"))
    assert fingerprint(b"[1]") != fingerprint(b"[2]")
    assert fingerprint(b"") != fingerprint(b"\0")
    assert 0 <= fingerprint(b"x" * 1000) < 2**64
