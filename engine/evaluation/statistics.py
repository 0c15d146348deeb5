"""Precision, recall and F1, each with the interval that 95 in 100 such corpora would put it in."""

from collections.abc import Sequence
from math import sqrt
from typing import Final

import msgspec
import numpy as np

from engine.evaluation.matching import Tally

Z_95: Final = 1.959963984540054
RESAMPLES: Final = 2_000
SEED: Final = 20_260_101
"""The resamples are the same in every run, so that a report is."""


class Measure(msgspec.Struct, frozen=True, gc=False):
    """A share from 0 to 1 with its 95 % interval."""

    value: float
    low: float
    high: float


class Scores(msgspec.Struct, frozen=True, gc=False):
    """How well one kind of signal was found; a measure is absent where there was nothing to measure it on."""

    tally: Tally
    precision: Measure | None
    recall: Measure | None
    f1: Measure | None


def wilson(successes: int, trials: int) -> Measure | None:
    """Give the share of successes with its Wilson score interval, `None` without trials.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927: unlike the
    textbook interval it holds for few trials and for shares near 0 and 1.
    """
    if not trials:
        return None
    share, square = successes / trials, Z_95 * Z_95
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    reach = Z_95 * sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return Measure(share, min(share, max(0.0, centre - reach)), max(share, min(1.0, centre + reach)))


def score(tallies: Sequence[Tally]) -> Scores:
    """Score one kind of signal from its counts in each recording, also in those where it did not occur."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return Scores(
        total,
        wilson(total.right, total.right + total.wrong),
        wilson(total.found, total.found + total.missed),
        _f1_measure(tallies, total),
    )


def _f1_measure(tallies: Sequence[Tally], total: Tally) -> Measure | None:
    """Give F1 with its interval from resampled recordings: the events of one visit are not independent."""
    if not total.found + total.missed:
        return None
    counts = np.array([[t.found, t.missed, t.right, t.wrong] for t in tallies], dtype=np.float64)
    generator = np.random.default_rng(SEED)
    times = generator.multinomial(len(tallies), np.full(len(tallies), 1 / len(tallies)), size=RESAMPLES)
    drawn = np.asarray(times, dtype=np.float64) @ counts
    labelled = drawn[drawn[:, 0] + drawn[:, 1] > 0]
    low, high = np.quantile([_f1(*row) for row in labelled.tolist()], [0.025, 0.975]) if len(labelled) else (0.0, 1.0)
    return Measure(_f1(total.found, total.missed, total.right, total.wrong), float(low), float(high))


def _f1(found: float, missed: float, right: float, wrong: float) -> float:
    precision = right / (right + wrong) if right + wrong else 0.0
    recall = found / (found + missed)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
