"""Token buckets: what they let through over any time, and that they stay small."""

from hypothesis import given
from hypothesis import strategies as st

from replay.server.limits import MAX_BUCKETS, Rate, network_of


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@given(st.lists(st.integers(0, 3_000), max_size=200), st.integers(1, 50), st.integers(1, 20))
def test_never_more_than_the_burst_and_the_rate(pauses_ms: list[int], burst: int, per_second: int) -> None:
    clock = Clock()
    rate = Rate(per_second, burst, clock)
    started_ms, taken = clock.now_ms, 0
    for pause_ms in pauses_ms:
        clock.now_ms += pause_ms
        taken += rate.take("a") == 0
        assert taken <= burst + per_second * (clock.now_ms - started_ms) / 1_000 + 1e-6


@given(st.integers(1, 50), st.integers(1, 20))
def test_after_the_time_it_names_there_is_one_again(burst: int, per_second: int) -> None:
    clock = Clock()
    rate = Rate(per_second, burst, clock)
    while not (seconds := rate.take("a")):
        pass
    assert 0 < seconds <= 1 / per_second + 1e-9
    clock.now_ms += int(seconds * 1_000) + 1
    assert rate.take("a") == 0


def test_one_does_not_pay_for_another() -> None:
    rate = Rate(1, 1, Clock())
    assert rate.take("a") == 0
    assert rate.take("a") > 0
    assert rate.take("b") == 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    clock = Clock()
    rate = Rate(1, 1, clock)
    rate.take("a")
    clock.now_ms -= 10_000
    assert rate.take("a") > 0


def test_only_so_many_are_watched() -> None:
    rate = Rate(1, 1, Clock())
    for number in range(MAX_BUCKETS + 10):
        rate.take(str(number))
    assert len(rate) == MAX_BUCKETS
    assert rate.take(str(MAX_BUCKETS + 9)) > 0, "the latest are not forgotten"


def test_addresses_of_one_network_count_as_one() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") != network_of("192.0.2.2")
    assert network_of("a socket") == "a socket"
