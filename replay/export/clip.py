"""Events of a range, and of what was before only what the page looked like when it began."""

from typing import Final

import msgspec

_FULL_SNAPSHOT, _INCREMENTAL, _META = 2, 3, 4

_LOOKS: Final = frozenset({0, 3, 4, 5, 8, 13, 15})
"""Sources of changes that show for good: the tree, scrolling, the viewport, fields, style sheets. Moves, presses and
media do not."""


class _Event(msgspec.Struct, gc=False):
    type: int
    timestamp: float
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Change(msgspec.Struct, gc=False):
    source: int


_events: Final = msgspec.json.Decoder(_Event)
_changes: Final = msgspec.json.Decoder(_Change)


def clip_event(event: bytes, from_t: int, to_t: int) -> bytes | None:
    """Give an event as a replay from `from_t` to `to_t` (epoch ms) needs it; `None` if it does not.

    One of the range stays as it is. One from before it counts as of its first moment if it shows then, so that the
    replay begins there and nothing earlier can be watched. What no player plays (interaction events, which have no
    page) goes.
    """
    try:
        read = _events.decode(event)
        if read.timestamp > to_t:
            return None
        if read.timestamp >= from_t:
            return event
        if not _shows(read):
            return None
    except msgspec.DecodeError:
        return None
    return msgspec.json.encode({"type": read.type, "timestamp": from_t, "data": read.data})


def _shows(event: _Event) -> bool:
    if event.type == _INCREMENTAL:
        return _changes.decode(event.data).source in _LOOKS
    return event.type in {_FULL_SNAPSHOT, _META}
