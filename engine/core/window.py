"""One window of a session: its clock, its pages, its detectors, the block it writes."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from detectors.interactions import Click, CustomEvent, Failure, Input, Interaction
from detectors.moments import At
from detectors.opt_out import OptOut
from detectors.plugins import Guarded
from detectors.protocol import Detector, Finding
from detectors.registry import make_detectors
from engine.core.activity import NOWHEN, ActivityLog, Visit
from engine.core.attributes import WindowAttributes
from engine.core.blocks import BlockBuilder, Run
from engine.core.panel import Panel
from engine.core.projects import Project
from engine.input.snapshots import UnopenedSnapshot
from engine.reasons import Reason
from engine.rebuild.clock import Step, WindowClock
from engine.rebuild.context import Context, Gesture, RebuildTools
from engine.rebuild.page_state import PageState, page_state, restore_page
from engine.rebuild.rebuilder import Event, Rebuilder
from schemas.rrweb_events import FullSnapshot, IncrementalSnapshot, Meta

SNAPSHOTS: Final = (FullSnapshot, UnopenedSnapshot)

_encode: Final = msgspec.json.Encoder().encode


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
        # The session counts these, or tells of them.
        self._panel = Panel({Click: self._saw, Input: self._saw, Failure: self._saw, CustomEvent: self._happened})
        if not late:
            self._seat(project)
        self._told: list[At] = []
        self._context = Context(project.policy, tools, self._told.append, self._panel.kinds, owner.repair)
        self._rebuilder = Rebuilder(self._context)
        self._feed = self._rebuilder.feed
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
        owner, clock, mask, panel = self._owner, self._clock, self._mask, self._panel
        idle_timeout_ms = clock.idle_timeout_ms
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
            if t >= panel.deadline:
                panel.advance(t)
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

    def _seat(self, project: Project) -> None:
        """Make the window's detectors; the opt-out holds for those of others as well."""
        detectors = make_detectors(project.detectors, self._found)
        others: list[Detector] = []
        if project.plugins:
            opt_out = next((made for made in detectors if isinstance(made, OptOut)), None) or OptOut()
            report = opt_out.guard(self._found)
            others = [] if opt_out in detectors else [opt_out]
            others += (Guarded(plugin, report, self._plugin_failed) for plugin in project.plugins)
        self._panel.seat(detectors, project.wishes, others)

    def _plugin_failed(self) -> None:
        self._owner.repair(Reason.PLUGIN_FAILED)

    def _pause(self, step: Step) -> None:
        """Silence, or a clock set back: what waits is decided by what was seen."""
        if step is Step.RESET:
            self._owner.repair(Reason.CLOCK_JUMP)
        self.finish()

    @property
    def waits(self) -> bool:
        """Whether a detector waits for what comes next."""
        return self._panel.waits

    def finish(self) -> None:
        """Nothing more is expected of the window for a long time: what waits is decided by what was seen."""
        self._panel.finish()

    def _tell(self) -> None:
        """Hand what the event told to the detectors; their failures are ours and not the event's."""
        self._panel.tell(self._told)
        self._told.clear()

    def _saw(self, interaction: Interaction) -> None:
        if isinstance(interaction, Click) and interaction.touch:
            self.attributes.touch = True
        self._owner.saw(interaction)

    def _happened(self, event: CustomEvent) -> None:
        """Tell of a custom event, after the session and the visit it belongs to."""
        if self._activity is not None:
            if event.page != self._told_url:
                self._go(event.page, event.t)
            self._activity.happened(self.window_id, event.page, event.name, event.t, self.attributes.current())

    def _found(self, finding: Finding) -> None:
        self._owner.find(self.window_id, finding)

    def snapshot(self) -> WindowState:
        """Describe the window; blocks not taken yet are not part of it."""
        return WindowState(
            self._clock,
            self._context.gesture,
            self._rebuilder.loading,
            page_state(self._context.page),
            self._panel.snapshot(),
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
        self._panel.restore(state.detectors)
