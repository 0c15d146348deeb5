"""Where reading starts: nothing is skipped unless it is gone, and what is gone is told."""

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.runtime.kafka.positions import (
    Bounds,
    Position,
    Start,
    choose_start,
    decode_position,
    encode_position,
    log_name,
)
from replay.marks import Mark

LOG = log_name("cluster", "topic", 3)
AT = Bounds(10, 100)
offsets = st.integers(0, 200)


def mark(offset: int, log: str = LOG) -> Mark:
    return Mark(log, offset, "owner", 1)


class TestChooseStart:
    @pytest.mark.parametrize(
        ("found", "commit", "start"),
        [
            (None, -1, Start(LOG, 10)),
            (None, 10, Start(LOG, 10)),
            (None, 50, Start(LOG, 10, cause="mark_lost")),
            (mark(50), -1, Start(LOG, 50)),
            (mark(50), 60, Start(LOG, 50)),
            (mark(50), 40, Start(LOG, 40)),
            (mark(100), 100, Start(LOG, 100)),
            (mark(10), 10, Start(LOG, 10)),
            (mark(9), 20, Start(LOG, 10, lost=1, cause="out_of_range")),
            (mark(50), 4, Start(LOG, 10, lost=6, cause="out_of_range")),
            (mark(101), -1, Start("cluster/topic/3#1", 10, cause="log_changed")),
            (mark(50), 101, Start("cluster/topic/3#1", 10, cause="log_changed")),
            (mark(101, "cluster/topic/3#4"), 101, Start("cluster/topic/3#5", 10, cause="log_changed")),
            (mark(50, "cluster/topic/3#4"), 50, Start("cluster/topic/3#4", 50)),
            (mark(50, "cluster/another/3#0"), 50, Start(LOG, 10, cause="log_changed")),
            (mark(50, "another/topic/3#0"), 50, Start(LOG, 10, cause="log_changed")),
            (mark(50, "cluster/topic/31#0"), 50, Start(LOG, 10, cause="log_changed")),
            (mark(50, "what is this"), 50, Start(LOG, 10, cause="log_changed")),
        ],
    )
    def test_every_case(self, found: Mark | None, commit: int, start: Start) -> None:
        assert choose_start(LOG, found, commit, AT) == start

    def test_a_log_that_ends_before_what_was_read_of_it_is_another_one(self) -> None:
        assert choose_start(LOG, mark(50), 90, AT, reached=101) == Start("cluster/topic/3#1", 10, cause="log_changed")
        assert choose_start(LOG, mark(50), 90, AT, reached=100) == Start(LOG, 50)

    @given(found=st.none() | st.builds(mark, offsets), commit=st.integers(-1, 200), begin=offsets, size=offsets)
    def test_what_is_skipped_is_gone_and_told(self, found: Mark | None, commit: int, begin: int, size: int) -> None:
        at = Bounds(begin, begin + size)
        start = choose_start(LOG, found, commit, at)
        assert at.begin <= start.offset <= at.end
        if start.log == LOG and found is not None:
            hints = [found.offset] if commit < 0 else [found.offset, commit]
            assert start.offset - start.lost == min(hints)
            assert start.lost == 0 or start.offset == at.begin
        else:
            assert start.offset == at.begin
        assert bool(start.cause) or start.lost == 0

    @given(found=st.builds(mark, offsets), commit=offsets)
    def test_it_is_the_same_again(self, found: Mark, commit: int) -> None:
        """Who takes over and dies before anything was moved leaves the next one where it was."""
        assume(max(found.offset, commit) <= AT.end)
        first = choose_start(LOG, found, commit, AT)
        assert choose_start(LOG, mark(first.offset, first.log), commit, AT).log == first.log


names = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.builds(Position, log=names, offset=st.integers(-1, 2**62), next_seqs=st.dictionaries(names, offsets)))
def test_positions_survive_being_written(position: Position) -> None:
    assert decode_position(encode_position(position)) == position


@pytest.mark.parametrize("text", ["", "{}", "7", '{"log": 1, "offset": 2}', "log:7"])
def test_what_is_no_position_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_position(text)


def test_logs_have_names_of_their_own() -> None:
    names = {
        log_name(cluster, topic, partition, generation)
        for cluster in "ab"
        for topic in "cd"
        for partition in (1, 11)
        for generation in (0, 1)
    }
    assert len(names) == 16
