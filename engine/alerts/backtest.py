"""Running rules over what was stored: what would have fired, and when."""

import heapq
import re
from collections.abc import Iterable, Iterator
from typing import IO, Final

import msgspec

from engine.alerts.core import AlertCore, ErrorResolved, Item
from engine.alerts.hearing import heard
from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.rules import AlertLimits, RulesFile
from schemas.activity import Activity
from schemas.alerts import Alert
from schemas.signals import Signal

MAX_LINE_BYTES: Final = 1 << 20
LONGEST_SILENCE_MS: Final = 7 * 24 * HOUR_MS

_signals: Final = msgspec.json.Decoder(Signal)
_activities: Final = msgspec.json.Decoder(Activity)
is_signal: Final = re.compile(rb'"detector"\s*:').search
"""Tells a signal from an activity, whose events may have any name: only signals have this key."""

_is_resolved: Final = re.compile(rb'"kind"\s*:\s*"error_resolved"').search
_resolved: Final = msgspec.json.Decoder(ErrorResolved)


class Unreadable(msgspec.Struct):
    """How many lines were neither a signal nor an activity; the first is told by its number."""

    lines: int = 0
    first: str = ""


def read_items(source: IO[bytes], name: str, unreadable: Unreadable) -> Iterator[Item]:
    """Read JSON lines, each a signal, an activity, or that an error was resolved; what is neither is counted."""
    number = 0
    while line := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        item = None if len(line) > MAX_LINE_BYTES else _decode(line)
        if item is not None:
            yield item
        elif line.strip():
            unreadable.lines += 1
            unreadable.first = unreadable.first or f"{name}, line {number}"


def _decode(line: bytes) -> Item | None:
    try:
        if is_signal(line):
            return _signals.decode(line)
        return _resolved.decode(line) if _is_resolved(line) else _activities.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None


def in_order(sources: Iterable[Iterator[Item]]) -> Iterator[Item]:
    """Merge several sources by time; in each a time that is wrong does not hold up what comes after it."""
    timed = [heard(source, AlertLimits().max_ahead_ms) for source in sources]
    return (item for _, item in heapq.merge(*timed, key=lambda each: each[0]))


def run_rules(items: Iterable[Item], rules: RulesFile) -> Iterator[Alert]:
    """Feed items in their order to a new core; give alerts as they fire and, once more, as they end."""
    return play(items, AlertCore(rules.rules, rules.bounds))


def play(items: Iterable[Item], core: AlertCore) -> Iterator[Alert]:
    """Feed items in their order, and give alerts as they come.

    What an item is heard of at is taken to be the latest time there was in the items so far, but for what is told by a
    wrong clock (`engine.alerts.hearing`). Every minute in between passes for all projects, also where nothing comes; of
    a longer silence only the last `LONGEST_SILENCE_MS` do.
    """
    now = 0
    for heard_ms, item in heard(items, core.limits.max_ahead_ms):
        if heard_ms // MINUTE_MS > now // MINUTE_MS:
            for minute in minutes_between(now, heard_ms):
                core.tick(minute)
        now = heard_ms
        core.feed(item, now)
        yield from core.take()
    core.tick(now)
    yield from core.take()


def minutes_between(before: int, now: int) -> range:
    """Give full minutes after `before` up to `now` (epoch ms), of a long silence the last; none if `before` is 0."""
    first = max(before, now - LONGEST_SILENCE_MS) // MINUTE_MS + 1
    return range(first * MINUTE_MS, now + 1, MINUTE_MS) if before else range(0)
