"""When items of a recording were heard of, where nobody noted when they arrived."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from engine.alerts.core import Item

LOOKED_AHEAD: Final = 200
"""So many items are looked at to judge a time far ahead of those before."""

VOICES: Final = 5
"""So many other sessions have a say in that: those heard of next."""


def heard(items: Iterable[Item], max_ahead_ms: int) -> Iterator[tuple[int, Item]]:
    """Give items of a recording, and with each when it was heard of (epoch ms): the latest time there was until then.

    A time more than `max_ahead_ms` after those before is that of a wrong clock, and does not count, if most of the
    sessions heard of next go on at an earlier one.
    """
    source = iter(items)
    coming = deque(islice(source, LOOKED_AHEAD))
    now = 0
    while coming:
        item = coming.popleft()
        coming.extend(islice(source, 1))
        is_far = item.t > now + max_ahead_ms
        now = _told_by_others(item, coming, now, max_ahead_ms) if is_far else max(now, item.t)
        yield now, item


def _told_by_others(item: Item, coming: Iterable[Item], now: int, max_ahead_ms: int) -> int:
    """Say what time it is by an item, or by those after it if they belie it."""
    earlier, agreeing, voices = list[int](), 0, {_who(item)}
    for other in coming:
        if _who(other) in voices or other.t < now - max_ahead_ms:
            continue
        voices.add(_who(other))
        if other.t < item.t - max_ahead_ms:
            earlier.append(other.t)
        else:
            agreeing += 1
        if len(voices) > VOICES:
            break
    if len(earlier) <= agreeing:
        return item.t
    return now or earlier[0]


def _who(item: Item) -> str:
    return getattr(item, "session_id", "")
