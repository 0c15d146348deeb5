"""Repeated clicks: a run of clicks that agree in time, place and target, reported as it completes or as it closes."""

from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

import msgspec

from detectors.elements import Element
from detectors.interactions import AuxClick, Click, Interaction, Navigation, PageExit, Selection
from detectors.machine import NEVER, Machine, Report
from detectors.machines.gestures import MAX_LISTED, Place, Pointer, finding, place_of, press_time

MAX_RUNS: Final = 64
"""Runs held at a time where each node has its own; the one not clicked for longest is dropped for one more."""

MAX_COUNT: Final = 1_000
"""Most clicks a rule may ask for: so many are remembered of a run."""

Key = int | str | None


class RepeatRule(msgspec.Struct, frozen=True, kw_only=True):
    """When clicks are one run, and when a run is reported.

    `find` gives the element a click is about, `None` for clicks that are not seen at all. `identify` names what that is
    to the run: `None` for a click that ends runs and starts none. `suppresses` keeps a run silent at the moment it
    would be reported. `window` says what is compared with `window_ms` (always less than): each click with the one
    `before`, or the newest with the one that is `count - 1` clicks `back`, or all clicks on one `node` of the last
    `window_ms`. Distances are `max_px` at most, or less than it if `is_below`.
    """

    rule: str
    count: int
    window_ms: int
    window: Literal["before", "back", "node"]
    distance: Literal["none", "box", "straight", "axes"] = "none"
    max_px: float = 0.0
    is_below: bool = False
    on_page: bool = False
    counted: Literal["press", "click"] = "click"
    reported: Literal["completing", "closing"] = "completing"
    refires: bool = False
    quiet_ms: int | None = None
    is_voided_by_selection: bool = False
    outlives_page: bool = False
    find: Callable[[Pointer, Element], Element | None] = lambda _click, element: element
    identify: Callable[[Pointer, Element], Key]
    suppresses: Callable[[Pointer, Element], bool] = lambda _click, _element: False


class Member(msgspec.Struct, gc=False, array_like=True):
    """A click of a run: epoch ms, CSS pixels."""

    t: int
    x: float
    y: float


class Run(msgspec.Struct, gc=False):
    """Clicks that belong together: the last ones, how many, the area they cover (left, right, top, bottom)."""

    key: int | str
    place: Place
    first_t: int
    last: list[Member]
    total: int
    box: tuple[float, float, float, float]
    times: list[int]


class RepeatState(msgspec.Struct, gc=False):
    """Open runs by what they are on (one only, under `""`, unless each node has its own), and the last moment seen.

    `voided_t` is when something was last selected (epoch ms).
    """

    runs: dict[int | str, Run] = msgspec.field(default_factory=dict)
    last_t: int = 0
    voided_t: int = NEVER


class RepeatedClicks(Machine[RepeatState]):
    """Finds runs of clicks by one rule."""

    def __init__(self, rule: RepeatRule, report: Report) -> None:
        super().__init__(RepeatState())
        self.name = rule.rule.partition("@")[0]
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks, and what ends runs."""
        rule = self._rule
        handlers: dict[type, Callable[..., None]] = {}
        if rule.reported == "closing" and rule.quiet_ms is None:
            handlers.update(dict.fromkeys(get_args(Interaction), self._on_anything))
        handlers[Click] = self._on_click
        if rule.counted == "press":
            handlers[AuxClick] = self._on_click
        if rule.is_voided_by_selection:
            handlers[Selection] = self._on_selection
        if not rule.outlives_page:
            handlers[Navigation] = self._on_navigation
            handlers[PageExit] = self._on_exit
        return handlers

    def advance(self, t: int) -> None:
        """Report the run that has been quiet for long enough at `t` (epoch ms)."""
        if self.deadline is not None and self.deadline <= t:
            self._close(self.deadline)

    def finish(self) -> None:
        """End of the session: a run that waits for its end has it; others are forgotten."""
        if self._rule.quiet_ms is None and self._rule.reported == "closing":
            self._close(self._state.last_t)
        self._state.runs.clear()
        self._rearm()

    def _rearm(self) -> None:
        self.deadline = None
        run = self._state.runs.get("")
        if run is not None and self._rule.quiet_ms is not None and run.total >= self._rule.count:
            self.deadline = run.last[-1].t + self._rule.quiet_ms

    def _on_anything(self, interaction: Interaction) -> None:
        self._state.last_t = interaction.t

    def _on_selection(self, selection: Selection) -> None:
        if not selection.collapsed:
            self._state.voided_t = selection.t
            self._forget()

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self._forget()

    def _on_exit(self, _exit: PageExit) -> None:
        self._forget()

    def _forget(self) -> None:
        self._state.runs.clear()
        self.deadline = None

    def _on_click(self, click: Pointer) -> None:
        self._state.last_t = click.t
        rule = self._rule
        element = None if click.target is None else rule.find(click, click.target)
        if element is None:
            return
        key = rule.identify(click, element)
        t = press_time(click) if rule.counted == "press" else click.t
        if t <= self._state.voided_t < click.t:
            return  # its press was there before the selection, and went with the run
        x, y = (click.page_x, click.page_y) if rule.on_page else (click.x, click.y)
        if key is None:
            self._close(t)
        elif rule.window == "node":
            self._add_of_node(key, Member(t, x, y), click, element)
        else:
            self._add(key, Member(t, x, y), click, element)
        self._rearm()

    def _add(self, key: int | str, member: Member, click: Pointer, element: Element) -> None:
        run = self._state.runs.get("")
        if run is None or run.key != key or not self._in_time(run, member) or not self._is_near(run, member):
            self._close(member.t)
            run = self._state.runs[""] = _started(key, place_of(click, element), member)
        else:
            _append(run, member, max(self._rule.count, 1))
        if run.total == self._rule.count and self._rule.reported == "completing":
            self._complete(run, click, element)
            if self._rule.refires:
                del self._state.runs[""]

    def _add_of_node(self, key: int | str, member: Member, click: Pointer, element: Element) -> None:
        runs, rule = self._state.runs, self._rule
        old = runs.pop(key, None)
        recent = [] if old is None else [kept for kept in old.last if member.t - kept.t < rule.window_ms]
        run = _started(key, place_of(click, element), recent[0] if recent else member)
        for later in [*recent[1:], member] if recent else ():
            _append(run, later, rule.count)
        if run.total >= rule.count:
            self._complete(run, click, element)
            return
        runs[key] = run
        if len(runs) > MAX_RUNS:
            del runs[next(iter(runs))]

    def _in_time(self, run: Run, member: Member) -> bool:
        rule = self._rule
        back = 1 if rule.window == "before" else rule.count - 1
        compared = run.last[max(0, len(run.last) - back)]
        return member.t - compared.t < rule.window_ms

    def _is_near(self, run: Run, member: Member) -> bool:
        rule, previous = self._rule, run.last[-1]
        across, down = abs(member.x - previous.x), abs(member.y - previous.y)
        if rule.distance == "none":
            return True
        if rule.distance == "box":
            left, right, top, bottom = _grown(run.box, member)
            distance = max(right - left, bottom - top)
        elif rule.distance == "straight":
            distance = (across * across + down * down) ** 0.5
        else:
            distance = across + down
        return distance < rule.max_px if rule.is_below else distance <= rule.max_px

    def _complete(self, run: Run, click: Pointer, element: Element) -> None:
        if not self._rule.suppresses(click, element):
            t = run.last[-1].t
            self._tell(run, place_of(click, element), t, t)

    def _close(self, decided_t: int) -> None:
        run = self._state.runs.pop("", None)
        if run is not None and self._rule.reported == "closing" and run.total >= self._rule.count:
            self._tell(run, run.place, run.first_t, decided_t)
        self._rearm()

    def _tell(self, run: Run, place: Place, t: int, decided_t: int) -> None:
        rule = self._rule
        evidence = {
            "decided_t": decided_t,
            "needed_clicks": rule.count,
            "window_ms": rule.window_ms,
            "max_px": rule.max_px if rule.distance != "none" else None,
            "click_times": list(run.times),
        }
        self._report(finding(rule.rule, t, place, evidence, end_t=run.last[-1].t, count=run.total))


def _started(key: int | str, place: Place, member: Member) -> Run:
    return Run(key, place, member.t, [member], 1, (member.x, member.x, member.y, member.y), [member.t])


def _append(run: Run, member: Member, kept: int) -> None:
    member.t = max(member.t, run.last[-1].t)  # a gesture is told when it ends; one begun earlier may be told later
    run.last.append(member)
    del run.last[:-kept]
    run.total += 1
    run.box = _grown(run.box, member)
    if len(run.times) < MAX_LISTED:
        run.times.append(member.t)


def _grown(box: tuple[float, float, float, float], member: Member) -> tuple[float, float, float, float]:
    return min(box[0], member.x), max(box[1], member.x), min(box[2], member.y), max(box[3], member.y)
