"""What a summary is."""

from typing import Final, Literal

import msgspec

from schemas.signals import Target

MAX_SIGNAL_IDS: Final = 100
"""Ids a sentence or a friction point lists; those of the first signals."""

SentenceKind = Literal["page", "friction", "pause", "hole", "more", "end"]

Outcome = Literal["open", "calm", "ended_on_friction", "went_on"]
"""`open`: it has not ended. `calm`: no friction. The others: whether it ended soon after the last friction, or not."""


class Sentence(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened: `text` has nothing in it that could control a terminal or turn a text around.

    `t` is the moment to look at (epoch ms), `window_id` the window it is in (empty: the session as a whole),
    `signal_ids` what it is told from. Without ids it is told from the record, the index and the events themselves.
    """

    text: str
    t: int
    window_id: str
    signal_ids: list[str]
    kind: SentenceKind


class FrictionPoint(msgspec.Struct, frozen=True, gc=False):
    """One incident as a visitor met it, `rank` 1 for the worst.

    Several signals of one control or one error at one time are one point; `detector` is the most telling of them.
    From `t` to `end_t` (epoch ms) on a masked `page`. `weight` is its share of the session's score, in points.
    """

    rank: int
    t: int
    end_t: int
    window_id: str
    page: str
    target: Target | None
    detector: str
    text: str
    weight: float
    signal_ids: list[str]


Refusal = Literal["", "busy", "failed", "too_slow", "too_long", "new_numbers"]
"""Why a model's text was not taken: too many calls at once, an error or nothing in it, a limit, invented numbers."""


class Rephrased(msgspec.Struct, frozen=True, gc=False):
    """The account in the words of the model `by`, which nobody checked but for its numbers.

    Where there is a `refused`, the model's text was not taken: then `text` is the account's own, and `by` is empty.
    """

    text: str
    by: str
    refused: Refusal = ""


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account of a session, the same for the same evidence, whatever order that comes in.

    `started_at` is when what is told began (epoch ms). `sentences` are in order of time, `friction_points` worst first;
    both are bounded. `rephrased` is only there where
    it was asked for and the installation has a language model of its own; it never replaces the rest.
    """

    session_id: str
    started_at: int
    headline: str
    sentences: list[Sentence]
    friction_points: list[FrictionPoint]
    outcome: Outcome
    rephrased: Rephrased | None = None

    def text(self) -> str:
        """Write the account as one paragraph."""
        return " ".join(sentence.text for sentence in self.sentences)
