"""Places of a page that changed lately, told apart afterwards: was it the press, or does the place move on its own?

`detectors.background` knows a rhythm only after it was heard in peace. Visitors leave little peace: they arrive by a
click, and press again. So a change that no handler made at once is a *suspect*: noted with its time, and judged when
somebody asks, with all that the place did before and after. It is the page's own doing if

* it is one of three changes at even intervals, one of which was before the press (a clock, a poll), unless each of them
  follows a press of its own, or all follow presses by the same delay: those are answers that take their time; or
* it is on the beat of three others, before and after, at least two of which no press made; or
* its siblings, or what is within it, kept that time (the dots of a carousel, the frame of a figure); or
* the place changed without a press shortly before that, here and there: messages that arrive, figures that move.

A change in a handler's time, right after a press or click, may be a beat as well if it is closely on time. Where a beat
falls into that time and the handler answers too, there are two changes beside each other: then neither is a beat.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from detectors.background import BEAT_SLACK_MS, PROMPT_MS, Place
from detectors.stored import annotate

SYNC_MS: Final = 50
"""What comes so soon after a press or click is its handler's work: frameworks render before the browser goes on."""

SLOW_MS: Final = 250
"""Changes that follow each other faster are one movement (an animation), and tell nothing about a timer."""

PAUSE_MS: Final = 100
"""Where a press or click was just before, a shorter pause ends a movement, and a new one begins: the handler's."""

MOTION_MS: Final = 1_500
"""Animations that a press starts do not last so long."""

EVEN_LEAST_MS: Final = 400
EVEN_SLACK_MS: Final = 60
EVEN_SLACK_SHARE: Final = 0.12
"""Intervals are even if they differ by no more than either; timers of busy pages are late by this much."""

CLOCK_LEAST_MS: Final = 800
CLOCK_SLACK_MS: Final = 30
CLOCK_SLACK_SHARE: Final = 0.02
"""The same where a change came in a handler's time, and may be its work: a player's clock that jumps. Here the larger
slack holds: what turns every few seconds is late by more."""

SERIES_BEATS: Final = 3
"""So many other changes on one beat are a series, of which each but the one in question is surely the page's own."""

EXACT_MS: Final = 15
"""People's clicks are not so even."""

EVEN_MOST_MISSED: Final = 3
"""Beats that may be missing between two changes, since they were not noted for being in a handler's time."""

LOCKED_MS: Final = 80
"""Changes whose delays after presses differ by no more were made by these presses."""

IDLE_MS: Final = 150
"""What a place does so long after a click is no handler's work, if it also does it by itself."""

LATE_MS: Final = 500
"""Looks that lately changed so long after a press, and now more than a second after one, change by themselves; so much
the two delays differ at least."""

MEMORY_MS: Final = 20_000
RESTLESS_BEFORE_MS: Final = 8_000
RESTLESS_AFTER_MS: Final = 3_000
"""How far around a suspect other changes of its place say that it is restless."""

MAX_TRAILS: Final = 48
MAX_STEPS: Final = 16

Step = tuple[int, int]
"""When a place changed (epoch ms), and how long after the latest press, click or input that was (ms)."""


@dataclass(init=False, slots=True)
class Trail:
    """The latest changes of a place, without the fast ones.

    `last_t` is the time of the last of all, `since_t` when the movement began that it is part of (epoch ms).
    """

    last_t: int
    since_t: int
    steps: list[Step]

    def __init__(self, t: int, step: Step) -> None:
        self.last_t = self.since_t = t
        self.steps = [step]


annotate(Trail, steps=list[Step])


@dataclass(slots=True)
class Trails:
    """The trails of a window's page, those last heard of at the end."""

    places: dict[Place, Trail] = field(default_factory=dict)

    def note(self, place: Place, t: int, acted_t: int) -> None:
        """Note a change of `place` at `t`; `acted_t` is the latest press, click or input before it (both epoch ms)."""
        places, delay = self.places, t - acted_t
        trail = places.pop(place, None)
        if trail is None:
            if delay > SYNC_MS:
                places[place] = Trail(t, (t, min(MEMORY_MS, delay)))
                if len(places) > MAX_TRAILS:
                    del places[next(iter(places))]
            return
        places[place] = trail
        gap = t - trail.last_t
        steps = trail.steps
        if steps and gap < (SLOW_MS if delay > SYNC_MS else PAUSE_MS) and not _is_other_hand(trail, delay, gap):
            trail.last_t = t
            return
        trail.last_t = trail.since_t = t
        steps.append((t, min(MEMORY_MS, delay)))
        while len(steps) > MAX_STEPS or steps[0][0] < t - MEMORY_MS:
            del steps[0]

    def has_run(self, place: Place) -> bool:
        """Tell whether `place` lately changed at a moment when no handler did it."""
        trail = self.places.get(place)
        return trail is not None and any(delay > SYNC_MS for _, delay in trail.steps)

    def began(self, place: Place, t: int) -> int:
        """Give the time (epoch ms) at which the movement began that the change of `place` at `t` is a part of."""
        trail = self.places.get(place)
        return trail.since_t if trail is not None and trail.last_t == t else t

    def is_in_motion(self, place: Place, t: int, press_t: int) -> bool:
        """Tell whether `place` has been moving all the time, since long before the press at `press_t` (epoch ms).

        `t` is the time of its last change.
        """
        trail = self.places.get(place)
        return trail is not None and trail.last_t == t and trail.since_t < min(t, press_t - MOTION_MS)

    def explains(self, place: Place, t: int, press_t: int, presses: Sequence[int]) -> bool:
        """Tell whether the change of `place` at `t` is its own doing, although a press was at `press_t` (epoch ms).

        `presses` are the times of all presses that are remembered, in order.
        """
        trail = self.places.get(place)
        if trail is None:
            return False
        steps = trail.steps
        if _is_doubled(steps, t):
            return False
        return (
            _is_even(steps, t, press_t, presses)
            or _is_beat(steps, t, press_t)
            or _is_restless(steps, t, press_t)
            or _is_idle(steps, t, press_t)
        )

    def explains_around(self, near: Place, t: int, press_t: int, presses: Sequence[int]) -> bool:
        """Tell the same of a change by what else there is around it, which moved at the same moments.

        That may be siblings (the dots of a carousel are a new one each time), or what is within the changed element.
        """
        trail = self.places.get(near)
        if trail is None:
            return False
        steps = trail.steps
        return not _is_doubled(steps, t) and (_is_clock(steps, t, press_t, presses) or _is_beat(steps, t, press_t))

    def is_restless(self, place: Place, t: int, press_t: int) -> bool:
        """Tell whether `place` moved here and there around `t`; arguments as for `explains`."""
        trail = self.places.get(place)
        return trail is not None and _is_restless(trail.steps, t, press_t)

    def is_late(self, place: Place, t: int, press_t: int) -> bool:
        """Tell whether `place` changed so late, now and before, that no handler did it; arguments as for `explains`."""
        trail = self.places.get(place)
        return trail is not None and _is_late(trail.steps, t, press_t)

    def keeps_time(self, place: Place, press_t: int, presses: Sequence[int]) -> bool:
        """Tell whether the latest change of `place` is on a beat; arguments as for `explains`."""
        trail = self.places.get(place)
        return trail is not None and bool(trail.steps) and _is_even(trail.steps, trail.steps[-1][0], press_t, presses)

    def moved_on_its_own(self, place: Place, before_t: int) -> bool:
        """Tell whether the place lately changed, before `before_t` (epoch ms), when nobody had pressed for a while."""
        trail = self.places.get(place)
        return trail is not None and any(t < before_t and delay > PROMPT_MS for t, delay in trail.steps)


annotate(Trails, places=dict[Place, Trail])


def _is_other_hand(trail: Trail, delay: int, gap: int) -> bool:
    """Tell whether a change goes not with the lone one just before it, since one of them is in a handler's time."""
    return gap > EXACT_MS and trail.since_t == trail.last_t and min(delay, trail.steps[-1][1]) <= SYNC_MS


def _is_doubled(steps: list[Step], t: int) -> bool:
    """Tell whether a change in a handler's time has another beside it: a clock ticked, and the handler did the rest."""
    near = [delay for at, delay in steps if abs(at - t) < PAUSE_MS]
    return len(near) > 1 and min(near) <= SYNC_MS


def _is_even(steps: list[Step], t: int, press_t: int, presses: Sequence[int]) -> bool:
    index = next((index for index, step in enumerate(steps) if step[0] == t), None)
    if index is None:
        return False
    for first in range(max(0, index - 2), index + 1):
        three = steps[first : first + 3]
        if len(three) < 3 or not _keep_time(three):  # noqa: PLR2004
            continue
        if _was_before(steps, three, press_t) and not _are_made(three, presses):
            return True
    return False


def _is_clock(steps: list[Step], t: int, press_t: int, presses: Sequence[int]) -> bool:
    """Tell whether the two changes before were on the very beat of this one, and made by no press."""
    index = next((index for index, step in enumerate(steps) if step[0] == t), 0)
    three = steps[max(0, index - 2) : index + 1]
    if len(three) < 3 or three[1][0] >= press_t or _are_made(three, presses):  # noqa: PLR2004
        return False
    beat, longer = _gaps(three)
    return beat >= CLOCK_LEAST_MS and longer - beat <= max(CLOCK_SLACK_MS, CLOCK_SLACK_SHARE * beat)


def _is_beat(steps: list[Step], t: int, press_t: int) -> bool:
    """Tell whether a change is one of a series of beats that no press made, one of which was before the press."""
    delay = next((delay for at, delay in steps if at == t), None)
    if delay is None:
        return False
    others = [step for step in steps if step[0] != t and step[1] > SYNC_MS]
    slack_ms = CLOCK_SLACK_MS if delay <= SYNC_MS else BEAT_SLACK_MS
    gaps = {later[0] - earlier[0] for earlier, later in pairwise(others) if not earlier[0] < t < later[0]}
    return any(gap >= EVEN_LEAST_MS and _is_in_series(others, t, press_t, gap, slack_ms) for gap in gaps)


def _is_own(step: Step, steps: list[Step]) -> bool:
    """Tell whether a place did it by itself: long after a press, or more than once after it."""
    t, delay = step
    return delay > PROMPT_MS or (delay > SYNC_MS and sum(at - late == t - delay for at, late in steps) > 1)


def _is_in_series(steps: list[Step], t: int, press_t: int, gap: int, slack_ms: int) -> bool:
    before = _beats(t, [step for step in reversed(steps) if step[0] < t], -gap, slack_ms)
    if not before or before[-1][0] >= press_t:
        return False
    series = before + _beats(t, [step for step in steps if step[0] > t], gap, slack_ms)
    return len(series) >= SERIES_BEATS and sum(_is_own(step, series) for step in series) >= SERIES_BEATS - 1


def _beats(t: int, steps: list[Step], gap: int, slack_ms: int) -> list[Step]:
    """Give those of `steps` that follow `t`, each a beat of `gap` after the last (backwards if it is negative)."""
    beats: list[Step] = []
    for step in steps:
        missed = round((step[0] - t) / gap)
        if 1 <= missed <= 1 + EVEN_MOST_MISSED and abs(step[0] - t - missed * gap) <= slack_ms:
            beats.append(step)
            t = step[0]
    return beats


def _gaps(three: list[Step]) -> tuple[int, int]:
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(three)]
    return min(gaps), max(gaps)


def _is_exact(three: list[Step]) -> bool:
    """Tell whether only a timer does this: nobody clicks so evenly."""
    beat, longer = _gaps(three)
    return beat >= EVEN_LEAST_MS and longer - beat <= EXACT_MS


def _keep_time(three: list[Step]) -> bool:
    """Tell whether three changes are on one beat: closely and without a gap, if one was in a handler's time."""
    beat, longer = _gaps(three)
    if any(delay <= SYNC_MS for _, delay in three):
        return beat >= CLOCK_LEAST_MS and longer - beat <= max(CLOCK_SLACK_MS, CLOCK_SLACK_SHARE * beat)
    beats = round(longer / beat) if beat >= EVEN_LEAST_MS else 0
    slack_ms = max(EVEN_SLACK_MS, EVEN_SLACK_SHARE * beat) if beats == 1 else EVEN_SLACK_MS
    return 1 <= beats <= 1 + EVEN_MOST_MISSED and abs(longer - beats * beat) <= slack_ms


def _was_before(steps: list[Step], three: list[Step], press_t: int) -> bool:
    """Tell whether the beat of three changes was there before the press at `press_t` (epoch ms)."""
    beat = _gaps(three)[0]
    for t, _ in steps:
        if t >= press_t:
            return False
        past = three[0][0] - t
        if past <= 0 or abs(past - round(past / beat) * beat) <= EVEN_SLACK_MS:
            return True
    return False


def _are_made(three: list[Step], presses: Sequence[int]) -> bool:
    """Tell whether presses made these changes: at once, all after the same delay, or one a press."""
    delays = [delay for _, delay in three]
    if max(delays) > PROMPT_MS:
        return sum(delay <= SYNC_MS for delay in delays) > 1
    if max(delays) - min(delays) <= LOCKED_MS:
        return True
    if _is_exact(three):
        return False
    between = bisect_right(presses, three[-1][0]) - bisect_right(presses, three[0][0])
    return between < len(three) and len({t - delay for t, delay in three}) == len(three)


def _is_idle(steps: list[Step], t: int, press_t: int) -> bool:
    """Tell whether a place that did something by itself lately, and nothing for presses, does it too late for one."""
    before = [(at, delay) for at, delay in steps if t - RESTLESS_BEFORE_MS <= at < press_t]
    own = next((delay for at, delay in steps if at == t), 0)
    return own > IDLE_MS and bool(before) and all(delay > PROMPT_MS for _, delay in before)


def _is_late(steps: list[Step], t: int, press_t: int) -> bool:
    """Tell whether a change comes too late for a press, in a place that lately changed late, and at other delays."""
    before = [delay for at, delay in steps if t - RESTLESS_BEFORE_MS <= at < press_t]
    own = next((delay for at, delay in steps if at == t), 0)
    return own > PROMPT_MS and bool(before) and min(before) > LATE_MS and abs(own - before[-1]) > LATE_MS


def _is_restless(steps: list[Step], t: int, press_t: int) -> bool:
    before, after = t - RESTLESS_BEFORE_MS, t + RESTLESS_AFTER_MS
    own = next((delay for at, delay in steps if at == t), 0)
    if own <= SYNC_MS:
        return False
    alone = [(at, delay) for at, delay in steps if delay > PROMPT_MS and before <= at <= after]
    if not alone or alone[0][0] >= press_t or (len(alone) > 2 and _keep_time(alone[:3])):  # noqa: PLR2004
        return False
    return len(alone) >= 2  # noqa: PLR2004
