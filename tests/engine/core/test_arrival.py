"""The arrival clock of recorded input."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.arrival import WITNESSES, ArrivalClock

HOUR_MS = 3_600_000


def test_it_starts_with_the_first_batch() -> None:
    assert ArrivalClock().saw(1_000) == 1_000


def test_one_batch_of_the_far_future_does_not_move_it() -> None:
    clock = ArrivalClock()
    for second in range(20):
        clock.saw(second * 1_000)
    before = clock.now_ms
    assert clock.saw(1_000 * HOUR_MS) < before + 2_000
    for second in range(20, 24):
        assert clock.saw(second * 1_000) <= second * 1_000


def test_many_batches_that_agree_move_it() -> None:
    clock = ArrivalClock()
    clock.saw(0)
    for _ in range(WITNESSES):
        clock.saw(HOUR_MS)
    assert clock.now_ms == HOUR_MS


def test_a_batch_ahead_of_the_clock_arrived_when_it_says() -> None:
    clock = ArrivalClock()
    for second in range(WITNESSES):
        clock.saw(second * 1_000)
    clock.saw(HOUR_MS)
    assert clock.arrival_of(HOUR_MS) == HOUR_MS
    assert clock.arrival_of(0) == clock.now_ms


@given(st.lists(st.integers(0, 2**53), max_size=50))
def test_it_never_falls_and_never_runs_ahead_of_what_was_sent(moments: list[int]) -> None:
    clock, before = ArrivalClock(), 0
    for place, moment in enumerate(moments):
        now = clock.saw(moment)
        assert before <= now <= max(moments[: place + 1])
        before = now
