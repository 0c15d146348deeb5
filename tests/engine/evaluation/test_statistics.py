import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.matching import Tally
from engine.evaluation.statistics import score, wilson

COUNTS = st.integers(0, 20)
TALLIES = st.lists(st.builds(Tally, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_of_a_share_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    measure = wilson(successes, trials)
    assert measure is not None
    assert measure.value == successes / trials
    assert (measure.low, measure.high) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_said_without_trials() -> None:
    assert wilson(0, 0) is None
    scores = score([Tally(), Tally(excused=3)])
    assert (scores.precision, scores.recall, scores.f1) == (None, None, None)


def test_f1_is_the_harmonic_mean_of_what_the_counts_say() -> None:
    scores = score([Tally(found=3, missed=1, right=3, wrong=2), Tally(found=1, right=1)])
    assert scores.precision is not None
    assert scores.recall is not None
    assert scores.f1 is not None
    assert scores.precision.value == pytest.approx(4 / 6)
    assert scores.recall.value == pytest.approx(4 / 5)
    assert scores.f1.value == pytest.approx(8 / 11)
    assert 0 < scores.f1.low < scores.f1.value < scores.f1.high <= 1


def test_recordings_that_are_alike_leave_no_doubt() -> None:
    f1 = score([Tally(found=1, missed=1, right=1, wrong=1)] * 5).f1
    assert f1 is not None
    assert (f1.low, f1.value, f1.high) == pytest.approx((0.5, 0.5, 0.5))


def test_what_finds_nothing_scores_nothing() -> None:
    f1 = score([Tally(missed=2), Tally(missed=1)]).f1
    assert f1 is not None
    assert (f1.low, f1.value, f1.high) == (0.0, 0.0, 0.0)


@given(tallies=TALLIES)
def test_measures_are_shares_within_their_intervals_and_the_same_each_time(tallies: list[Tally]) -> None:
    scores = score(tallies)
    for measure in (scores.precision, scores.recall):
        assert measure is None or 0 <= measure.low <= measure.value <= measure.high <= 1
    assert scores.f1 is None or 0 <= scores.f1.low <= scores.f1.high <= 1
    assert score(tallies) == scores
