"""When to look at which session again."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.deadlines import MOST_ENTRIES_A_SESSION, Deadlines

STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 20) | st.none()), max_size=60)


@given(STEPS, st.integers(0, 20))
def test_each_session_comes_up_at_the_earliest_moment_that_was_asked_for(
    steps: list[tuple[str, int | None]], now_ms: int
) -> None:
    deadlines, wanted = Deadlines(), dict[str, int]()
    for session_id, deadline_ms in steps:
        if deadline_ms is None:
            deadlines.forget(session_id)
            wanted.pop(session_id, None)
        else:
            deadlines.schedule(session_id, deadline_ms)
            wanted[session_id] = min(wanted.get(session_id, deadline_ms), deadline_ms)
            assert len(deadlines) <= MOST_ENTRIES_A_SESSION * (len(wanted) + 1) + 1
    assert all((session_id in deadlines) == (session_id in wanted) for session_id in "abcd")
    if wanted:
        nearest = deadlines.nearest()
        assert nearest is not None
        assert nearest <= min(wanted.values())
    due = list(deadlines.due(now_ms, 1_000))
    assert sorted(due) == sorted(session_id for session_id, at_ms in wanted.items() if at_ms <= now_ms)
    assert [wanted[session_id] for session_id in due] == sorted(wanted[session_id] for session_id in due)
    assert list(deadlines.due(now_ms, 1_000)) == []


def test_no_more_are_taken_out_at_a_time_than_wanted() -> None:
    deadlines = Deadlines()
    for number in range(5):
        deadlines.schedule(str(number), number)
    assert list(deadlines.due(10, 3)) == ["0", "1", "2"]
    assert list(deadlines.due(10, 3)) == ["3", "4"]


def test_one_that_comes_up_can_be_scheduled_again_at_once() -> None:
    deadlines = Deadlines()
    deadlines.schedule("a", 1)
    for session_id in deadlines.due(1, 10):
        deadlines.schedule(session_id, 2)
    assert deadlines.nearest() == 2
