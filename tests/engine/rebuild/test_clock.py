"""A window's clock never falls, and tells silence and set clocks apart."""

from hypothesis import given
from hypothesis import strategies as st

from engine.rebuild.clock import BACKWARD_TOLERANCE_MS, Step, WindowClock

IDLE_MS = 1_800_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
times = st.lists(st.integers(0, 2**53) | st.floats(0, 2**53), max_size=30)


def test_a_step_back_within_the_tolerance_is_held() -> None:
    clock = WindowClock(IDLE_MS, DAY_MS)
    clock.advance(10_000)
    assert clock.advance(10_000 - BACKWARD_TOLERANCE_MS) is Step.ON
    assert clock.now == 10_000


def test_a_clock_set_back_goes_on_from_there() -> None:
    clock = WindowClock(IDLE_MS, DAY_MS)
    clock.advance(2 * HOUR_MS)
    assert clock.advance(HOUR_MS) is Step.RESET
    assert clock.advance(HOUR_MS + 500) is Step.ON
    assert clock.now == 2 * HOUR_MS + 500


def test_silence_is_longer_than_the_idle_timeout() -> None:
    clock = WindowClock(IDLE_MS, DAY_MS)
    clock.advance(0)
    assert clock.advance(IDLE_MS) is Step.ON
    assert clock.advance(2 * IDLE_MS + 1) is Step.IDLE


def test_one_time_of_the_far_future_costs_no_time() -> None:
    clock = WindowClock(IDLE_MS, DAY_MS)
    clock.advance(HOUR_MS)
    assert clock.advance(2**53) is Step.RESET
    assert clock.advance(HOUR_MS + 500) is Step.RESET
    assert clock.advance(HOUR_MS + 700) is Step.ON
    assert clock.now == HOUR_MS + 200


def test_the_longest_silence_is_no_leap() -> None:
    clock = WindowClock(IDLE_MS, DAY_MS)
    clock.advance(0)
    assert clock.advance(DAY_MS) is Step.IDLE
    assert clock.advance(2 * DAY_MS + 1) is Step.RESET
    assert clock.now == DAY_MS


@given(times)
def test_no_number_of_leaps_carries_time_away(moments: list[float]) -> None:
    clock = WindowClock(IDLE_MS, DAY_MS)
    for moment in moments:
        clock.advance(moment)
    assert clock.now <= max(moments, default=0) + DAY_MS * len(moments)


@given(times)
def test_time_never_falls(moments: list[float]) -> None:
    clock, before = WindowClock(IDLE_MS, DAY_MS), -1
    for moment in moments:
        clock.advance(moment)
        assert clock.now >= before
        before = clock.now
