"""The way of one window's batches: put in order, decoded in their turn, given to the window."""

from collections.abc import Collection, Mapping
from typing import Final, Protocol

import msgspec

from engine.core.attributes import Attributes, WindowAttributes
from engine.core.projects import Project
from engine.core.shared import Shared
from engine.core.window import Window, WindowOwner, WindowState
from engine.errors import Poison
from engine.input.events import DecodedEvents
from engine.input.messages import DecodedBatch
from engine.order import Expired, Held, OrderState, Verdict, WindowOrder, fingerprint
from engine.reasons import Reason
from replay.writes import BlockDraft, FilledRange
from schemas.bundle_index import Hole

REFUSALS: Final[Mapping[Verdict, Reason]] = {
    Verdict.DUPLICATE: Reason.DUPLICATE_BATCH,
    Verdict.CONFLICT: Reason.SEQUENCE_CONFLICT,
}


class LaneOwner(WindowOwner, Protocol):
    """What a lane tells its session, besides what its window does."""

    def refuse(self, batch: DecodedBatch, reason: Reason) -> None:
        """Count a whole batch that is not used."""

    def start_batch(self, batch: DecodedBatch) -> Attributes:
        """Take what a batch says of the session, now that its turn has come; return the attributes it tells."""

    def end_batch(self, batch: DecodedBatch) -> None:
        """Take note that everything in a batch was processed."""

    def took_batch(self) -> None:
        """Count a batch that is used."""

    def repair(self, reason: Reason, count: int = 1) -> None:
        """Count changes inside events, or things worth a note."""

    def hole(self, hole: Hole) -> None:
        """Take note of a part that is missing."""

    def save_soon(self) -> None:
        """Take note that the session's state has to be stored with what is published now.

        The clock decided something, which reading again could not repeat; batches that had been held back were
        processed, from which on an older state would have to be fed again; or a hole was filled, which the number of
        the next batch does not say.
        """


class LaneState(msgspec.Struct, frozen=True, array_like=True):
    """A lane as data."""

    order: OrderState
    window: WindowState


class Lane:
    """One window's batches on their way. Times are the arrival clock (epoch ms)."""

    def __init__(self, window_id: str, project: Project, shared: Shared, owner: LaneOwner) -> None:
        self.window_id = window_id
        self._project = project
        self._shared = shared
        self._owner = owner
        self._order: WindowOrder[DecodedBatch] = WindowOrder(shared.order)
        self._window = Window(window_id, project, shared.tools, owner)
        self._late_blocks: list[BlockDraft] = []
        self._filled: list[FilledRange] = []

    @property
    def now(self) -> int:
        """The window's time (epoch ms of events); -1 before its first event."""
        return self._window.now

    @property
    def attributes(self) -> WindowAttributes:
        """What is known of what the window runs on."""
        return self._window.attributes

    def offer(self, batch: DecodedBatch, position: int, now_ms: int) -> Verdict:
        """Take a batch: process it if it is its turn, and what it was waited for by; return what became of it.

        After one that is held the caller has to `expire`.
        """
        envelope = batch.envelope
        verdict = self._order.offer(
            envelope.seq, fingerprint(envelope.events), batch.size_bytes, position, now_ms, batch
        )
        if verdict is Verdict.READY:
            self._process(batch)
            self._process_held(self._order.release())
        elif verdict is Verdict.LATE:
            self._process_late(batch)
        elif verdict in REFUSALS:
            self._owner.refuse(batch, REFUSALS[verdict])
        return verdict

    def _process_held(self, released: list[Held[DecodedBatch]]) -> None:
        if released:
            self._owner.save_soon()
        for held in released:
            self._process(held.payload)

    def _process(self, batch: DecodedBatch | None) -> None:
        if batch is not None:
            self._take(batch, self._window)

    def _process_late(self, batch: DecodedBatch) -> None:
        """Store a batch in its place after all: masked as of unknown nodes, and not judged."""
        late = Window(self.window_id, self._project, self._shared.tools, self._owner, late=True)
        self._take(batch, late)
        self._late_blocks += late.blocks.take()
        seq = batch.envelope.seq
        self._filled.append(FilledRange(self.window_id, seq, seq))
        self._owner.repair(Reason.LATE_BATCH)
        self._owner.save_soon()

    def _take(self, batch: DecodedBatch, window: Window) -> None:
        attributes = self._owner.start_batch(batch)
        if attributes:
            window.attributes.told = {**window.attributes.told, **attributes}
        self._decode(batch, window)
        self._owner.end_batch(batch)

    def _decode(self, batch: DecodedBatch, window: Window) -> None:
        shared, owner = self._shared, self._owner
        capped = owner.capped
        if capped is not None:
            owner.refuse(batch, capped)
            return
        try:
            decoded = shared.decoder.decode(batch.envelope.events)
        except Poison as poison:
            owner.refuse(batch, poison.reason)
            seq = batch.envelope.seq
            window.lost()
            owner.hole(Hole(self.window_id, "undecodable", max(window.now, 0), seq, seq))
            return
        counts = shared.counts
        counts.events_read += decoded.read
        for reason, count in decoded.dropped.items():
            owner.drop(reason, count)
        for reason, count in decoded.repaired.items():
            owner.repair(reason, count)
        if not decoded.read:
            owner.repair(Reason.EMPTY_BATCH)
        owner.took_batch()
        counts.events_published += _process(decoded, window, batch.envelope.seq)

    def expire(self, now_ms: int) -> None:
        """Give up batches that were waited for long enough."""
        self._decided(self._order.expire(now_ms))

    def make_room(self, max_bytes: int) -> None:
        """Give up batches that are waited for until at most `max_bytes` are held back."""
        self._decided(self._order.make_room(max_bytes))

    def _decided(self, expired: Expired[DecodedBatch]) -> None:
        if expired.gaps or expired.jumped:
            self._owner.save_soon()
        self._give_up(expired)

    def give_up(self) -> None:
        """Give up everything that is still waited for."""
        self._give_up(self._order.finish())

    def _give_up(self, expired: Expired[DecodedBatch]) -> None:
        for held in expired.jumped:
            if held.payload is not None:
                self._owner.refuse(held.payload, Reason.SEQUENCE_JUMP)
        for gap in expired.gaps:
            self._owner.repair(Reason.GAP_ABANDONED)
            t = max(self._window.now, 0)
            self._owner.hole(Hole(self.window_id, "gap", t, gap.first_seq, gap.last_seq))
        after_gaps = {gap.last_seq + 1 for gap in expired.gaps}
        for held in self._order.release():
            if held.seq in after_gaps:
                self._window.lost()
            self._process(held.payload)

    def finish(self) -> None:
        """Nothing more of this window is expected."""
        self._window.finish()

    def rest(self) -> None:
        """The session ended: the visit at hand is over."""
        self._window.rest()

    @property
    def waits(self) -> bool:
        """Whether something that was seen is not decided yet."""
        return self._window.waits

    def deadline(self) -> int | None:
        """Return when `expire` has something to do, if anything waits."""
        return self._order.deadline()

    @property
    def next_seq(self) -> int:
        """The number of the batch that comes next."""
        return self._order.next_seq

    def skip_to(self, next_seq: int) -> None:
        """Take what came before batch `next_seq` for stored, even if it is not known here."""
        if self._order.skip_to(next_seq):
            self._window.lost()
            self._owner.save_soon()
            self._process_held(self._order.release())

    def forget_positions(self) -> None:
        """Go on with another input."""
        self._order.forget_positions()

    def replay_from(self) -> int | None:
        """Return the smallest input position of a batch held back."""
        return self._order.replay_from()

    @property
    def awaits(self) -> bool:
        """Whether batches that were held back before a restart are still to be read again."""
        return self._order.awaits

    @property
    def held_bytes(self) -> int:
        """How many bytes are held back."""
        return self._order.held_bytes

    @property
    def holds(self) -> bool:
        """Whether batches are held back: their content is not part of a snapshot."""
        return self._order.held_count > 0

    def take_blocks(self) -> list[BlockDraft]:
        """Give the blocks finished since the last call."""
        late, self._late_blocks = self._late_blocks, []
        return self._window.blocks.take() + late

    def take_filled(self) -> list[FilledRange]:
        """Give what late batches filled since the last call."""
        filled, self._filled = self._filled, []
        return filled

    def snapshot(self) -> LaneState:
        """Describe the lane; batches held back are known by number and position only."""
        return LaneState(self._order.snapshot(), self._window.snapshot())

    def restore(self, state: LaneState) -> None:
        """Take over the state of an equal lane. Raises msgspec.ValidationError for states of other settings."""
        self._order = WindowOrder(self._shared.order, state.order)
        self._window.restore(state.window)


def hold_at_most(max_bytes: int, lanes: Collection[Lane]) -> None:
    """Let windows hold back no more than this together: the one that holds most gives up first."""
    while (excess_bytes := sum(lane.held_bytes for lane in lanes) - max_bytes) > 0:
        fullest = max(lanes, key=lambda lane: lane.held_bytes)
        before_bytes = fullest.held_bytes
        fullest.make_room(max(before_bytes - excess_bytes, 0))
        if fullest.held_bytes == before_bytes:
            return  # It waits for what has to be read again after a restart; that gives it room soon.


def _process(decoded: DecodedEvents, window: Window, sequence: int) -> int:
    """Give a window the events of a batch, and a doubt where something is missing; return how many were published."""
    events, start, published = decoded.events, 0, 0
    for place in decoded.losses:
        published += window.process(events[start:place], sequence)
        window.doubt()
        start = place
    return published + window.process(events[start:] if start else events, sequence)
