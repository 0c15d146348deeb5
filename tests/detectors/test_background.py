"""Rhythms: when a change is the page's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.background import KEPT_PLACES, MAX_PLACES, SETTLED_BEATS, Background, Rhythm, beat, is_due
from detectors.machine import NEVER
from tests.detectors.tape import change


def rhythm_of(*times: int, acted_t: int = NEVER) -> Rhythm:
    rhythm = Rhythm(times[0])
    for t in times[1:]:
        beat(rhythm, t, acted_t)
    return rhythm


@pytest.mark.parametrize("interval", [16, 100, 1_000, 5_000, 60_000])
def test_three_even_changes_make_a_rhythm(interval: int) -> None:
    rhythm = rhythm_of(0, interval, 2 * interval)
    assert is_due(rhythm, 3 * interval)
    assert not is_due(rhythm_of(0, interval), 2 * interval)


@pytest.mark.parametrize(("t", "due"), [(4_000, True), (3_960, True), (4_040, True), (3_900, False), (4_400, False)])
def test_a_steady_rhythm_is_narrow(t: int, due: bool) -> None:  # noqa: FBT001
    assert is_due(rhythm_of(0, 1_000, 2_000, 3_000), t) is due


def test_a_late_beat_makes_it_wider_not_useless() -> None:
    assert is_due(rhythm_of(999, 1_998, 2_994, 4_351, 4_994), 5_994)


def test_missed_beats_are_forgiven_for_a_while() -> None:
    rhythm = rhythm_of(0, 1_000, 2_000, 3_000)
    assert is_due(rhythm, 11_000)
    assert not is_due(rhythm, 12_000)


def test_two_uneven_intervals_are_no_rhythm() -> None:
    assert not is_due(rhythm_of(0, 1_000, 2_300), 3_500)


def test_highlights_under_a_mouse_are_no_rhythm() -> None:
    hovers = rhythm_of(0, 117, 143, 379, 380, 626, 721, 1_271)
    assert not any(is_due(hovers, t) for t in range(1_350, 2_000, 50))


def test_the_other_half_of_a_beat_belongs_to_it() -> None:
    rhythm = rhythm_of(0, 1_000, 2_000, 3_000)
    assert is_due(rhythm, 3_000)
    assert is_due(rhythm, 3_040)
    assert not is_due(rhythm, 3_200)


def test_beats_in_the_shadow_of_a_press_do_not_spoil_it() -> None:
    rhythm = rhythm_of(0, 1_000, 2_000, 3_000)
    beat(rhythm, 7_000, acted_t=3_500)
    assert is_due(rhythm, 8_000)


def test_a_long_silence_starts_afresh() -> None:
    rhythm = rhythm_of(0, 1_000, 2_000, 3_000, 30_000)
    assert not is_due(rhythm, 31_000)


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=50), st.integers(0, 200_000))
def test_no_history_breaks_it(times: list[int], t: int) -> None:
    rhythm = rhythm_of(*sorted(times))
    assert rhythm.last_t == max(times)
    assert rhythm.interval >= 0
    assert rhythm.deviation >= 0
    assert isinstance(is_due(rhythm, t), bool)


class TestExplanations:
    def learnt(self, *changes_at: tuple[int, int]) -> Background:
        background = Background()
        for t, node in changes_at:
            background.learn((change("attribute", node, 415, 3, name="class"),), t, NEVER)
        return background

    def test_siblings_share_a_rhythm(self) -> None:
        background = self.learnt((0, 1), (1_000, 2), (2_000, 3), (3_000, 4))
        fifth = change("attribute", 5, 415, 3, name="class")
        assert background.explains(fifth, 4_000, 3_800, own=False)

    def test_but_not_with_the_pressed_element(self) -> None:
        background = self.learnt((0, 1), (1_000, 2), (2_000, 3), (3_000, 4))
        fifth = change("attribute", 5, 415, 3, name="class")
        assert not background.explains(fifth, 4_000, 3_800, own=True)

    def test_another_attribute_is_another_place(self) -> None:
        background = self.learnt((0, 1), (1_000, 1), (2_000, 1), (3_000, 1))
        assert background.explains(change("attribute", 1, 415, name="class"), 4_000, 3_800, own=True)
        assert not background.explains(change("attribute", 1, 415, name="style"), 4_000, 3_800, own=False)

    @pytest.mark.parametrize(("t", "explained"), [(3_000, False), (3_001, True), (5_000, True), (5_001, False)])
    def test_a_place_that_moved_lately_explains_late_changes(self, t: int, explained: bool) -> None:  # noqa: FBT001
        background = self.learnt((0, 1))
        assert background.explains(change("attribute", 1, 415, name="class"), t, 2_000, own=False) is explained

    def test_children_are_a_place_by_their_parent(self) -> None:
        background = Background()
        for number in range(4):
            background.learn((change("remove", number, 24, 3), change("add", number + 1, 24, 3)), number * 1_000, NEVER)
        assert background.explains(change("add", 99, 24, 3), 4_000, 3_990, own=False)
        assert not background.explains(change("add", 99, 25, 3), 4_000, 3_990, own=False)

    def test_a_page_that_never_moved_explains_nothing(self) -> None:
        assert not Background().explains(change("text", 1, 2), 1_000, 0, own=False)


class TestPlaces:
    def test_there_are_never_more_than_the_cap(self) -> None:
        background = Background()
        for node in range(10 * MAX_PLACES):
            background.learn((change("attribute", node, node + 10_000, name="class"),), node, NEVER)
            assert len(background.places) <= MAX_PLACES
        assert len(background.places) >= KEPT_PLACES

    def test_those_that_changed_last_are_kept(self) -> None:
        background = Background()
        background.learn_place(("old",), 0, NEVER)
        for node in range(MAX_PLACES - 1):
            background.learn_place((node,), 1 + node, NEVER)
        background.learn_place(("old",), MAX_PLACES, NEVER)
        background.learn_place(("new",), MAX_PLACES + 1, NEVER)
        kept = {(node,) for node in range(MAX_PLACES - KEPT_PLACES + 1, MAX_PLACES - 1)}
        assert set(background.places) == kept | {("old",), ("new",)}

    def test_siblings_that_change_together_are_one_beat_of_their_shared_place(self) -> None:
        background = Background()
        for t in range(0, 4_000, 1_000):
            background.learn(tuple(change("attribute", node, 24, name="class") for node in (25, 26, 27)), t, NEVER)
        assert set(background.places) == {(25, "class"), (26, "class"), (27, "class"), (24, "*", "class")}
        assert {rhythm.interval for rhythm in background.places.values()} == {1_000}

    @given(st.lists(st.tuples(st.integers(0, 9_000), st.booleans()), min_size=1, max_size=30))
    def test_beats_are_counted_as_far_as_they_matter(self, steps: list[tuple[int, bool]]) -> None:
        rhythm, t = Rhythm(0), 0
        for pause, pressed in steps:
            t += pause
            beat(rhythm, t, t if pressed else NEVER)
            assert rhythm.last_t == t
            assert 0 <= rhythm.beats <= SETTLED_BEATS
            assert rhythm.interval >= 0
            assert rhythm.deviation >= 0
