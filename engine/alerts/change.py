"""Finding a change by evidence added up: the cumulative sum of log likelihood ratios (CUSUM).

Each session of a key is one trial: concerned or not. Normal is a share p0; an incident multiplies its odds by some
ratio. The sum of the logarithms of how much likelier the incident makes each trial, never below zero, is the evidence
that it has begun. (E. S. Page, Continuous inspection schemes, Biometrika 41, 1954; G. Lorden, Procedures for reacting
to a change in distribution, Annals of Mathematical Statistics 42, 1971.)
"""

import math
from typing import Final

import msgspec

RATIOS: Final = (3.0, 10.0, 40.0)
"""What an incident does to the odds. The larger ones are sure after a few sessions where complaints are rare."""

LOWEST_SHARE: Final = 0.001
HIGHEST_SHARE: Final = 0.6


def worse_share(share: float, ratio: float) -> float:
    """Return the share whose odds are `ratio` times those of `share`."""
    return ratio * share / (1.0 - share + ratio * share)


def evidence_of(share: float, concerned: int, trials: int) -> float:
    """Return the evidence for an incident in so many trials at once."""
    return max(
        concerned * math.log(worse_share(share, ratio) / share)
        + max(trials - concerned, 0) * math.log((1.0 - worse_share(share, ratio)) / (1.0 - share))
        for ratio in RATIOS
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

    @property
    def highest(self) -> float:
        """The evidence for the likeliest kind of incident."""
        return max(self.sums)

    def unconcerned(self, share: float, trials: int) -> None:
        """Take note of sessions that were not concerned, where `share` of them is normal."""
        for place, ratio in enumerate(RATIOS):
            worse = worse_share(share, ratio)
            self.sums[place] = max(0.0, self.sums[place] + trials * math.log((1.0 - worse) / (1.0 - share)))
        middle = worse_share(share, RATIOS[0])
        self.against = max(0.0, self.against + trials * math.log((1.0 - share) / (1.0 - middle)))

    def concerned(self, share: float, t: int, base: int) -> None:
        """Take note of a session that was concerned at `t` (epoch ms), after `base` trials in all."""
        if not any(self.sums):
            self.since, self.base_since, self.concerned_since = t, base, 0
        self.concerned_since += 1
        for place, ratio in enumerate(RATIOS):
            self.sums[place] += math.log(worse_share(share, ratio) / share)
        middle = worse_share(share, RATIOS[0])
        self.against = max(0.0, self.against + math.log(share / middle))

    def clear(self) -> None:
        """Begin anew."""
        self.sums = [0.0] * len(RATIOS)
        self.against = 0.0
