"""When the state of a session is stored, and from where the input has to be read again."""

from hypothesis import given
from hypothesis import strategies as st

from engine.core.saving import SAVE_ALWAYS, Saving, SavingRules

RULES = SavingRules(max_behind_bytes=100, max_behind_ms=1_000)


def test_it_is_due_after_so_many_bytes_or_so_much_time() -> None:
    saving = Saving(RULES)
    saving.fed("a", 7, 60, 0)
    assert saving.is_behind("a")
    assert not saving.is_due("a", 999)
    assert saving.is_due("a", 1_000)
    saving.fed("a", 8, 40, 500)
    assert saving.is_due("a", 500)


def test_one_that_lacks_nothing_may_be_stored_at_any_time() -> None:
    assert Saving(RULES).is_due("a", 0)
    assert not Saving(RULES).is_behind("a")


def test_with_every_write_means_with_every_write() -> None:
    saving = Saving(SAVE_ALWAYS)
    saving.fed("a", 0, 0, 0)
    assert saving.is_due("a", 0)
    assert saving.overdue(0) == ["a"]


def test_those_that_waited_too_long_are_listed_longest_first() -> None:
    saving = Saving(RULES)
    for position, name in enumerate("abc"):
        saving.fed(name, position, 1, position * 400)
    saving.fed("a", 9, 1, 900)
    assert saving.overdue(999) == []
    assert saving.overdue(1_400) == ["a", "b"]
    saving.saved("a")
    saving.fed("a", 10, 1, 1_400)
    assert saving.overdue(1_800) == ["b", "c"]
    assert saving.sessions() == ["b", "c", "a"]


fed = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()))


@given(fed)
def test_reading_starts_at_the_first_batch_that_a_stored_state_lacks(steps: list[tuple[str, bool]]) -> None:
    saving, lacking = Saving(RULES), dict[str, int]()
    for position, (name, is_saved) in enumerate(steps):
        saving.fed(name, position, 10, position)
        lacking.setdefault(name, position)
        if is_saved:
            saving.saved(name)
            del lacking[name]
        assert saving.replay_from() == min(lacking.values(), default=None)
        assert set(saving.sessions()) == set(lacking)
