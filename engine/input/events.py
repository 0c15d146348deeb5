"""The events of one batch, decoded: all at once as a rule, one by one when something is wrong with them."""

from collections.abc import Mapping, Sequence
from typing import Final, get_args

import msgspec

from engine.errors import Poison
from engine.input.inspection import Inspector
from engine.input.json_text import repair_text
from engine.input.packed import Unpacker
from engine.input.repair import repair_event
from engine.input.snapshots import UnopenedEvent, UnopenedSnapshot
from engine.input.tally import Event, EventRefusedError, Kept, Tally
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.interaction_events import InteractionEvent
from schemas.numbers import Timestamp
from schemas.rrweb_events import RrwebEvent

MAX_VALUES: Final = 2_000_000
"""Commas in a batch that is taken apart: each may part two events of 56 bytes in memory and 2 in JSON. 16 MiB of real
events have up to 1.7 million."""

_UNOPENED: Final = msgspec.json.Decoder(list[UnopenedEvent])
_RRWEB: Final = msgspec.json.Decoder(list[RrwebEvent])
_INTERACTIONS: Final = msgspec.json.Decoder(list[InteractionEvent])
_ONE_RRWEB: Final[msgspec.json.Decoder[RrwebEvent]] = msgspec.json.Decoder(RrwebEvent)
_ONE_INTERACTION: Final[msgspec.json.Decoder[InteractionEvent]] = msgspec.json.Decoder(InteractionEvent)
_SEPARATE: Final = msgspec.json.Decoder(list[msgspec.Raw])
_INTERACTION_CLASSES: Final = get_args(InteractionEvent)


class DecodedEvents(msgspec.Struct):
    """Events in the order sent; `read` is how many there were: as many as `events` and the sum of `dropped`.

    `dropped` counts events and `repaired` counts changes within the batch, both by reason. `losses` are the places in
    `events`, rising, before which something was dropped that may have changed the page, or at which a change of it is
    not whole.
    """

    events: list[Event]
    read: int
    dropped: Mapping[Reason, int]
    repaired: Mapping[Reason, int]
    losses: Sequence[int] = ()


class EventDecoder:
    """Decodes the events of batches under `limits`; it remembers nothing between two batches.

    An event is judged by itself: what becomes of it does not depend on its neighbours, but for a timestamp that has to
    be taken from one of them.
    """

    __slots__ = ("_limits",)

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits

    def decode(self, raw_events: msgspec.Raw | bytes) -> DecodedEvents:
        """Decode a JSON array of events.

        What is damaged is repaired where that is safe, left out where it is not, and counted. Full snapshots may come
        unopened, to be opened by `open_snapshot` unless their content is known. Raises Poison for bytes that are no
        JSON array, or that would need too much memory to be taken apart.
        """
        text = bytes(raw_events)
        events = _decode_unopened(text)
        return self._decode_typed(text) if events is None else self._inspected(events, text, Tally(self._limits))

    def open_snapshot(self, snapshot: UnopenedSnapshot) -> DecodedEvents:
        """Decode a snapshot with its tree: one event, or none and the reason."""
        return self._decode_typed(b"[" + msgspec.json.encode(snapshot) + b"]")

    def _decode_typed(self, text: bytes) -> DecodedEvents:
        tally = Tally(self._limits)
        events = _decode_whole(text)
        if events is None:
            text, repaired = repair_text(text)
            tally.add_repairs(repaired)
            events = _decode_whole(text) if repaired else None
        if events is None:
            return _Careful(tally).decode(text)
        return self._inspected(events, text, tally)

    def _inspected(self, events: list[Event], text: bytes, tally: Tally) -> DecodedEvents:
        read = len(events)
        _drop_surplus(events, tally)
        inspector = Inspector(tally, len(text), is_sound_utf8=text.isascii())
        suspects = inspector.suspects(events)
        refused = [index for index in suspects if not inspector.admits(events[index])]
        for index in reversed(refused):
            del events[index]
        # What is refused here are payloads; what lies beyond the end may be anything.
        losses = [len(events)] if read > len(events) + len(refused) else ()
        return DecodedEvents(events, read, tally.dropped, tally.repaired, losses)


def _decode_unopened(text: bytes) -> list[Event] | None:
    """Decode a list of rrweb events, its full snapshots as they stand."""
    try:
        return _UNOPENED.decode(text)  # type: ignore[return-value]  # a list of some of the events is one of events
    except (ValueError, RecursionError):
        return None


def _decode_whole(text: bytes) -> list[Event] | None:
    """Decode a list of which every event fits its type; all of one kind of input."""
    try:
        return _RRWEB.decode(text)  # type: ignore[return-value]  # a list of some of the events is one of events
    except (ValueError, RecursionError):
        pass
    try:
        return _INTERACTIONS.decode(text)  # type: ignore[return-value]
    except (ValueError, RecursionError):
        return None


def _decode_typed(text: bytes) -> Event | None:
    """Decode one event that fits its type."""
    for decoder in (_ONE_RRWEB, _ONE_INTERACTION):
        try:
            return decoder.decode(text)
        except (ValueError, RecursionError):
            pass
    return None


def _drop_surplus(items: list[Event] | list[msgspec.Raw], tally: Tally) -> None:
    most = tally.limits.max_batch_events
    if len(items) > most:
        tally.dropped[Reason.TOO_MANY_EVENTS] += len(items) - most
        del items[most:]


class _Careful:
    """Decodes event by event."""

    __slots__ = ("_events", "_losses", "_tally", "_unpacker", "_untimed")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._unpacker = Unpacker(tally)
        self._events: list[Event] = []
        self._losses: list[int] = []
        self._untimed: list[int] = []
        """Indices of events whose timestamp has to be taken from a neighbour."""

    def decode(self, text: bytes) -> DecodedEvents:
        items = self._separate(text)
        read = len(items)
        _drop_surplus(items, self._tally)
        inspector = Inspector(self._tally, len(text), is_sound_utf8=True)
        for item in items:
            unpacked_bytes = self._unpacker.unpacked_bytes
            try:
                kept = self._decode_one(bytes(item))
            except EventRefusedError as refused:
                self._tally.dropped[refused.reason] += 1
                if refused.may_change_page:
                    self._lose()
                continue
            if self._unpacker.unpacked_bytes > unpacked_bytes:
                inspector = Inspector(self._tally, len(text) + self._unpacker.unpacked_bytes, is_sound_utf8=True)
            if inspector.admits(kept.event):
                self._keep(kept)
        if len(items) < read:
            self._lose()
        self._mend_timestamps()
        return DecodedEvents(self._events, read, self._tally.dropped, self._tally.repaired, self._losses)

    def _keep(self, kept: Kept) -> None:
        if not kept.whole:
            self._lose()
        if not kept.timed:
            self._untimed.append(len(self._events))
        self._events.append(kept.event)

    def _lose(self) -> None:
        place = len(self._events)
        if not self._losses or self._losses[-1] != place:
            self._losses.append(place)

    def _separate(self, text: bytes) -> list[msgspec.Raw]:
        if text.count(b",") > MAX_VALUES:
            raise Poison(Reason.TOO_DENSE)
        try:
            return _SEPARATE.decode(text)
        except RecursionError:
            raise Poison(Reason.TOO_DEEP) from None
        except ValueError:
            raise Poison(Reason.INVALID_ENVELOPE) from None

    def _decode_one(self, text: bytes) -> Kept:
        """Return what can be kept of an event. Raises EventRefusedError."""
        if text.startswith(b'"'):
            text = self._unpacker.open_text(text)
        event = _decode_typed(text)
        if event is None:
            opened = self._unpacker.open_parts(text)
            if opened is not None:
                text, event = opened, _decode_typed(opened)
        return repair_event(text, self._tally) if event is None else Kept(event)

    def _mend_timestamps(self) -> None:
        """Give events without a timestamp that of the event before, or of the first that has one; else drop them."""
        untimed = set(self._untimed)
        known = next((time_of(event) for index, event in enumerate(self._events) if index not in untimed), None)
        if known is None and untimed:
            self._tally.dropped[Reason.INVALID_EVENT] += len(untimed)
            self._events.clear()
            self._losses = [0]
            return
        for index, event in enumerate(self._events):
            if index not in untimed:
                known = time_of(event)
            elif known is not None:
                _set_time(event, known)
                self._tally.repaired[Reason.TIMESTAMP_REPAIRED] += 1


def time_of(event: Event) -> Timestamp:
    """Return when an event happened (epoch ms), whichever kind of input it is."""
    return event.timestamp


def _set_time(event: Event, timestamp: Timestamp) -> None:
    if isinstance(event, _INTERACTION_CLASSES):
        event.t = timestamp
    else:
        event.timestamp = timestamp  # type: ignore[misc]  # only interaction events have it as a property
