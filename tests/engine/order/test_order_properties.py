"""What holds for every arrival: nothing lost, nothing doubled, one order, however cut and replayed."""

from collections import Counter
from random import Random
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.order import Expired, OrderState, Verdict, WindowOrder
from engine.order.ranges import MAX_HOLES
from engine.settings import OrderSettings

SETTINGS = OrderSettings(gap_wait_ms=1000, max_held_batches=6, max_held_bytes=1000, max_gap_batches=20)
ROOMY = OrderSettings(gap_wait_ms=1_000_000, max_held_batches=64)


class Arrival(NamedTuple):
    seq: int
    content: int
    size_bytes: int
    pause_ms: int


ARRIVALS = st.lists(
    st.builds(
        Arrival,
        seq=st.one_of(st.integers(0, 30), st.integers(0, 200), st.just(10**9), st.integers(0, 2**53)),
        content=st.sampled_from([0, 0, 0, 1]),
        size_bytes=st.integers(1, 400),
        pause_ms=st.sampled_from([0, 0, 0, 1, 200, 999, 1000, 5000]),
    ),
    max_size=60,
)


class Run:
    """Feeds arrivals and keeps account of what became of each."""

    def __init__(self) -> None:
        self.order: WindowOrder[int] = WindowOrder(SETTINGS)
        self.now_ms = 0
        self.in_order: list[int] = []
        self.verdicts: dict[int, Verdict] = {}
        self.fate: Counter[int] = Counter()

    def feed(self, position: int, arrival: Arrival) -> None:
        verdict = self.order.offer(
            arrival.seq, arrival.content, arrival.size_bytes, position, self.now_ms, payload=position
        )
        if verdict is Verdict.REPLAYED:
            return
        if verdict is Verdict.HELD and self.verdicts.get(position) is Verdict.HELD:
            return
        self.verdicts[position] = verdict
        if verdict is Verdict.READY:
            self.in_order.append(arrival.seq)
        if verdict is not Verdict.HELD:
            self.fate[position] += 1
        self._settle(self.order.expire(self.now_ms))

    def _settle(self, expired: Expired[int]) -> None:
        assert expired.lost == []
        for held in expired.jumped:
            assert held.payload is not None
            self.fate[held.payload] += 1
        for held in self.order.release():
            assert held.payload is not None
            self.fate[held.payload] += 1
            self.in_order.append(held.seq)

    def finish(self) -> None:
        self._settle(self.order.finish())

    def restart(self, arrivals: list[Arrival], upto: int) -> None:
        """Crash after position `upto`; come back from the packed state and read the input again."""
        start = self.order.replay_from()
        packed = msgspec.msgpack.encode(self.order.snapshot())
        self.order = WindowOrder(SETTINGS, msgspec.msgpack.decode(packed, type=OrderState))
        for position in range(upto + 1 if start is None else start, upto + 1):
            self.feed(position, arrivals[position])


def run(arrivals: list[Arrival], restarts: frozenset[int] = frozenset()) -> Run:
    result = Run()
    for position, arrival in enumerate(arrivals):
        result.now_ms += arrival.pause_ms
        result.feed(position, arrival)
        if position in restarts:
            result.restart(arrivals, position)
    result.finish()
    return result


@given(ARRIVALS)
def test_every_batch_has_exactly_one_fate(arrivals: list[Arrival]) -> None:
    result = run(arrivals)
    assert result.fate == Counter(range(len(arrivals)))


@given(ARRIVALS)
def test_numbers_in_order_rise_and_are_never_taken_twice(arrivals: list[Arrival]) -> None:
    result = run(arrivals)
    assert result.in_order == sorted(set(result.in_order))
    late = [arrivals[position].seq for position, verdict in result.verdicts.items() if verdict is Verdict.LATE]
    assert len(late) == len(set(late))
    assert not set(late) & set(result.in_order)


@given(ARRIVALS)
def test_everything_below_the_next_number_was_taken_or_is_in_a_hole(arrivals: list[Arrival]) -> None:
    result = run(arrivals)
    state = result.order.snapshot()
    if state.holes_closed:
        return
    taken = len(result.in_order) + sum(verdict is Verdict.LATE for verdict in result.verdicts.values())
    assert taken + sum(last - first + 1 for first, last in state.holes) == state.next_seq
    assert list(state.holes) == sorted(state.holes)


@given(ARRIVALS, st.frozensets(st.integers(0, 59)))
def test_restarts_change_nothing(arrivals: list[Arrival], restarts: frozenset[int]) -> None:
    straight, broken = run(arrivals), run(arrivals, restarts)
    assert broken.in_order == straight.in_order
    assert broken.verdicts == straight.verdicts
    assert broken.fate == straight.fate
    assert broken.order.snapshot() == straight.order.snapshot()


@given(ARRIVALS)
def test_memory_is_bounded_whatever_comes(arrivals: list[Arrival]) -> None:
    result = Run()
    for position, arrival in enumerate(arrivals):
        result.now_ms += arrival.pause_ms
        result.feed(position, arrival)
        state = result.order.snapshot()
        assert len(state.held) <= SETTINGS.max_held_batches
        assert sum(held.size_bytes for held in state.held) <= SETTINGS.max_held_bytes
        assert len(state.holes) <= MAX_HOLES


@given(ARRIVALS)
def test_deadlines_are_kept(arrivals: list[Arrival]) -> None:
    result = Run()
    for position, arrival in enumerate(arrivals):
        result.now_ms += arrival.pause_ms
        result.feed(position, arrival)
        deadline = result.order.deadline()
        assert (deadline is None) == (result.order.held_count == 0)
        assert deadline is None or result.now_ms < deadline <= result.now_ms + SETTINGS.gap_wait_ms
    while (deadline := result.order.deadline()) is not None:
        held = result.order.held_count
        result._settle(result.order.expire(deadline))
        assert result.order.held_count < held


@given(st.permutations(range(20)), st.lists(st.integers(0, 19), max_size=20), st.randoms(use_true_random=False))
def test_any_permutation_with_resends_gives_the_order_sent(sent: list[int], again: list[int], shuffler: Random) -> None:
    arrivals = [*sent, *again]
    shuffler.shuffle(arrivals)
    order: WindowOrder[None] = WindowOrder(ROOMY)
    seen: list[int] = []
    verdicts: Counter[Verdict] = Counter()
    for position, seq in enumerate(arrivals):
        verdict = order.offer(seq, seq, 1, position, 0, None)
        verdicts[verdict] += 1
        if verdict is Verdict.READY:
            seen.append(seq)
        seen += [held.seq for held in order.release()]
    assert seen == list(range(20))
    assert verdicts[Verdict.READY] + verdicts[Verdict.HELD] == 20
    assert verdicts[Verdict.DUPLICATE] == len(again)


@given(st.permutations(range(12)), st.lists(st.integers(10**6, 2**53), max_size=4), st.data())
def test_jumps_never_make_good_batches_late(good: list[int], jumps: list[int], data: st.DataObject) -> None:
    order: WindowOrder[None] = WindowOrder(ROOMY)
    arrivals = list(good)
    for jump in jumps:
        arrivals.insert(data.draw(st.integers(0, len(arrivals) - 1)), jump)  # a good one follows every jump
    seen: list[int] = []
    for position, seq in enumerate(arrivals):
        if order.offer(seq, seq, 1, position, position, None) is Verdict.READY:
            seen.append(seq)
        seen += [held.seq for held in order.release()]
    assert seen == list(range(12))
    assert {held.seq for held in order.expire(10**9).jumped} == set(jumps)
    assert order.next_seq == 12
