"""Finding a change by evidence added up: the cumulative sum of log likelihood ratios (CUSUM).

Each session of a key is one trial: concerned or not. Normal is a share p0; an incident multiplies its odds by some
ratio. The sum of the logarithms of how much likelier the incident makes each trial, never below zero, is the evidence
that it has begun. (E. S. Page, Continuous inspection schemes, Biometrika 41, 1954; G. Lorden, Procedures for reacting
to a change in distribution, Annals of Mathematical Statistics 42, 1971.)
"""

import math
from typing import Final

import msgspec

RATIOS: Final = (3.0, 10.0, 40.0, 200.0)
"""What an incident does to the odds. The larger ones are sure after a few sessions where complaints are rare."""

LOWEST_SHARE: Final = 0.001
HIGHEST_SHARE: Final = 0.6

_LOGARITHMS: Final = tuple(math.log(ratio) for ratio in RATIOS)


def worse_share(share: float, ratio: float) -> float:
    """Return the share whose odds are `ratio` times those of `share`."""
    return ratio * share / (1.0 - share + ratio * share)


def _losses(share: float) -> list[float]:
    """Return, by ratio, what any session takes from the evidence; one that is concerned adds the logarithm of it."""
    return [math.log1p((ratio - 1.0) * share) for ratio in RATIOS]


def evidence_of(share: float, concerned: int, trials: int) -> float:
    """Return the evidence for an incident in so many trials at once."""
    whole = max(trials, concerned)
    return max(
        concerned * logarithm - whole * loss for logarithm, loss in zip(_LOGARITHMS, _losses(share), strict=True)
    )


class Evidence(msgspec.Struct, gc=False):
    """How much speaks for an incident, by ratio of odds, and since when it does: moment (epoch ms) and trials.

    `concerned_since` counts the sessions concerned since then. `against` is what speaks for its end, once it is there.
    """

    sums: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(RATIOS))
    since: int = 0
    base_since: int = 0
    concerned_since: int = 0
    against: float = 0.0

    def __post_init__(self) -> None:
        """Take up what was kept when fewer ratios were told apart."""
        self.sums += [0.0] * (len(RATIOS) - len(self.sums))

    @property
    def highest(self) -> float:
        """The evidence for the likeliest kind of incident."""
        return max(self.sums)

    def without(self, sessions: int) -> float:
        """Return the evidence that would be left if so many of the sessions concerned had not been."""
        return max(total - sessions * logarithm for total, logarithm in zip(self.sums, _LOGARITHMS, strict=True))

    def unconcerned(self, share: float, trials: int) -> None:
        """Take note of sessions that were not concerned, where `share` of them is normal."""
        losses = _losses(share)
        self.against = max(0.0, self.against + trials * losses[self._likeliest()])
        self.sums = [max(0.0, total - trials * loss) for total, loss in zip(self.sums, losses, strict=True)]

    def concerned(self, share: float, t: int, base: int) -> None:
        """Take note of a session that was concerned at `t` (epoch ms), after `base` trials in all."""
        if not any(self.sums):
            self.since, self.base_since, self.concerned_since = t, base, 0
        self.concerned_since += 1
        losses, likeliest = _losses(share), self._likeliest()
        self.against = max(0.0, self.against + losses[likeliest] - _LOGARITHMS[likeliest])
        self.sums = [
            total + logarithm - loss for total, logarithm, loss in zip(self.sums, _LOGARITHMS, losses, strict=True)
        ]

    def clear(self) -> None:
        """Begin anew."""
        self.sums = [0.0] * len(RATIOS)
        self.against = 0.0

    def _likeliest(self) -> int:
        return self.sums.index(max(self.sums))
