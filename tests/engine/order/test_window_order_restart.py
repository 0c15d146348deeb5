"""The order machine goes on: after a restart, after what others stored, and with another input."""

import msgspec
import pytest

from engine.errors import Broken
from engine.order import Gap, OrderState, Verdict, WindowOrder
from engine.settings import OrderSettings
from tests.engine.order.tape import SETTINGS, WAIT_MS, Tape


class TestRestart:
    def test_positions_seen_are_not_judged_again(self) -> None:
        tape = Tape()
        for seq in (0, 1, 1, 3):
            tape.offer(seq)
        again = Tape(state=tape.order.snapshot())
        assert again.order.replay_from() == 3
        assert [again.offer(seq) for seq in (0, 1, 1)] == [Verdict.REPLAYED] * 3
        assert again.offer(3) is Verdict.HELD
        assert again.offer(2) is Verdict.READY
        assert [held.payload for held in again.order.release()] == ["batch 3"]

    def test_nothing_expires_before_held_batches_came_again(self) -> None:
        tape = Tape()
        tape.offer(2)
        again = Tape(state=tape.order.snapshot())
        assert again.order.deadline() is None
        assert again.order.expire(10 * WAIT_MS).gaps == []
        again.offer(2)
        assert again.order.expire(10 * WAIT_MS).gaps == [Gap(0, 1)]
        assert again.released() == [2]

    def test_no_room_is_made_before_held_batches_came_again(self) -> None:
        tape = Tape()
        tape.offer(1)
        resumed = WindowOrder[str](SETTINGS, tape.order.snapshot())
        assert resumed.make_room(0).gaps == []
        resumed.offer(1, 1, 10, 0, 0, "batch 1")
        assert resumed.make_room(0).gaps == [Gap(0, 0)]

    def test_held_batches_that_never_come_again_are_lost_and_said_to_be(self) -> None:
        tape = Tape()
        tape.offer(2)
        tape.offer(4)
        again = Tape(state=tape.order.snapshot())
        again.position = 0  # position 0 is gone from the log
        assert again.offer(4) is Verdict.HELD
        assert again.offer(0) is Verdict.READY
        expired = again.order.expire(WAIT_MS)
        assert (expired.lost, expired.gaps) == ([2], [Gap(1, 3)])
        assert again.order.expire(WAIT_MS).lost == []

    def test_the_end_does_not_wait_for_them_either(self) -> None:
        tape = Tape()
        tape.offer(2)
        again = Tape(state=tape.order.snapshot())
        expired = again.order.finish()
        assert (expired.lost, expired.gaps) == ([2], [])

    def test_the_state_is_small_data_without_content(self) -> None:
        tape = Tape()
        tape.offer(1, size_bytes=10**7)
        state = tape.order.snapshot()
        packed = msgspec.msgpack.encode(state)
        assert len(packed) < 60
        assert b"batch" not in packed
        assert msgspec.msgpack.decode(packed, type=OrderState) == state

    def test_batches_in_order_must_be_fetched_first(self) -> None:
        tape = Tape()
        tape.offer(1)
        tape.offer(0)
        with pytest.raises(Broken):
            tape.order.snapshot()
        tape.released()
        assert tape.order.snapshot().next_seq == 2

    def test_the_last_position_is_the_highest_offered(self) -> None:
        tape = Tape()
        assert tape.order.last_position == -1
        tape.offer(0)
        tape.offer(9)
        assert tape.order.last_position == 1


class TestSkipping:
    """What was stored by somebody else, or in another input, counts as taken."""

    def test_it_goes_on_after_what_is_stored(self) -> None:
        order = WindowOrder[str](OrderSettings())
        assert order.skip_to(3)
        assert [order.offer(seq, 1, 10, seq, 0, "x") for seq in (2, 3)] == [Verdict.DUPLICATE, Verdict.READY]

    def test_what_was_held_before_it_is_let_go_and_what_follows_is_released(self) -> None:
        order = WindowOrder[str](OrderSettings())
        for position, seq in enumerate((1, 3, 4, 6)):
            order.offer(seq, 1, 10, position, 0, f"batch {seq}")
        assert order.skip_to(3)
        assert [held.payload for held in order.release()] == ["batch 3", "batch 4"]
        assert (order.next_seq, order.held_count, order.held_bytes) == (5, 1, 10)

    @pytest.mark.parametrize("next_seq", [0, 1, 2])
    def test_nothing_changes_where_it_is_further_already(self, next_seq: int) -> None:
        order = WindowOrder[str](OrderSettings())
        order.offer(0, 1, 10, 0, 0, "x")
        order.offer(1, 1, 10, 1, 0, "x")
        before = order.snapshot()
        assert not order.skip_to(next_seq)
        assert order.snapshot() == before


class TestAnotherInput:
    def test_positions_are_judged_anew(self) -> None:
        order = WindowOrder[str](OrderSettings())
        order.offer(0, 1, 10, 70, 0, "x")
        resumed = WindowOrder[str](OrderSettings(), order.snapshot())
        assert resumed.offer(1, 1, 10, 3, 0, "x") is Verdict.REPLAYED
        resumed.forget_positions()
        assert resumed.offer(1, 1, 10, 3, 0, "x") is Verdict.READY
        assert resumed.last_position == 3

    def test_what_was_held_has_to_come_again(self) -> None:
        order = WindowOrder[str](OrderSettings())
        order.offer(2, 1, 10, 70, 0, "x")
        resumed = WindowOrder[str](OrderSettings(), order.snapshot())
        assert resumed.held_count == 1
        resumed.forget_positions()
        assert (resumed.awaits, resumed.held_count, resumed.held_bytes, resumed.replay_from()) == (False, 0, 0, None)
        assert [resumed.offer(seq, 1, 10, seq, 0, "x") for seq in range(3)] == [Verdict.READY] * 3

    def test_what_is_held_with_its_content_stays(self) -> None:
        order = WindowOrder[str](OrderSettings())
        order.offer(1, 1, 10, 70, 0, "kept")
        order.forget_positions()
        assert order.offer(0, 1, 10, 0, 0, "x") is Verdict.READY
        assert [held.payload for held in order.release()] == ["kept"]
