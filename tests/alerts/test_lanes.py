"""A partition as it is read: what is done with, and what is only at work."""

import pytest

from engine.alerts.app.lanes import Lane, Unread, read_item
from engine.runtime.kafka.positions import Start
from engine.runtime.kafka.records import Place


def lane() -> Lane:
    return Lane(Place("input", 0), Start("log", 10), 1)


def test_a_record_at_work_is_not_done_with() -> None:
    at_work = lane()
    assert at_work.accept(10) == 0
    assert at_work.done_offset == 10, "who starts anew has to read it again"
    at_work.keep("event")
    assert (at_work.done_offset, at_work.waiting) == (11, 1)
    assert at_work.take().events == ["event"]
    assert (at_work.done_offset, at_work.waiting) == (11, 0)


def test_what_came_before_is_known_again_and_what_is_missing_is_counted() -> None:
    reading = lane()
    assert reading.accept(9) is None
    assert reading.accept(12) == 2
    assert reading.accept(12) is None
    assert reading.accept(13) == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "unreadable"), (b"", "unreadable"), (b"\xff", "unreadable"), (b'"' + b"x" * (1 << 20), "too_large")],
)
def test_what_is_no_item(value: bytes | None, reason: str) -> None:
    with pytest.raises(Unread) as caught:
        read_item(value)
    assert caught.value.reason == reason
