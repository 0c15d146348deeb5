"""Rage click: several clicks on one spot in short time that the page does not answer.

Our rule: `count` consecutive unanswered clicks on the same control (an answer that is the only one of the burst may lie
between them), first to last in less than `window_ms` (a true sliding span), or in less than `unanswered_window_ms` if
at most one click of the burst was answered until then, because people click more slowly at a button that is slow or
failing. The clicks of a burst lie within `max_spread_px` on both axes (page coordinates). Where quick clicks were
answered before (`HABIT_CLICKS` of them on this page), quick clicks are normal, and twice as many unanswered ones are
needed: a stepper at its end is no rage. One burst is one signal; it is closed when `quiet_ms` have passed without a
further click.

A burst ends at a click elsewhere and at a scroll of the page between two clicks: what was clicked until then is
judged by itself, so a scroll after the burst changes nothing. Double and triple clicks select text: where text was
selected before the burst is closed, it takes clicks too many for that, so quick that browsers count them as one
multiple click. On controls a selection is no aim but a trace of the clicking. Presses on a disabled control count as
clicks, since browsers swallow the click.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from detectors.aim import Aim, Aims
from detectors.interactions import Click, Navigation, Release, Scroll, Selection
from detectors.interactive import closest_interactive
from detectors.machine import Machine, Report
from detectors.protocol import Finding
from detectors.reactions import MAX_PRESSES, Reactions, scrolls_page
from detectors.settings import RageClickSettings
from detectors.stored import annotate
from detectors.tuning import Tuning
from schemas.signals import Target

RULE: Final = "wince/rage_click@1"

MAX_MEMBERS: Final = MAX_PRESSES // 2
"""Clicks of a burst held before it is judged early, while all its presses are remembered; further ones are counted."""

MAX_ENDED: Final = 8
"""Ended bursts that wait for the last ripple; more than that within a second is no person."""

HABIT_CLICKS: Final = 4
"""Quick clicks that were answered, from which on quick clicks are how a control is used."""

LONE_ANSWERS: Final = 1
"""So many answers in a burst do not make a control work: a message that stays, a change that came by chance."""

MULTIPLE_CLICK_MS: Final = 500
"""Browsers take clicks for a double or triple one that follow each other within this time."""

MAX_HABITS: Final = 32
"""Controls of a page whose habits are remembered; the one heard of longest ago is forgotten for one more."""

MAX_LISTED: Final = 32
"""Click times listed in the evidence."""


@dataclass(init=False, slots=True)
class Member:
    """A click at `t` after a press at `press_t` (epoch ms), at page coordinates (px); `press` is its number."""

    press_t: int
    t: int
    x: float
    y: float
    press: int

    def __init__(self, made: Click | Release, press_t: int, press: int) -> None:
        self.press_t = press_t
        self.t = made.t
        self.x = made.page_x
        self.y = made.page_y
        self.press = press


@dataclass(init=False, slots=True)
class Box:
    """The area that clicks cover, in page coordinates (CSS pixels)."""

    left: float
    right: float
    top: float
    bottom: float

    def __init__(self, left: float, right: float, top: float, bottom: float) -> None:
        self.left = left
        self.right = right
        self.top = top
        self.bottom = bottom

    def side(self) -> float:
        """Give the longer of width and height."""
        return max(self.right - self.left, self.bottom - self.top)


@dataclass(slots=True)
class Hit:
    """The part of a burst that fulfils the rule; `span_ms` is that of the first `count` clicks within `window_ms`."""

    press_t: int
    end_t: int
    count: int
    span_ms: int
    window_ms: int
    spread_px: float
    click_times: list[int]


annotate(Hit, click_times=list[int])


@dataclass(init=False, slots=True)
class Burst:
    """Clicks on one target so far, of which `needed` make rage.

    `answered` remembers an answer among the members already dropped. `selected` tells of text that was selected
    meanwhile, which on a control (`is_control`) is of no matter.
    """

    target: Target
    place: str
    page: str
    needed: int
    members: list[Member]
    box: Box
    hit: Hit | None
    answered: bool
    judged: bool
    is_control: bool
    selected: bool

    def __init__(self, aim: Aim, page: str, needed: int, member: Member) -> None:
        self.target = aim.target()
        self.place = aim.place()
        self.page = page
        self.needed = needed
        self.members = [member]
        self.box = Box(member.x, member.x, member.y, member.y)
        self.hit = None
        self.answered = self.judged = self.selected = False
        self.is_control = aim.is_interactive


annotate(Burst, members=list[Member], hit=Hit | None)


@dataclass(slots=True)
class RageClickState:
    """The burst that may go on, and those that cannot but still wait to be judged, oldest first.

    `habits` count the quick clicks that were answered, by place of the control.
    """

    current: Burst | None = None
    ended: list[Burst] = field(default_factory=list)
    habits: dict[str, int] = field(default_factory=dict)


annotate(RageClickState, current=Burst | None, ended=list[Burst], habits=dict[str, int])


class RageClick(Machine[RageClickState]):
    """Finds bursts of unanswered clicks; `reactions` must have seen each interaction first."""

    name = "rage_click"

    def __init__(
        self, settings: RageClickSettings, tuning: Tuning, reactions: Reactions, aims: Aims, report: Report
    ) -> None:
        super().__init__(RageClickState())
        self._settings = settings
        self._tuning = tuning
        self._longest_window_ms = max(settings.window_ms, settings.unanswered_window_ms)
        self._reactions = reactions
        self._aims = aims
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map what makes, ends and voids a burst."""
        return {
            Click: self._on_click,
            Release: self._on_release,
            Scroll: self._on_scroll,
            Selection: self._on_selection,
            Navigation: self._on_navigation,
        }

    def advance(self, t: int) -> None:
        """Judge the bursts that have been quiet for long enough at `t` (epoch ms)."""
        state = self._state
        while state.ended and self._due(state.ended[0]) <= t:
            self._judge(state.ended.pop(0))
        current = state.current
        if current is not None and not current.judged and self._due(current) <= t:
            if self._judge(current):
                state.current = None
            else:
                current.judged = True  # a slow click may still complete it
        self._rearm()

    def finish(self) -> None:
        """Judge everything: silence closes a burst."""
        state = self._state
        waiting = [*state.ended, state.current] if state.current is not None else state.ended
        state.ended, state.current = [], None
        for burst in waiting:
            if not burst.judged:
                self._judge(burst)
        self._rearm()

    def _rearm(self) -> None:
        state = self._state
        self.deadline = self._due(state.ended[0]) if state.ended else None
        current = state.current
        if current is not None and not current.judged and self._may_be_rage(current):
            due = self._due(current)
            if self.deadline is None or due < self.deadline:
                self.deadline = due

    def _may_be_rage(self, burst: Burst) -> bool:
        return burst.hit is not None or len(burst.members) >= burst.needed

    def _due(self, burst: Burst) -> int:
        return burst.members[-1].t + self._settings.quiet_ms

    def _on_click(self, click: Click) -> None:
        if click.button == 0 and click.is_primary:
            self._add(click, self._aims.of(click))

    def _on_release(self, release: Release) -> None:
        target = release.target and closest_interactive(release.target)
        if target is None or "disabled" not in target.attributes:
            return
        if self._reactions.current >= 0:
            self._add(release, Aim(target))

    def _on_scroll(self, scroll: Scroll) -> None:
        if self._state.current is not None and scrolls_page(scroll):
            self._end()

    def _on_selection(self, selection: Selection) -> None:
        current = self._state.current
        if current is not None and not selection.collapsed and not current.is_control:
            current.selected = True

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._end()
            self._state.habits.clear()

    def _add(self, made: Click | Release, aim: Aim | None) -> None:
        if aim is None or aim.answers_unseen() or aim.is_ignored():
            self._end()
            return
        press = self._reactions.current
        burst = self._state.current
        if burst is not None and burst.members[-1].press == press:
            return  # the same gesture, told twice
        member = Member(made, self._reactions.press_t(press), press)
        if burst is None or not self._continues(burst, member, aim):
            self._put_aside()
            needed = self._settings.count
            if self._tuning:
                needed = self._tuning.rage_click_count(aim.element, needed)
            self._state.current = Burst(aim, made.page, needed, member)
        else:
            self._append(burst, member)
        self._rearm()

    def _continues(self, burst: Burst, member: Member, aim: Aim) -> bool:
        """Tell whether `member` belongs to `burst`, after letting go of what is too old or too far away."""
        if burst.target.node_id != aim.control.node_id and burst.place != aim.place():
            return False
        if self._due(burst) <= member.t:
            horizon = member.t - self._longest_window_ms
            if burst.members[-1].t <= horizon:
                return False
            self._drop(burst, sum(1 for old in burst.members if old.t <= horizon))
        while burst.members and _grown(burst.box, member).side() > self._settings.max_spread_px:
            if self._may_be_rage(burst):
                return False
            self._drop(burst, 1)
        return bool(burst.members)

    def _append(self, burst: Burst, member: Member) -> None:
        burst.judged = False
        burst.box = _grown(burst.box, member)
        if burst.hit is None and self._is_full(burst, member.t):
            self._condense(burst)
        if burst.hit is not None:
            burst.hit.count += 1
            burst.hit.end_t = member.t
            burst.members.clear()
        burst.members.append(member)

    def _is_full(self, burst: Burst, t: int) -> bool:
        members = burst.members
        return len(members) >= MAX_MEMBERS or bool(members and members[0].t <= t - self._reactions.memory_ms // 2)

    def _condense(self, burst: Burst) -> None:
        """Judge a burst that is full: it is rage already, or only its last clicks can still become it."""
        flags = self._flags(burst)
        burst.hit = self._find(burst, flags)
        burst.answered = burst.answered or any(flags)
        if burst.hit is None:
            del burst.members[: -burst.needed]

    def _drop(self, burst: Burst, count: int) -> None:
        dropped = burst.members[:count]
        del burst.members[:count]
        burst.answered = burst.answered or any(self._reactions.answered(member.press) for member in dropped)
        if dropped and burst.members:
            burst.box = _box_of(burst.members)

    def _end(self) -> None:
        if self._state.current is not None:
            self._put_aside()
            self._rearm()

    def _put_aside(self) -> None:
        state = self._state
        burst, state.current = state.current, None
        if burst is None or burst.judged or not self._may_be_rage(burst):
            return
        if len(state.ended) >= MAX_ENDED:
            self._judge(state.ended.pop(0))
        state.ended.append(burst)

    def _flags(self, burst: Burst) -> list[bool]:
        answered = self._reactions.answered
        return [answered(member.press) for member in burst.members]

    def _judge(self, burst: Burst) -> bool:
        hit = burst.hit
        if hit is None and len(burst.members) >= burst.needed:
            flags = self._flags(burst)
            hit = self._find(burst, flags)
            self._learn(burst, flags)
        if hit is not None:
            self._report(self._finding(burst, hit))
        return hit is not None

    def _learn(self, burst: Burst, flags: Sequence[bool]) -> None:
        """Remember that quick clicks are answered here."""
        answered = sum(flags)
        if not answered:
            return
        habits = self._state.habits
        habits[burst.place] = min(habits.pop(burst.place, 0) + answered, HABIT_CLICKS)
        if len(habits) > MAX_HABITS:
            del habits[next(iter(habits))]

    def _find(self, burst: Burst, flags: Sequence[bool]) -> Hit | None:
        settings, members = self._settings, burst.members
        habit, answers = self._state.habits.get(burst.place, 0), int(burst.answered)
        is_lone = answers + sum(flags) <= LONE_ANSWERS
        streak: list[int] = []
        for index, answered in enumerate(flags):
            if answered:
                answers += 1
                streak = streak if is_lone else []
                continue
            streak.append(index)
            needed = burst.needed * (2 if habit + answers >= HABIT_CLICKS else 1)
            window_ms = settings.window_ms if answers > LONE_ANSWERS else self._longest_window_ms
            if burst.selected and not _is_multiple_click([members[hit] for hit in streak[-needed:]]):
                continue
            if len(streak) >= needed and members[index].t - members[streak[-burst.needed]].t < window_ms:
                end = next((later for later in range(index, len(flags)) if flags[later]), len(flags))
                hits = [*streak[-needed:], *range(index + 1, end)]
                return _hit([members[hit] for hit in hits], burst.needed, settings.window_ms, window_ms)
        return None

    def _finding(self, burst: Burst, hit: Hit) -> Finding:
        return Finding(
            detector=self.name,
            t=hit.press_t,
            end_t=hit.end_t,
            page=burst.page,
            target=burst.target,
            rule=RULE,
            evidence={
                "span_ms": hit.span_ms,
                "window_ms": hit.window_ms,
                "needed_clicks": burst.needed,
                "spread_px": hit.spread_px,
                "max_spread_px": self._settings.max_spread_px,
                "click_times": hit.click_times,
            },
            count=hit.count,
        )


def _is_multiple_click(members: Sequence[Member]) -> bool:
    return all(later.t - earlier.t <= MULTIPLE_CLICK_MS for earlier, later in pairwise(members))


def _hit(members: Sequence[Member], count: int, window_ms: int, longer_window_ms: int) -> Hit:
    span_ms = members[count - 1].t - members[0].t
    return Hit(
        press_t=members[0].press_t,
        end_t=members[-1].t,
        count=len(members),
        span_ms=span_ms,
        window_ms=window_ms if span_ms < window_ms else longer_window_ms,
        spread_px=round(_box_of(members).side(), 1),
        click_times=[member.t for member in members[:MAX_LISTED]],
    )


def _grown(box: Box, member: Member) -> Box:
    x, y = member.x, member.y
    if box.left <= x <= box.right and box.top <= y <= box.bottom:
        return box
    return Box(min(box.left, x), max(box.right, x), min(box.top, y), max(box.bottom, y))


def _box_of(members: Sequence[Member]) -> Box:
    across, down = [member.x for member in members], [member.y for member in members]
    return Box(min(across), max(across), min(down), max(down))
