"""One session: its windows in order, its life, and what has to be written of it."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from detectors.interactions import Interaction
from detectors.protocol import Finding
from engine.core.activity import ActivityLog, ActivityState
from engine.core.attributes import Attributes, together
from engine.core.blocks import Run
from engine.core.caps import CAP_HOLES, CAP_REASONS, Caps
from engine.core.effects import SessionEffects
from engine.core.findings import Findings
from engine.core.lane import Lane, LaneState, hold_at_most
from engine.core.ledger import Ledger
from engine.core.phases import Phase, Sign, advance
from engine.core.projects import Project
from engine.core.shared import Shared
from engine.input.messages import DecodedBatch
from engine.order import Verdict
from engine.reasons import Reason
from replay.writes import BlockDraft, FilledRange
from schemas.bundle_index import Hole
from schemas.session_record import EndReason, SessionRecord

NEWS: Final = frozenset({Verdict.READY, Verdict.HELD, Verdict.LATE})
"""Batches that show life; the others were here before."""

CLOCK_TOLERANCE_MS: Final = 86_400_000
"""A record's times are never later than this after the last batch arrived: listings sort and expire by them."""


class SessionState(msgspec.Struct, frozen=True, array_like=True):
    """A session as data: decisions and masked facts; batches held back are known by number and position only."""

    ledger: Ledger
    phase: Phase
    capped: Reason | None
    last_arrival_ms: int
    position: int
    lanes: dict[str, LaneState]
    activity: ActivityState
    recent_signals: list[int] = []


class Session:
    """Takes the batches of one session; `take` gives what has to be written since it was last called.

    `now_ms` is the arrival clock throughout: it never falls. `must_save` says that the state has to be stored with the
    next write.
    """

    def __init__(self, project_id: str, session_id: str, project: Project, shared: Shared) -> None:
        self.ledger = Ledger(project_id, session_id)
        self.activity = ActivityLog(project_id, session_id, self.repair)
        self.phase = Phase.OPEN
        self.last_arrival_ms = 0
        self.position = -1
        self.must_save = False
        self._project = project
        self._caps = Caps(project.session)
        self._shared = shared
        self._capped: Reason | None = None
        self._lanes: dict[str, Lane] = {}
        self._findings = Findings(self.ledger)
        self._holes: list[Hole] = []

    # -- batches ------------------------------------------------------------------------------------------------

    def offer(self, batch: DecodedBatch, position: int, now_ms: int, *, decides: bool = True) -> None:
        """Take one batch, at `position` of the input.

        With `decides` false nothing is given up for time or room: that is stored at once when it is decided, so between
        a stored state and what was published after it there was no such thing, whatever it looks like now.
        """
        envelope = batch.envelope
        if position <= self.position:
            self._offer_again(batch, position, now_ms, decides=decides)
            return
        self.position = position
        lane = self._lane(envelope.window_id)
        if self.phase is Phase.CLOSED or lane is None:
            self.refuse(batch, Reason.AFTER_END if lane else Reason.TOO_MANY_WINDOWS)
            return
        verdict = lane.offer(batch, position, now_ms)
        if verdict in NEWS:
            self.last_arrival_ms = max(self.last_arrival_ms, now_ms)
        if verdict is Verdict.HELD:
            if envelope.ended and self.phase is Phase.OPEN:
                # Lists may show it at once; its windows end in their turn, with what is still missing before.
                self._note_end("explicit", Sign.ENDED_BY_SENDER)
            if decides:
                lane.expire(now_ms)
                hold_at_most(self._shared.order.max_held_bytes, self._lanes.values())

    def _offer_again(self, batch: DecodedBatch, position: int, now_ms: int, *, decides: bool) -> None:
        """Take a batch that is read again after a restart: all that it said is known, but for what was held back."""
        lane = self._lanes.get(batch.envelope.window_id)
        if lane is not None and lane.offer(batch, position, now_ms) is Verdict.HELD and decides:
            lane.expire(now_ms)

    def _lane(self, window_id: str) -> Lane | None:
        lane = self._lanes.get(window_id)
        if lane is None and len(self._lanes) < self._shared.limits.max_windows_per_session:
            lane = self._lanes[window_id] = Lane(window_id, self._project, self._shared, self)
        return lane

    def start_batch(self, batch: DecodedBatch) -> Attributes:
        """Take what a batch says of the session, in its turn: a later one may have been delivered before it."""
        if self.phase is Phase.ENDED:
            self.ledger.reopened += 1
        self.phase = advance(self.phase, Sign.ACTIVITY)
        envelope, identity = batch.envelope, self._project.policy.identity
        self.ledger.identify(identity(envelope.user_id), identity(envelope.anonymous_id))
        for reason, count in batch.repaired.items():
            self.repair(reason, count)
        attributes, left_out = self._shared.attributes.read(envelope.attributes)
        for reason, count in left_out.items():
            self.repair(reason, count)
        return attributes

    def end_batch(self, batch: DecodedBatch) -> None:
        """End the session if its sender says so, once everything before was processed."""
        if batch.envelope.ended:
            # Other windows are streams of their own: what they sent before may yet come.
            self._end("explicit", Sign.ENDED_BY_SENDER, [self._lanes[batch.envelope.window_id]])

    # -- what windows tell --------------------------------------------------------------------------------------

    def room(self) -> tuple[int, int, int]:
        """Return how many bytes of events, and from when to when, are certain to be admitted."""
        return self._caps.room(self.ledger)

    def admit(self, run: Run) -> int:
        """Admit masked events; return how many, from the first on. The others are counted as dropped."""
        caps, ledger, count = self._caps, self.ledger, len(run.lines)
        if self._capped is None and caps.take_all(ledger, run):
            return count
        for place, (t, line) in enumerate(zip(run.times, run.lines, strict=True)):
            refused = self._capped or caps.take(ledger, t, len(line))
            if refused is not None:
                self._cap(refused)
                self.drop(refused, count - place)
                return place
        return count

    def _cap(self, reason: Reason) -> None:
        if self._capped is not None:
            return
        self._capped = reason
        self.phase = advance(self.phase, Sign.CAPPED)
        self.ledger.end_reason = CAP_REASONS[reason]
        for lane in self._lanes.values():
            self.hole(Hole(lane.window_id, CAP_HOLES[reason], max(lane.now, self.ledger.last_event_at)))
            lane.rest()
        self.activity.end(self.ledger.last_event_at, self.ledger.end_reason, self._attributes(), over=True)

    @property
    def capped(self) -> Reason | None:
        """Why nothing more of this session is taken, if so."""
        return self._capped

    def refuse(self, batch: DecodedBatch, reason: Reason) -> None:
        """Count a whole batch that is not used."""
        self.ledger.drop(reason, self._shared.drop_batch(batch, reason))

    def took_batch(self) -> None:
        """Count a batch that is used."""
        self.ledger.batches += 1
        self._shared.counts.batches_used += 1

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count events that are not published."""
        self.ledger.drop(reason, count)
        self._shared.counts.events_dropped[reason] += count

    def repair(self, reason: Reason, count: int = 1) -> None:
        """Count changes inside published events."""
        if count:
            self.ledger.repair(reason, count)
            self._shared.counts.repaired[reason] += count

    def hole(self, hole: Hole) -> None:
        """Take note of a part that is missing."""
        self._holes.append(hole)

    def visit(self, window_id: str, url: str, t: int) -> None:
        """Take note of a page a window is on."""
        self.ledger.visit(window_id, url, t)

    def saw(self, interaction: Interaction) -> None:
        """Take note of an interaction for the totals."""
        self.ledger.saw(interaction)

    def find(self, window_id: str, finding: Finding) -> None:
        """Make a signal of what a detector found."""
        if self.ledger.signals >= self._shared.limits.max_signals_per_session:
            self.repair(Reason.TOO_MANY_SIGNALS)
            return
        if not self._findings.add(window_id, finding, self._lanes[window_id].attributes.current()):
            return
        self.ledger.signals += 1
        if self._project.scores(finding.rule):
            self.ledger.tag(finding)
        self._shared.counts.signals += 1

    # -- time ---------------------------------------------------------------------------------------------------

    def save_soon(self) -> None:
        """Take note that the state has to be stored with what is published now."""
        self.must_save = True

    def deadline(self) -> int:
        """Return the next moment (arrival clock, epoch ms) at which `tick` has something to do."""
        limits = self._project.session
        own = self.last_arrival_ms + limits.idle_timeout_ms
        if self.phase is Phase.ENDED and not any(lane.waits for lane in self._lanes.values()):
            own += limits.grace_ms
        return min([own, *(deadline for lane in self._lanes.values() if (deadline := lane.deadline()) is not None)])

    def tick(self, now_ms: int) -> None:
        """Let time pass: give up gaps, end the session, close it."""
        self.save_soon()
        limits = self._project.session
        silent_ms = now_ms - self.last_arrival_ms
        closes_after_ms = limits.idle_timeout_ms + (0 if self.phase is Phase.CAPPED else limits.grace_ms)
        for lane in self._lanes.values():
            if silent_ms >= closes_after_ms:
                lane.give_up()
            else:
                lane.expire(now_ms)
        if silent_ms < limits.idle_timeout_ms:
            return
        if self.phase is Phase.ENDED and silent_ms >= limits.idle_timeout_ms + limits.grace_ms:
            self._end("idle", Sign.EXPIRED, self._lanes.values())
        elif self.phase in (Phase.OPEN, Phase.CAPPED):
            self._end("idle", Sign.IDLED, self._lanes.values())
        else:
            for lane in self._lanes.values():
                lane.finish()

    @property
    def held_bytes(self) -> int:
        """Bytes of the batches held back."""
        return sum(lane.held_bytes for lane in self._lanes.values())

    @property
    def awaits(self) -> bool:
        """Whether batches that were held back before a restart are still to be read again."""
        return any(lane.awaits for lane in self._lanes.values())

    def give_up(self) -> None:
        """Wait for nothing any more: there is no room for what is held back."""
        self.save_soon()
        for lane in self._lanes.values():
            lane.give_up()

    def finish(self) -> None:
        """The input ended: nothing that is waited for will come."""
        for lane in self._lanes.values():
            lane.give_up()
        if self.phase is not Phase.CLOSED:
            self._end("input_end", Sign.INPUT_ENDED, self._lanes.values())

    def _end(self, reason: EndReason, sign: Sign, silent: Iterable[Lane]) -> None:
        """End the session; `silent` windows have nothing more to come."""
        self._note_end(reason, sign)
        for lane in silent:
            lane.finish()
        for lane in self._lanes.values():
            lane.rest()
        self.activity.end(self.ledger.last_event_at, self.ledger.end_reason, self._attributes())

    def _note_end(self, reason: EndReason, sign: Sign) -> None:
        if self.phase is Phase.OPEN:
            self.ledger.end_reason = reason
        self.phase = advance(self.phase, sign)

    # -- effects ------------------------------------------------------------------------------------------------

    def take(self, *, saves: bool) -> SessionEffects:
        """Give what has to be written since the last call, with the state or without."""
        blocks: list[BlockDraft] = []
        filled: list[FilledRange] = []
        for lane in self._lanes.values():
            blocks += lane.take_blocks()
            filled += lane.take_filled()
        holes, self._holes = self._holes, []
        if saves:
            self.must_save = False
        ledger = self.ledger
        return SessionEffects(
            project_id=ledger.project_id,
            session_id=ledger.session_id,
            record=self._record(),
            blocks=tuple(blocks),
            holes=tuple(holes),
            filled=tuple(filled),
            signals=self._findings.take(),
            activities=self.activity.take(self.last_arrival_ms + CLOCK_TOLERANCE_MS),
            ended=self.phase is not Phase.OPEN,
            deadline_ms=None if self.phase is Phase.CLOSED else self.deadline(),
            position=self.position,
            next_seqs={window_id: lane.next_seq for window_id, lane in self._lanes.items()},
            saves=saves,
            state=self.snapshot,
        )

    def _record(self) -> SessionRecord:
        latest_ms = self.last_arrival_ms + CLOCK_TOLERANCE_MS
        is_open = self.phase is Phase.OPEN
        return self.ledger.record(
            list(self._lanes), self._attributes(), self._project.policy, latest_ms=latest_ms, is_open=is_open
        )

    def _attributes(self) -> Attributes:
        return together(self.ledger.attributes, (lane.attributes for lane in self._lanes.values()))

    def withdraw(self, reason: Reason) -> SessionEffects:
        """Give the effects of a session that must not exist."""
        return msgspec.structs.replace(
            self.take(saves=False), blocks=(), holes=(), filled=(), signals=(), activities=(), withdrawal=reason
        )

    @property
    def holds(self) -> bool:
        """Whether batches are held back: their content is not part of a snapshot."""
        return any(lane.holds for lane in self._lanes.values())

    def replay_from(self) -> int | None:
        """Return the smallest input position of a batch held back."""
        held = (lane.replay_from() for lane in self._lanes.values())
        return min((position for position in held if position is not None), default=None)

    # -- resuming -----------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """Pack the session for resuming. Everything that `take` gives has to be taken before."""
        state = SessionState(
            self.ledger,
            self.phase,
            self._capped,
            self.last_arrival_ms,
            self.position,
            {window_id: lane.snapshot() for window_id, lane in self._lanes.items()},
            self.activity.state,
            list(self._findings.recent),
        )
        return self._shared.packer.pack(state)

    def restore(self, state: SessionState) -> None:
        """Take over the state of an equal session. Raises msgspec.ValidationError for states of other settings."""
        self.ledger = state.ledger
        self._findings = Findings(state.ledger)
        self.phase = state.phase
        self._capped = state.capped
        self.last_arrival_ms = state.last_arrival_ms
        self.position = state.position
        self._findings.recent.extend(state.recent_signals)
        self.activity.state = state.activity
        for window_id, lane_state in state.lanes.items():
            lane = self._lanes[window_id] = Lane(window_id, self._project, self._shared, self)
            lane.restore(lane_state)

    def skip_to(self, next_seqs: Mapping[str, int]) -> None:
        """Take all batches before those with these numbers, by window, for stored, even if they are not known here."""
        for window_id, next_seq in next_seqs.items():
            lane = self._lane(window_id)
            if lane is not None:
                lane.skip_to(next_seq)

    def go_on_from(self, record: SessionRecord, deadline_ms: int | None) -> None:
        """Take what was published last for what the session came to, because the state lacks some of it.

        When the last batch arrived is worked out of the deadline that was asked for; it may have been a little later.
        """
        self.ledger.resume(record)
        self._capped = next((reason for reason, end in CAP_REASONS.items() if end == record.end_reason), None)
        if self._capped is not None:
            self.phase = Phase.CAPPED
        elif record.status == "open":
            self.phase = Phase.OPEN
        elif self.phase is Phase.OPEN:
            self.phase = Phase.ENDED
        if deadline_ms is not None:
            limits = self._project.session
            silence_ms = limits.idle_timeout_ms + (limits.grace_ms if self.phase is Phase.ENDED else 0)
            self.last_arrival_ms = max(self.last_arrival_ms, deadline_ms - silence_ms)

    def forget_positions(self) -> None:
        """Go on with another input, whose positions say nothing about those known."""
        self.position = -1
        self.must_save = True
        for lane in self._lanes.values():
            lane.forget_positions()
