"""The arrival clock of recorded input."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.arrival import SENDERS, WITNESSES, ArrivalClock

HOUR_MS = 3_600_000
MOMENTS = st.integers(0, 2**53)
TOLD = st.lists(st.tuples(MOMENTS, st.sampled_from("abcdef")), max_size=50)


def test_it_starts_with_the_first_batch() -> None:
    assert ArrivalClock().saw(1_000, "a") == 1_000


def test_one_batch_of_the_far_future_does_not_move_it() -> None:
    clock = ArrivalClock()
    for second in range(20):
        clock.saw(second * 1_000, "a")
    before = clock.now_ms
    assert clock.saw(1_000 * HOUR_MS, "a") < before + 2_000
    for second in range(20, 24):
        assert clock.saw(second * 1_000, "a") <= second * 1_000


def test_many_batches_that_agree_move_it_if_there_is_one_session() -> None:
    clock = ArrivalClock()
    clock.saw(0, "a")
    for _ in range(WITNESSES):
        clock.saw(HOUR_MS, "a")
    assert clock.now_ms == HOUR_MS


def test_many_batches_of_one_session_do_not_move_it_if_there_are_others() -> None:
    clock = ArrivalClock()
    clock.saw(0, "a")
    for _ in range(10 * WITNESSES):
        clock.saw(2**53, "wrong")
    assert clock.now_ms == 0
    for second in range(WITNESSES):
        clock.saw(second * 1_000, "a")
        clock.saw(second * 1_000, "b")
        clock.saw(2**53, "wrong")
    assert 1_000 <= clock.now_ms <= 4_000


def test_it_lags_behind_sessions_that_follow_each_other() -> None:
    clock = ArrivalClock()
    for number in range(9):
        for _ in range(WITNESSES):
            clock.saw(number * HOUR_MS, f"s{number}")
        assert clock.now_ms == max(number - SENDERS + 1, 0) * HOUR_MS


def test_a_batch_ahead_of_the_clock_arrived_when_it_says() -> None:
    clock = ArrivalClock()
    for second in range(WITNESSES):
        clock.saw(second * 1_000, "a")
    clock.saw(HOUR_MS, "a")
    assert clock.arrival_of(HOUR_MS) == HOUR_MS
    assert clock.arrival_of(0) == clock.now_ms


@given(TOLD)
def test_it_never_falls_and_never_runs_ahead_of_what_was_sent(told: list[tuple[int, str]]) -> None:
    clock, before = ArrivalClock(), 0
    for place, (moment, session_id) in enumerate(told):
        now = clock.saw(moment, session_id)
        assert before <= now <= max(moment for moment, _ in told[: place + 1])
        before = now


@given(TOLD, st.data())
def test_one_session_moves_it_no_further_than_others_are(told: list[tuple[int, str]], data: st.DataObject) -> None:
    clock, furthest = ArrivalClock(), 0
    for place, (moment, session_id) in enumerate(told):
        furthest = max(furthest, moment)
        clock.saw(moment, session_id)
        for wrong in data.draw(st.lists(st.just(2**53) | MOMENTS, max_size=2 * WITNESSES), label=f"after {place}"):
            assert clock.saw(wrong, "wrong") <= furthest


@given(TOLD, MOMENTS)
def test_it_moves_on_once_enough_batches_and_sessions_have(told: list[tuple[int, str]], moment: int) -> None:
    clock = ArrivalClock()
    for earlier, session_id in told:
        clock.saw(earlier, session_id)
    for number in range(max(WITNESSES, SENDERS)):
        clock.saw(moment, f"agrees {number % SENDERS}")
    assert clock.now_ms >= moment
