"""One window of a session: its clock, its pages, its detectors, the block it writes."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from detectors.interactions import Click, Failure, Input, Interaction
from detectors.machine import may_wait
from detectors.opt_out import OptOut
from detectors.plugins import Guarded, Plugin
from detectors.protocol import Detector, Finding
from detectors.registry import make_detectors
from engine.core.activity import NOWHEN, ActivityLog, Visit
from engine.core.attributes import WindowAttributes
from engine.core.blocks import BlockBuilder, Run
from engine.core.projects import Project
from engine.input.snapshots import UnopenedSnapshot
from engine.reasons import Reason
from engine.rebuild.clock import Step, WindowClock
from engine.rebuild.context import Context, Gesture, RebuildTools
from engine.rebuild.page_state import PageState, page_state, restore_page
from engine.rebuild.rebuilder import Event, Rebuilder
from schemas.rrweb_events import FullSnapshot, IncrementalSnapshot, Meta

SNAPSHOTS: Final = (FullSnapshot, UnopenedSnapshot)

NEVER: Final = 1 << 62
"""Later than any event time."""

COUNTED: Final = frozenset({Click, Input, Failure})
"""Interactions that a session counts."""

_encode: Final = msgspec.json.Encoder().encode


class Audience(NamedTuple):
    """What to call for an interaction of one kind, and whose deadlines that may change."""

    handlers: list[Callable[..., None]]
    waiters: list[Detector]


class WindowOwner(Protocol):
    """What a window tells its session."""

    @property
    def capped(self) -> Reason | None:
        """Why nothing more of the session is taken, if so."""

    def room(self) -> tuple[int, int, int]:
        """Return how many bytes of events, and from when to when, are certain to be admitted."""

    def admit(self, run: Run) -> int:
        """Admit masked events; return how many, from the first on. The others are counted as dropped."""

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count events that are not published."""

    def repair(self, reason: Reason) -> None:
        """Count a change inside an event."""

    def find(self, window_id: str, finding: Finding) -> None:
        """Take what a detector found."""

    def visit(self, window_id: str, url: str, t: int) -> None:
        """Take note of a page the window is on."""

    @property
    def activity(self) -> ActivityLog:
        """Where starts and ends are told."""

    def saw(self, interaction: Interaction) -> None:
        """Take note of an interaction for the session's totals."""


class WindowState(msgspec.Struct, frozen=True, array_like=True):
    """A window as data, without anything that isn't masked; `resting` until the next event tells of its page."""

    clock: WindowClock
    gesture: Gesture
    loading: bool
    page: PageState
    detectors: dict[str, msgspec.Raw]
    resting: bool
    entered_at: int
    attributes: WindowAttributes = msgspec.field(default_factory=WindowAttributes)


class Window:
    """Takes decoded events in stream order; masks, publishes and judges each.

    A `late` window takes a batch whose place was given up: it knows no page, judges nothing and marks its blocks.
    """

    def __init__(
        self, window_id: str, project: Project, tools: RebuildTools, owner: WindowOwner, *, late: bool = False
    ) -> None:
        self.window_id = window_id
        self.blocks = BlockBuilder(window_id, late=late)
        self.attributes = WindowAttributes()
        self._owner = owner
        self._clock = WindowClock(project.session.idle_timeout_ms, project.session.longest_silence_ms)
        self._detectors: list[Detector] = [] if late else make_detectors(project.detectors, self._found)
        if project.plugins and not late:
            self._detectors += self._plugins(project.plugins)
        self._wishes = [(detector.handlers(), detector) for detector in self._detectors]
        self._audiences: dict[type, Audience] = {}
        self._told: list[Interaction] = []
        wanted = COUNTED.union(*(wishes for wishes, _ in self._wishes))
        self._context = Context(project.policy, tools, self._told.append, wanted, owner.repair)
        self._rebuilder = Rebuilder(self._context)
        self._feed = self._rebuilder.feed
        self._deadline = NEVER
        self._activity = None if late else owner.activity
        self._url = ""
        # None while the window rests: it tells of its page with the next event.
        self._told_url: str | None = None
        self._entered_at = NOWHEN
        self._previous_is_meta = False

    @property
    def now(self) -> int:
        """The window's time (epoch ms); -1 before its first event."""
        return self._clock.now

    def process(self, events: Sequence[Event], sequence: int) -> int:
        """Take the events of the batch with this number; return how many were published."""
        owner, clock, mask, idle_timeout_ms = self._owner, self._clock, self._mask, self._clock.idle_timeout_ms
        run, published, rest = Run(), 0, iter(events)
        left_bytes, first_t, last_t = owner.room()
        for event in () if owner.capped else rest:
            timestamp = int(event.timestamp)
            t = timestamp + clock.offset
            # What nearly every event's time is: a little later than the one before. The clock knows the rest.
            if 0 <= t - clock.now <= idle_timeout_ms:
                clock.now = t
            else:
                t = self._step(event.timestamp)
            if t >= self._deadline:
                self._advance(t)
            if type(event) is not IncrementalSnapshot:
                # It may lead to another page, under another policy.
                published += self._publish(run, sequence)
                run = Run()
                self._see(event)
            line = mask(event, t)
            if line is None:
                continue
            if type(event) is IncrementalSnapshot:
                self._previous_is_meta = False
            else:
                self._divide(type(event))
            run.lines.append(line)
            run.times.append(t)
            run.timestamps.append(timestamp)
            left_bytes -= len(line) + 1
            if left_bytes < 0 or not first_t <= t <= last_t:
                published += self._publish(run, sequence)
                run = Run()
                left_bytes, first_t, last_t = owner.room()
                if owner.capped:
                    break
        if owner.capped:
            owner.drop(owner.capped, sum(1 for _ in rest))
        return published + self._publish(run, sequence)

    def _see(self, event: Event) -> None:
        """Take note of the viewport, before anything is told of its page."""
        if isinstance(event, Meta):
            self.attributes.see_viewport(event.data.width, event.data.height)

    def _step(self, timestamp: float) -> int:
        """Let the clock find out what an unusual time means; return what time it is."""
        step = self._clock.advance(timestamp)
        if step is not Step.ON:
            self._pause(step)
        return self._clock.now

    def _mask(self, event: Event, t: int) -> bytes | None:
        """Return the masked event as JSON, or count why there is none. Whatever fails here must not let it through."""
        context = self._context
        try:
            masked = self._feed(event, t)
            line = None if masked is None else _encode(masked)
        except Exception:  # noqa: BLE001  # fail closed: no error in masking may publish the event or stop its neighbours
            context.forget_page()
            self._told.clear()
            self._owner.drop(Reason.MASKING_FAILED)
            return None
        if self._told:
            self._tell()
        if context.page.url != self._told_url:
            self._go(context.page.url, t)
        if line is None:
            self._owner.drop(context.take_drop_reason())
        return line

    def _publish(self, run: Run, sequence: int) -> int:
        """Put masked events into the block, as far as the session has room; return how many."""
        if not run.lines:
            return 0
        kept = self._owner.admit(run)
        if kept < len(run.lines):
            run.cut(kept)
        self.blocks.extend(run, sequence, self._context.page.masker.stamp)
        return kept

    def _go(self, url: str, t: int) -> None:
        """Tell which page the window is on now."""
        if url != self._url:
            self._owner.visit(self.window_id, url, t)
        activity = self._activity
        if activity is not None:
            activity.start(t, self.attributes.current())
            self._leave(t)
            if url and activity.enter(self.window_id, url, t, self.attributes.current()):
                self._entered_at = t
        self._url = self._told_url = url

    def _leave(self, t: int) -> None:
        """End the visit at hand, if there is one."""
        if self._activity is not None and self._entered_at != NOWHEN:
            visit = Visit(self.window_id, self._url, self._entered_at)
            self._activity.leave(visit, t, self.attributes.current())
            self._entered_at = NOWHEN

    def rest(self) -> None:
        """The session ended: so do visits. What is on show is told anew if the session goes on."""
        self._leave(self.now)
        self._told_url = None

    def lost(self) -> None:
        """Take note that batches are missing here: the block ends, and what is known of the page may be wrong now."""
        self.blocks.cut()
        self.doubt()

    def doubt(self) -> None:
        """Take note that what is known of the page may be wrong now."""
        self._context.page.doubt()

    def _divide(self, kind: type) -> None:
        """Begin a block before an event at which a player can start."""
        if kind is Meta or (kind in SNAPSHOTS and not (self._previous_is_meta and self.blocks.open)):
            self.blocks.start_keyframe()
        self._previous_is_meta = kind is Meta

    def _plugins(self, plugins: Sequence[Plugin]) -> list[Detector]:
        """Make the detectors of others; the opt-out holds for them as well."""
        opt_out = next((made for made in self._detectors if isinstance(made, OptOut)), None) or OptOut()
        guards = [] if opt_out in self._detectors else [opt_out]
        report = opt_out.guard(self._found)
        return [*guards, *(Guarded(plugin, report, self._plugin_failed) for plugin in plugins)]

    def _plugin_failed(self) -> None:
        self._owner.repair(Reason.PLUGIN_FAILED)

    def _advance(self, t: int) -> None:
        """Let detectors decide what is due."""
        for detector in self._detectors:
            deadline = detector.deadline
            if deadline is not None and t >= deadline:
                detector.advance(t)
        self._rearm()

    def _rearm(self) -> None:
        """Note when a detector next has something to decide: not before `_deadline`, and maybe later."""
        nearest = NEVER
        for detector in self._detectors:
            deadline = detector.deadline
            if deadline is not None and deadline < nearest:
                nearest = deadline
        self._deadline = nearest

    def _pause(self, step: Step) -> None:
        """Silence, or a clock set back: what waits is decided by what was seen."""
        if step is Step.RESET:
            self._owner.repair(Reason.CLOCK_JUMP)
        self.finish()

    @property
    def waits(self) -> bool:
        """Whether a detector waits for what comes next."""
        return any(detector.deadline is not None for detector in self._detectors)

    def finish(self) -> None:
        """Nothing more is expected of the window for a long time: what waits is decided by what was seen."""
        for detector in self._detectors:
            detector.finish()
        self._rearm()

    def _tell(self) -> None:
        """Hand what the event told to the detectors; their failures are ours and not the event's."""
        nearest = self._deadline
        for interaction in self._told:
            audience = self._audiences.get(type(interaction)) or self._audience(type(interaction))
            for handler in audience.handlers:
                handler(interaction)
            for waiter in audience.waiters:
                deadline = waiter.deadline
                if deadline is not None and deadline < nearest:
                    nearest = deadline
        self._deadline = nearest
        self._told.clear()

    def _audience(self, kind: type) -> Audience:
        """Look up who is told of interactions of this kind; most windows see few kinds."""
        wishes = [(wishes[kind], detector) for wishes, detector in self._wishes if kind in wishes]
        handlers = [handler for handler, _ in wishes]
        waiters = [detector for _, detector in wishes if may_wait(detector)]
        if kind in COUNTED:
            handlers = [self._saw, *handlers]
        audience = Audience(handlers, waiters)
        self._audiences[kind] = audience
        return audience

    def _saw(self, interaction: Interaction) -> None:
        if isinstance(interaction, Click) and interaction.touch:
            self.attributes.touch = True
        self._owner.saw(interaction)

    def _found(self, finding: Finding) -> None:
        self._owner.find(self.window_id, finding)

    def snapshot(self) -> WindowState:
        """Describe the window; blocks not taken yet are not part of it."""
        return WindowState(
            self._clock,
            self._context.gesture,
            self._rebuilder.loading,
            page_state(self._context.page),
            {detector.name: detector.snapshot() for detector in self._detectors},
            self._told_url is None,
            self._entered_at,
            self.attributes,
        )

    def restore(self, state: WindowState) -> None:
        """Take over the state of an equal window. Raises msgspec.ValidationError for a state of other detectors."""
        self._clock = state.clock
        self._context.gesture = state.gesture
        self._context.page = restore_page(state.page, self._context.policy)
        self._rebuilder.loading = state.loading
        self._url = state.page.url
        self._told_url = None if state.resting else self._url
        self._entered_at = state.entered_at
        self.attributes = state.attributes
        for detector in self._detectors:
            if detector.name in state.detectors:
                detector.restore(state.detectors[detector.name])
        self._rearm()
