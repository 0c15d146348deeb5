"""What a page does on its own: clocks, carousels, live figures. Such changes answer nobody.

Each place of a page that changes without a press before it gets a rhythm. A later change there is background if it
comes on the beat of a steady rhythm, or so late after a press that only the place's own habit explains it. A change
off the beat is an answer: a player's clock ticks each second, and jumps when the visitor seeks.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from detectors.interactions import Change
from detectors.stored import annotate

Place: TypeAlias = tuple[int | str, ...]
"""Where a page changes: `(node, attribute)`, `(parent, "#")` for a text, also one that comes and goes, `(parent,)` for
elements that come and go, `(parent, "*", attribute)` for what siblings share, and `(name, ...)` for a canvas, a
request's address and their like."""

MAX_PLACES: Final = 160
KEPT_PLACES: Final = 128
"""Rhythms kept per window: when there are too many, those that have been still the longest go, many at a time."""

LEARNT_CHANGES: Final = 8
"""Changes of one mutation that are learnt from: pages that move on their own move a few places."""

STEADY_SHARES: Final[tuple[float, ...]] = (0.0, 0.0, 0.1, 0.4)
"""Largest mean deviation of a steady rhythm, as a share of its interval, after 0, 1, 2, and 3 or more intervals.

Two intervals must be nearly equal, since alike they may be by chance; highlights under a mouse have about 0.6.
"""

FEWEST_BEATS: Final = 2
SETTLED_BEATS: Final = len(STEADY_SHARES) - 1
SMOOTHING: Final = 0.25
BEAT_SLACK_MS: Final = 40
"""Timers of a busy page are late by this much."""

STALE_BEATS: Final = 8
STALE_MS: Final = 4_000
"""A rhythm not heard for both so many beats and so long is forgotten."""

PROMPT_MS: Final = 1_000
"""Answers without a request behind them come sooner; a later change in a restless place is its own."""

RESTLESS_MS: Final = 5_000
"""A place that moved on its own so recently is restless; carousels turn every three to five seconds."""


@dataclass(init=False, slots=True)
class Rhythm:
    """When a place last changed (epoch ms), and the mean interval (ms) between changes with its mean deviation.

    `beats` counts the intervals it was learnt from, up to `SETTLED_BEATS`.
    """

    last_t: int
    interval: float
    deviation: float
    beats: int

    def __init__(self, last_t: int) -> None:
        self.last_t = last_t
        self.interval = self.deviation = 0.0
        self.beats = 0


def beat(rhythm: Rhythm, t: int, acted_t: int) -> None:
    """Learn that the place changed on its own at `t`; `acted_t` is the visitor's last press (both epoch ms)."""
    last_t = rhythm.last_t
    delta = t - last_t
    if delta <= 0:
        return
    rhythm.last_t = t
    if rhythm.beats < SETTLED_BEATS or delta > STALE_MS:
        _settle(rhythm, delta, heard=last_t >= acted_t)
    elif last_t >= acted_t:  # else beats went by unheard in the shadow of a press
        interval, deviation = rhythm.interval, rhythm.deviation
        error = delta - interval
        rhythm.interval = interval + SMOOTHING * error
        rhythm.deviation = deviation + ((error if error > 0 else -error) - deviation) * SMOOTHING


def _settle(rhythm: Rhythm, delta: int, *, heard: bool) -> None:
    """Learn an interval of a rhythm that is young or was silent for long; only one that was `heard` counts."""
    beats = rhythm.beats
    if not beats:
        rhythm.interval, rhythm.deviation, rhythm.beats = float(delta), 0.0, 1
    elif delta > STALE_MS and delta > STALE_BEATS * rhythm.interval:
        rhythm.beats = 0
    elif heard:
        error = delta - rhythm.interval
        rhythm.interval += SMOOTHING * error
        rhythm.deviation += (abs(error) - rhythm.deviation) * (SMOOTHING if beats > 1 else 1.0)
        rhythm.beats = min(beats + 1, SETTLED_BEATS)


def is_due(rhythm: Rhythm, t: int) -> bool:
    """Tell whether a change at `t` (epoch ms) is on the beat of a steady rhythm, a few missed beats allowed."""
    interval = rhythm.interval
    if rhythm.beats < FEWEST_BEATS or rhythm.deviation > STEADY_SHARES[rhythm.beats] * interval:
        return False
    delta = t - rhythm.last_t
    if delta > STALE_MS and delta > STALE_BEATS * interval:
        return False
    error = abs(delta - round(delta / interval) * interval)  # beat 0 is the other half of the last one
    return error <= min(max(BEAT_SLACK_MS, 4 * rhythm.deviation), interval / 2)


@dataclass(slots=True)
class Background:
    """The rhythms of a window's page, by place."""

    places: dict[Place, Rhythm] = field(default_factory=dict)

    def learn(self, changes: tuple[Change, ...], t: int, acted_t: int) -> None:
        """Note changes that no press explains; arguments as for `beat`."""
        places = self.places
        for change in changes[:LEARNT_CHANGES]:
            own = place_of_change(change)
            for place in (own, _shared_place(change)) if change.kind == "attribute" else (own,):
                rhythm = places.get(place)
                if rhythm is None:
                    self._begin(place, t)
                elif rhythm.last_t < t:  # of all that came in one place at a time the first is enough
                    beat(rhythm, t, acted_t)

    def learn_place(self, place: Place, t: int, acted_t: int) -> None:
        """Note one unexplained change of `place`; arguments as for `beat`."""
        rhythm = self.places.get(place)
        if rhythm is None:
            self._begin(place, t)
        else:
            beat(rhythm, t, acted_t)

    def _begin(self, place: Place, t: int) -> None:
        places = self.places
        if len(places) >= MAX_PLACES:
            by_age = sorted(places, key=lambda known: places[known].last_t)
            for still in by_age[: MAX_PLACES - KEPT_PLACES + 1]:
                del places[still]
        places[place] = Rhythm(t)

    def explains(self, change: Change, t: int, acted_t: int, *, own: bool) -> bool:
        """Tell whether `change` is the page's own doing although the visitor pressed at `acted_t` (epoch ms).

        An `own` change, within the pressed element, needs a steady rhythm of its very place. Elsewhere a rhythm
        shared by siblings will do (the dots of a carousel), and late changes of restless places are background.
        """
        places = self.places
        if not places:
            return False
        if self._expects(places.get(place_of_change(change)), t, acted_t, strict=own):
            return True
        if own or change.kind != "attribute":
            return False
        return self._expects(places.get(_shared_place(change)), t, acted_t, strict=False)

    def explains_place(self, place: Place, t: int, acted_t: int) -> bool:
        """Tell the same of a named place: a canvas, a media element, an address that is polled."""
        return self._expects(self.places.get(place), t, acted_t, strict=False)

    @staticmethod
    def _expects(rhythm: Rhythm | None, t: int, acted_t: int, *, strict: bool) -> bool:
        if rhythm is None:
            return False
        late = not strict and t - acted_t > PROMPT_MS and t - rhythm.last_t <= RESTLESS_MS
        if not late and not is_due(rhythm, t):
            return False
        rhythm.last_t = max(rhythm.last_t, t)
        return True


annotate(Background, places=dict[Place, Rhythm])


def place_of_change(change: Change) -> Place:
    """Name the place of the page that changed."""
    if change.kind == "attribute":
        return (change.node_id, change.name)
    scope = change.scope
    above = scope[1] if len(scope) > 1 else change.node_id
    return (above, "#") if is_text(change) else (above,)


def is_text(change: Change) -> bool:
    """Tell whether a text changed; frameworks take an empty one away and add it anew."""
    return change.kind == "text" or change.name == "#text"


def _shared_place(change: Change) -> Place:
    scope = change.scope
    return (scope[1] if len(scope) > 1 else "", "*", change.name)
