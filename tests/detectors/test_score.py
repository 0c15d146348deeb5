"""The score: bounded, monotone, explained, without regard to order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.registry import RULES
from detectors.score import CEILINGS, MAX_SCORE, score

COUNTS = st.dictionaries(st.sampled_from([*RULES, "dead_swipe", "multi_click"]), st.integers(0, 500))


def test_a_calm_session_scores_nothing() -> None:
    assert score({}) == (0.0, [])
    assert score({"rage_click": 0, "js_error": -1}) == (0.0, [])


@pytest.mark.parametrize("name", RULES)
def test_two_signals_are_worth_half_of_what_the_detector_can_add(name: str) -> None:
    total, (part,) = score({name: 2})
    assert total == part.points == pytest.approx(CEILINGS[name] / 2, abs=0.05)
    assert (part.detector, part.count) == (name, 2)


def test_our_detectors_fill_the_scale() -> None:
    assert sum(CEILINGS.values()) >= MAX_SCORE
    assert set(CEILINGS) == set(RULES)
    assert score(dict.fromkeys(RULES, 1_000))[0] == MAX_SCORE


def test_silence_hurts_nobody() -> None:
    assert score({"idle": 5})[0] == 0


def test_one_kind_alone_does_not() -> None:
    assert score({"rage_click": 10_000})[0] == CEILINGS["rage_click"]


def test_the_largest_part_comes_first() -> None:
    parts = score({"js_error": 1, "rage_click": 1, "dead_click": 1, "error_click": 1})[1]
    assert [part.detector for part in parts] == ["rage_click", "dead_click", "error_click", "js_error"]


@given(COUNTS)
def test_the_parts_explain_the_whole(counts: dict[str, int]) -> None:
    total, parts = score(counts)
    assert 0 <= total <= MAX_SCORE
    assert total == pytest.approx(sum(part.points for part in parts), abs=1e-9)
    assert {part.detector: part.count for part in parts} == {name: count for name, count in counts.items() if count}


@given(COUNTS.flatmap(lambda counts: st.tuples(st.just(counts), st.permutations(list(counts)))))
def test_the_order_does_not_matter(drawn: tuple[dict[str, int], list[str]]) -> None:
    counts, names = drawn
    assert score({name: counts[name] for name in names}) == score(counts)


@given(st.dictionaries(st.sampled_from(list(RULES)), st.integers(0, 30)), st.sampled_from(list(RULES)))
def test_one_more_signal_never_lowers_it(counts: dict[str, int], name: str) -> None:
    assert score({**counts, name: counts.get(name, 0) + 1})[0] >= score(counts)[0]
