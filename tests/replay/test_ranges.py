"""Byte ranges: nothing that was asked for is missing, nothing else is in the answer, and reads stay small."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from replay.ranges import Segment, cut_segments, plan_reads, split_segments

DATA = bytes(range(256)) * 4
segments = st.lists(
    st.builds(Segment, st.integers(0, 900), st.integers(1, 124)),
    max_size=20,
)
sizes = st.integers(1, 400)


def joined(parts: list[Segment]) -> bytes:
    return b"".join(DATA[part.offset : part.offset + part.length] for part in parts)


@given(segments, sizes)
def test_reads_hold_all_parts_in_their_order(parts: list[Segment], max_bytes: int) -> None:
    reads = plan_reads(parts, max_bytes)
    assert [part for read in reads for part in read.parts] == parts
    bytes_of = [read.cut(DATA[read.offset : read.offset + read.length], part) for read in reads for part in read.parts]
    assert b"".join(bytes_of) == joined(parts)


@given(segments, sizes)
def test_reads_are_as_large_as_allowed_and_no_larger(parts: list[Segment], max_bytes: int) -> None:
    reads = plan_reads(parts, max_bytes)
    assert all(read.length <= max_bytes or len(read.parts) == 1 for read in reads)
    for read, after in pairwise(reads):
        start = min(read.offset, after.parts[0].offset)
        end = max(read.offset + read.length, after.parts[0].offset + after.parts[0].length)
        assert end - start > max_bytes


@given(segments, st.integers(0, 3_000), st.integers(0, 3_000))
def test_a_cut_is_a_slice_of_the_whole(parts: list[Segment], start: int, stop: int) -> None:
    assert joined(list(cut_segments(parts, start, stop))) == joined(parts)[start:stop]


@given(segments, sizes)
def test_splitting_changes_nothing_but_lengths(parts: list[Segment], max_bytes: int) -> None:
    split = list(split_segments(parts, max_bytes))
    assert joined(split) == joined(parts)
    assert all(0 < part.length <= max_bytes for part in split)
