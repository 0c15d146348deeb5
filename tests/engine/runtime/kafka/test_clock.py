"""The arrival clock of a partition."""

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.kafka.clock import PartitionClock

times = st.integers(-1, 1_000)


@given(st.lists(st.tuples(st.booleans(), times, times)))
def test_it_never_falls_and_is_never_ahead_of_what_it_was_told_the_time_is(
    told: list[tuple[bool, int, int]],
) -> None:
    clock, latest_wall_ms = PartitionClock(), 0
    for is_idle, record_ms, wall_ms in told:
        before_ms, latest_wall_ms = clock.now_ms, max(latest_wall_ms, wall_ms)
        now_ms = clock.idle(wall_ms) if is_idle else clock.saw(record_ms, wall_ms)
        assert now_ms == clock.now_ms
        assert before_ms <= now_ms <= latest_wall_ms
        assert not is_idle or now_ms >= wall_ms


def test_records_that_waited_arrived_when_they_were_written() -> None:
    clock = PartitionClock()
    assert [clock.saw(at_ms, 9_000) for at_ms in (1_000, 2_000, 1_500, 8_000)] == [1_000, 2_000, 2_000, 8_000]


def test_a_record_of_the_future_arrived_now() -> None:
    assert PartitionClock().saw(20_000, 9_000) == 9_000


def test_a_record_without_a_time_does_not_move_it() -> None:
    clock = PartitionClock()
    clock.saw(5_000, 9_000)
    assert clock.saw(-1, 9_000) == 5_000


def test_an_idle_partition_goes_by_the_wall_clock() -> None:
    clock = PartitionClock()
    clock.saw(1_000, 9_000)
    assert clock.idle(9_000) == 9_000
    assert clock.saw(2_000, 9_500) == 9_000
