"""Events of a range, and of what was before only what the page looked like when it began."""

from typing import Final

import msgspec

from replay.looks import shows


class _Event(msgspec.Struct, gc=False):
    type: int
    timestamp: float
    data: msgspec.Raw = msgspec.Raw(b"null")


_events: Final = msgspec.json.Decoder(_Event)


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
        if not shows(read.type, read.data):
            return None
    except msgspec.DecodeError:
        return None
    return msgspec.json.encode({"type": read.type, "timestamp": from_t, "data": read.data})
