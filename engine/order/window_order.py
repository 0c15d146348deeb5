"""Brings the batches of one window into the order they were sent in.

Batches carry numbers (`seq`) that count from 0. The machine knows the number it expects next. A batch is one of

====================  =================================================================================================
the next number       `READY`; those held back behind it follow by `release`
a greater number      `HELD` until the missing ones come or their wait is over (`expire`)
a smaller number      `LATE` if its place was given up, a `DUPLICATE` (or `CONFLICT`: other content) if it was taken
a position seen       `REPLAYED`: the input is being read again after a restart
====================  =================================================================================================

A number more than `max_gap_batches` ahead is a *jump*. It is held like any other, but never pushes the window on while
batches still come at its old place: when its wait is over it is dropped if they did, and accepted if they did not. So
one broken client, or one forged number, cannot make good batches late.

Time is the arrival clock (epoch ms), an argument of every call that needs it.
"""

from collections import OrderedDict
from enum import Enum
from typing import Final, Generic, TypeVar

import msgspec

from engine.errors import Broken
from engine.order.ranges import Gap, Holes
from engine.order.state import HeldState, OrderState
from engine.settings import OrderSettings

Payload = TypeVar("Payload")

RECENT_FINGERPRINTS: Final = 64
"""Batches taken of which the content is known well enough to tell a conflict from a duplicate."""


class Verdict(Enum):
    """What becomes of a batch that was offered."""

    READY = "ready"
    """Process it now, then what `release` returns."""
    HELD = "held"
    """It waits for earlier ones. After a restart also: a batch known to be held got its content back."""
    LATE = "late"
    """Its place was given up; process it as late. The hole is closed at its number."""
    DUPLICATE = "duplicate"
    """This number was taken or is held already."""
    CONFLICT = "conflict"
    """As `DUPLICATE`, but the content is another."""
    REPLAYED = "replayed"
    """The verdict on this position was given before a restart: not to be counted again."""


class Held(msgspec.Struct, Generic[Payload]):
    """A batch held back; `payload` is `None` after a restart until its position is read again."""

    seq: int
    fingerprint: int
    size_bytes: int
    position: int
    arrived_ms: int
    payload: Payload | None


class Expired(msgspec.Struct, Generic[Payload]):
    """What `expire` and `finish` decided.

    `gaps` were given up, lowest first; `jumped` are batches dropped as jumps; `lost` are the numbers of batches that
    were held before a restart and did not come again (they lie in a gap, now or later).
    """

    gaps: list[Gap] = []
    jumped: list[Held[Payload]] = []
    lost: list[int] = []


class WindowOrder(Generic[Payload]):
    """The order of one window. Call `offer` for each of its batches, then `expire`, then `release`.

    Positions rise from batch to batch. Memory is bounded by the settings: `expire` gives up gaps and jumps when more
    is held than `max_held_batches` or `max_held_bytes`.
    """

    def __init__(self, settings: OrderSettings, state: OrderState | None = None) -> None:
        state = OrderState() if state is None else state
        self._settings = settings
        self.next_seq = state.next_seq
        self._holes = Holes(state.holes, state.holes_closed)
        self._held: dict[int, Held[Payload]] = {
            held.seq: Held(held.seq, held.fingerprint, held.size_bytes, held.position, held.arrived_ms, None)
            for held in state.held
        }
        self._held_bytes = sum(held.size_bytes for held in state.held)
        self._awaited = {held.position: held.seq for held in state.held}
        self._recent = OrderedDict(state.recent)
        self._last_position = state.last_position
        self._near_position = state.near_position
        self._ready: list[Held[Payload]] = []
        self._lost: list[int] = []

    def offer(
        self, seq: int, fingerprint: int, size_bytes: int, position: int, now_ms: int, payload: Payload
    ) -> Verdict:
        """Judge a batch. Its payload is kept while it is held; a ready or late one is the caller's to process."""
        if position <= self._last_position:
            return self._offer_again(position, payload)
        self._last_position = position
        if self._awaited:
            self._give_up_awaited()
        if seq < self.next_seq:
            return self._offer_below(seq, fingerprint, position)
        held = self._held.get(seq)
        if held is not None:
            return Verdict.DUPLICATE if held.fingerprint == fingerprint else Verdict.CONFLICT
        if not self._is_jump(seq):
            self._near_position = position
        if seq > self.next_seq:
            self._held[seq] = Held(seq, fingerprint, size_bytes, position, now_ms, payload)
            self._held_bytes += size_bytes
            return Verdict.HELD
        self._take(seq, fingerprint)
        self.next_seq += 1
        self._advance()
        return Verdict.READY

    def release(self) -> list[Held[Payload]]:
        """Return the batches that are in order now, each once: to be processed after the one that was `READY`."""
        ready, self._ready = self._ready, []
        return ready

    def expire(self, now_ms: int) -> Expired[Payload]:
        """Give up what has been waited for long enough, or for want of room; `release` then returns what follows.

        Does nothing while batches known to be held have not been read again after a restart.
        """
        expired = self._expired()
        while self._held and not self._awaited:
            if self._overflows:
                self._decide_for_room(expired)
            elif now_ms - self._oldest().arrived_ms >= self._settings.gap_wait_ms:
                self._decide(self._oldest(), expired)
            else:
                break
        return expired

    def make_room(self, max_bytes: int) -> Expired[Payload]:
        """Give up gaps and jumps until at most `max_bytes` are held; `release` then returns what follows.

        Does nothing, as `expire`, while batches have not been read again after a restart.
        """
        expired = self._expired()
        while self._held_bytes > max_bytes and not self._awaited:
            self._decide_for_room(expired)
        return expired

    def finish(self) -> Expired[Payload]:
        """Give up everything that is still waited for: the session has ended."""
        self._give_up_awaited()
        expired = self._expired()
        while self._held:
            self._decide(self._oldest(), expired)
        return expired

    def skip_to(self, next_seq: int) -> bool:
        """Take everything before `next_seq` for taken; `release` then returns what follows.

        Return whether some of it was not known to be.
        """
        if next_seq <= self.next_seq:
            return False
        for seq in [seq for seq in self._held if seq < next_seq]:
            self._awaited.pop(self._remove(seq).position, None)
        self.next_seq = next_seq
        self._advance()
        return True

    def forget_positions(self) -> None:
        """Go on with another input: what was held before a restart has to come again, its content can't be read."""
        for seq in self._awaited.values():
            self._remove(seq)
        self._awaited.clear()
        self._last_position = self._near_position = -1

    def deadline(self) -> int | None:
        """Return when to call `expire` (arrival clock, epoch ms), if anything waits."""
        if not self._held or self._awaited:
            return None
        oldest_ms = self._oldest().arrived_ms
        return oldest_ms if self._overflows else oldest_ms + self._settings.gap_wait_ms

    def replay_from(self) -> int | None:
        """Return the smallest position held: where the input has to be read again after a restart."""
        return self._oldest().position if self._held else None

    @property
    def last_position(self) -> int:
        """The highest position offered; -1 before the first."""
        return self._last_position

    @property
    def awaits(self) -> bool:
        """Whether the content of batches that were held before a restart is still to come."""
        return bool(self._awaited)

    @property
    def held_count(self) -> int:
        """How many batches are held back."""
        return len(self._held)

    @property
    def held_bytes(self) -> int:
        """How many bytes are held back."""
        return self._held_bytes

    @property
    def holes_closed(self) -> int:
        """How many holes were closed unfilled, because too many were open."""
        return self._holes.closed

    def snapshot(self) -> OrderState:
        """Return the state without payloads. Raises Broken while batches in order have not been fetched."""
        if self._ready:
            raise Broken("batches are ready and were not released")
        return OrderState(
            self.next_seq,
            self._holes.as_tuple(),
            tuple(
                HeldState(held.seq, held.fingerprint, held.size_bytes, held.position, held.arrived_ms)
                for held in self._held.values()
            ),
            tuple(self._recent.items()),
            self._last_position,
            self._near_position,
            self._holes.closed,
        )

    @property
    def _overflows(self) -> bool:
        settings = self._settings
        return len(self._held) > settings.max_held_batches or self._held_bytes > settings.max_held_bytes

    def _oldest(self) -> Held[Payload]:
        """Return the held batch that came first: dicts keep the order of arrival."""
        return next(iter(self._held.values()))

    def _expired(self) -> Expired[Payload]:
        lost, self._lost = self._lost, []
        return Expired(lost=lost)

    def _is_jump(self, seq: int) -> bool:
        return seq - self.next_seq > self._settings.max_gap_batches

    def _overtaken(self, held: Held[Payload]) -> bool:
        """Whether this is a jump, and the window went on at its old place since it came."""
        return self._is_jump(held.seq) and self._near_position > held.position

    def _offer_again(self, position: int, payload: Payload) -> Verdict:
        seq = self._awaited.pop(position, None)
        if seq is None:
            return Verdict.REPLAYED
        self._held[seq].payload = payload
        return Verdict.HELD

    def _offer_below(self, seq: int, fingerprint: int, position: int) -> Verdict:
        if self._holes.take(seq):
            self._near_position = position
            self._take(seq, fingerprint)
            return Verdict.LATE
        if self._recent.get(seq, fingerprint) != fingerprint:
            return Verdict.CONFLICT
        return Verdict.DUPLICATE

    def _take(self, seq: int, fingerprint: int) -> None:
        self._recent[seq] = fingerprint
        if len(self._recent) > RECENT_FINGERPRINTS:
            self._recent.popitem(last=False)

    def _remove(self, seq: int) -> Held[Payload]:
        held = self._held.pop(seq)
        self._held_bytes -= held.size_bytes
        return held

    def _advance(self) -> None:
        """Move on over all that is held without a gap."""
        while self.next_seq in self._held:
            held = self._remove(self.next_seq)
            self._take(held.seq, held.fingerprint)
            self._ready.append(held)
            self.next_seq += 1

    def _decide_for_room(self, expired: Expired[Payload]) -> None:
        """Give up what is worth least: a jump that was overtaken, else the wait of the batch that came first."""
        self._decide(next(filter(self._overtaken, self._held.values()), self._oldest()), expired)

    def _decide(self, chosen: Held[Payload], expired: Expired[Payload]) -> None:
        """Drop the chosen batch if it is a jump that was overtaken; else give up the lowest gap, for its sake."""
        if self._overtaken(chosen):
            expired.jumped.append(self._remove(chosen.seq))
            return
        lowest = self._held[min(self._held)]
        if self._is_jump(lowest.seq):
            # The window's place is here now: what jumped still further before this came was overtaken.
            self._near_position = lowest.position
        gap = Gap(self.next_seq, lowest.seq - 1)
        expired.gaps.append(gap)
        self._holes.open(gap)
        self.next_seq = lowest.seq
        self._advance()

    def _give_up_awaited(self) -> None:
        """Forget held batches whose content did not come again: the input begins after them by now."""
        for seq in self._awaited.values():
            self._remove(seq)
            self._lost.append(seq)
        self._awaited.clear()
