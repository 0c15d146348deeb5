"""Click records: a first click on an element with those that follow, judged when its time is over.

Source: Sentry's `handleClick.ts` and, for dead and rage, its backend's `event_parser.py`.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from detectors.elements import Element
from detectors.interactions import (
    CanvasChange,
    Click,
    Interaction,
    Media,
    Mutation,
    Navigation,
    PageExit,
    Scroll,
    Selection,
    StyleChange,
    WindowOpen,
)
from detectors.machine import NEVER, Machine, Report
from detectors.machines.gestures import Place, finding
from detectors.targets import describe
from schemas.signals import EvidenceValue

MAX_RECORDS: Final = 64
"""Records open at a time; while there are so many, further clicks open none."""

PERIOD_MS: Final = 1_000
JOIN_MS: Final = 1_000
"""So soon after a record's first click another on the element joins it; later it opens one of its own."""

BACKEND_TIMEOUT_MS: Final = 7_000
"""The backend calls a click dead only after so long."""

MULTIPLE: Final = 2


class RecordRule(msgspec.Struct, frozen=True, kw_only=True):
    """The times; `find` gives the element a click is about, `is_eligible` says whether that gets records.

    Clicks with a modifier key open no record; they count in open ones if `counts_modified`.
    """

    preset: str
    version: int
    threshold_ms: int
    timeout_ms: int
    scroll_ms: int
    rage_count: int
    dead_tags: frozenset[str]
    counts_modified: bool
    find: Callable[[Element], Element]
    is_eligible: Callable[[Element], bool]


class Record(msgspec.Struct, gc=False):
    """An element's clicks since `t` (epoch ms), and the first reactions noted (ms after it; 0 is none yet)."""

    t: int
    place: Place
    end_t: int
    clicks: int = 0
    mutation_ms: int = 0
    scroll_ms: int = 0


class RecordState(msgspec.Struct, gc=False):
    """Open records, oldest first; the next examination; the latest reactions (epoch ms)."""

    records: list[Record] = msgspec.field(default_factory=list)
    next_t: int = NEVER
    mutation_t: int = NEVER
    scroll_t: int = NEVER


class ClickRecords(Machine[RecordState]):
    """Finds slow, multiple, dead and rage clicks."""

    def __init__(self, rule: RecordRule, report: Report) -> None:
        super().__init__(RecordState())
        self.name = f"{rule.preset}/clicks"
        self._rule = rule
        self._report = report

    def handlers(self) -> Mapping[type, Callable[..., None]]:
        """Map clicks, everything that counts as a reaction, and the end of a page."""
        reactions = (Mutation, StyleChange, CanvasChange, Media, WindowOpen)
        return {
            **dict.fromkeys(reactions, self._on_reaction),
            Selection: self._on_selection,
            Scroll: self._on_scroll,
            Click: self._on_click,
            Navigation: self._on_navigation,
            PageExit: self._on_exit,
        }

    def advance(self, t: int) -> None:
        """Make the examinations due at `t` (epoch ms)."""
        while self.deadline is not None and self.deadline <= t:
            self._examine(self.deadline)

    def finish(self) -> None:
        """Forget the records: their page is gone."""
        self._state.records.clear()
        self._rearm()

    def _rearm(self) -> None:
        self.deadline = self._state.next_t if self._state.records else None

    def _on_reaction(self, interaction: Interaction) -> None:
        self._state.mutation_t = interaction.t

    def _on_selection(self, selection: Selection) -> None:
        if not selection.collapsed:
            self._state.mutation_t = selection.t

    def _on_scroll(self, scroll: Scroll) -> None:
        self._state.scroll_t = scroll.t

    def _on_navigation(self, navigation: Navigation) -> None:
        if navigation.nav == "load":
            self.finish()

    def _on_exit(self, _exit: PageExit) -> None:
        self.finish()

    def _on_click(self, click: Click) -> None:
        if click.target is None or (click.modifiers and not self._rule.counts_modified):
            return
        element, state = self._rule.find(click.target), self._state
        same = [record for record in state.records if record.place.node_id == element.node_id]
        opens = not click.modifiers and self._rule.is_eligible(element) and len(state.records) < MAX_RECORDS
        if opens and not any(click.t - record.t < JOIN_MS for record in same):
            record = Record(click.t, Place(click.page, describe(element)), click.t)
            if not state.records:
                state.next_t = click.t + PERIOD_MS
            state.records.append(record)
            same.append(record)
        for record in same:
            record.clicks += 1
            record.end_t = click.t
        self._rearm()

    def _examine(self, now: int) -> None:
        state, rule = self._state, self._rule
        state.next_t = now + PERIOD_MS
        for record in state.records:
            if not record.mutation_ms and state.mutation_t >= record.t:
                record.mutation_ms = state.mutation_t - record.t
            if not record.scroll_ms and state.scroll_t >= record.t:
                record.scroll_ms = state.scroll_t - record.t
        over = [record for record in state.records if now - record.t >= rule.timeout_ms]
        state.records = [record for record in state.records if now - record.t < rule.timeout_ms]
        for record in over:
            self._judge(record, now)
        self._rearm()

    def _judge(self, record: Record, now: int) -> None:
        rule = self._rule
        if 0 < record.scroll_ms <= rule.scroll_ms or 0 < record.mutation_ms <= rule.threshold_ms:
            if record.clicks >= MULTIPLE:
                self._tell("multi_click", record, now)
            return
        time_after_ms = min(record.mutation_ms or rule.timeout_ms, rule.timeout_ms)
        reason = "mutation" if time_after_ms < rule.timeout_ms else "timeout"
        self._tell("slow_click", record, now, end_reason=reason, time_after_ms=time_after_ms)
        is_dead = time_after_ms >= BACKEND_TIMEOUT_MS and record.place.target.tag in rule.dead_tags
        if reason == "timeout" and is_dead:
            self._tell("dead_click", record, now, wait_ms=rule.timeout_ms)
            if record.clicks >= rule.rage_count:
                self._tell("rage_click", record, now, needed_clicks=rule.rage_count)

    def _tell(self, detector: str, record: Record, now: int, **measured: EvidenceValue) -> None:
        name = f"{self._rule.preset}/{detector}@{self._rule.version}"
        evidence: dict[str, EvidenceValue] = {"decided_t": now, **measured}
        count = None if detector == "dead_click" else record.clicks
        self._report(finding(name, record.t, record.place, evidence, end_t=record.end_t, count=count))
