"""Lines on their way out: exported, trimmed and counted without looking into each."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from replay.blocks import join_lines
from replay.pieces import EVERYTHING, Trim, export_lines, exported_length
from replay.reading import exported_line
from replay.store import BundleLine
from schemas.bundle_index import BlockEntry

TEXTS = st.text(max_size=20)
TIMES = st.integers(-5, 25)
RRWEB = st.builds(lambda t, text: {"type": 3, "data": {"text": text}, "timestamp": t}, TIMES, TEXTS)
INTERACTIONS = st.builds(lambda t, text: {"kind": "click", "t": t, "text": text}, TIMES, TEXTS)
EVENTS = st.lists(RRWEB | INTERACTIONS, min_size=1, max_size=8)


def time_of(event: dict[str, object]) -> object:
    return event.get("timestamp", event.get("t"))


def block_of(events: list[dict[str, object]], window_id: str = "w1") -> tuple[BlockEntry, bytes, list[bytes]]:
    lines = [msgspec.json.encode(event) for event in events]
    text = join_lines(lines)
    times = [time for event in events if isinstance(time := time_of(event), int)]
    return BlockEntry(window_id, 0, 0, 0, len(text), len(lines), min(times), max(times)), text, lines


@given(EVENTS, st.text(min_size=1, max_size=9))
def test_a_block_is_exported_as_its_lines_are(events: list[dict[str, object]], window_id: str) -> None:
    block, text, lines = block_of(events, window_id)
    exported = export_lines(block, text)
    assert exported == b"".join(exported_line(BundleLine(window_id, line)) for line in lines)
    assert exported_length([block, block]) == 2 * len(exported)


@given(EVENTS, TIMES, TIMES)
def test_only_lines_of_the_range_are_left(events: list[dict[str, object]], from_t: int, to_t: int) -> None:
    block, text, _ = block_of(events)
    left = [msgspec.json.decode(line) for line in Trim(from_t, to_t).lines(block, text).splitlines()]
    assert left == [event for event in events if from_t <= time_of(event) <= to_t]  # type: ignore[operator]


@given(EVENTS)
def test_without_bounds_nothing_is_left_out(events: list[dict[str, object]]) -> None:
    block, text, _ = block_of(events)
    assert not EVERYTHING.touches(block)
    assert EVERYTHING.lines(block, text) is text


def test_an_event_that_does_not_say_when_it_was_is_not_shown_to_who_sees_a_part() -> None:
    block = BlockEntry("w1", 0, 0, 0, 9, 1, 0, 9)
    for line in (b"{}\n", b"null\n", b'{"timestamp":"x"}\n', b"broken\n"):
        assert Trim(1, 8).lines(block, line) == b""
