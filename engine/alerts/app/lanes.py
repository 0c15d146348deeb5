"""Partitions as this process reads them: up to where, and what of that is not safe yet."""

from collections.abc import Awaitable
from typing import Any, Final

import msgspec

from engine.alerts.backtest import is_signal
from engine.alerts.core import Item
from engine.runtime.kafka.clock import PartitionClock
from engine.runtime.kafka.positions import Start
from engine.runtime.kafka.records import Place
from schemas.activity import Activity
from schemas.signals import Signal

MAX_ITEM_BYTES: Final = 1 << 20

_signals: Final = msgspec.json.Decoder(Signal)
_activities: Final = msgspec.json.Decoder(Activity)


class Doubt(Exception):
    """Something is not as its owner left it: what is known here is worth nothing, all is read again.

    `cause` is one of those of `wince_partition_resets_total`.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Unread(Exception):
    """A record is no item; `reason` is one of `ALERT_DROP_REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_item(value: bytes | None) -> Item:
    """Read the value of a record: a signal or an activity. Raises Unread."""
    if value is None:
        raise Unread("unreadable")
    if len(value) > MAX_ITEM_BYTES:
        raise Unread("too_large")
    try:
        return _signals.decode(value) if is_signal(value) else _activities.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unread("unreadable") from None


class Kept:
    """What was read and is not safe yet: events to acknowledge then, and what their safety hangs on."""

    __slots__ = ("events", "judged_ms", "sent")

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.judged_ms: list[int] = []
        self.sent: list[Awaitable[object]] = []


class Lane:
    """One partition. `count` is that of its mark."""

    def __init__(self, place: Place, start: Start, count: int) -> None:
        self.place = place
        self.log = start.log
        self._next_offset = start.offset
        self.done_offset = start.offset
        """Before it, all was done with; the record that is at work is not before it."""
        self.marked_offset = -1
        self.saved_offset = start.offset
        self.count = count
        self.clock = PartitionClock()
        self._kept = Kept()

    @property
    def waiting(self) -> int:
        """How many records were read and are not safe yet."""
        return len(self._kept.events)

    def accept(self, offset: int) -> int | None:
        """Take note that a record came; say how many are missing before it, or `None` if it came before."""
        missing = offset - self._next_offset
        if missing < 0:
            return None
        self._next_offset = offset + 1
        return missing

    def keep(self, event: Any, *, judged_ms: int | None = None, sent: Awaitable[object] | None = None) -> None:  # noqa: ANN401 - Faust is untyped
        """Acknowledge an event when it is safe: stored, or `sent`. `judged_ms` is the time of a record judged."""
        self._kept.events.append(event)
        self.done_offset = self._next_offset
        if judged_ms is not None:
            self._kept.judged_ms.append(judged_ms)
        if sent is not None:
            self._kept.sent.append(sent)

    def take(self) -> Kept:
        """Give what was kept since the last time."""
        kept, self._kept = self._kept, Kept()
        return kept

    def lag(self, end_offset: int | None, wall_ms: int) -> tuple[int, float]:
        """Say how many records are not safe yet, and how old the last one read is then (seconds)."""
        records = max((end_offset or 0) - self.saved_offset, 0)
        return records, max(wall_ms - self.clock.now_ms, 0) / 1_000 if records and self.clock.now_ms else 0.0
