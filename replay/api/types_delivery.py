"""What the API takes to give events and bundles."""

from typing import Annotated, Final

import msgspec

_LARGEST: Final = 2**53

Moment = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST, description="epoch ms")]
WindowId = Annotated[str, msgspec.Meta(min_length=1, max_length=1_024)]
Position = Annotated[str, msgspec.Meta(pattern=r"\A[01]\.[0-9]{1,15}\Z")]


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which events of a window: what shows it from a moment to another, and only what came `after` a position."""

    window_id: WindowId
    from_: Moment = msgspec.field(name="from", default=-_LARGEST)
    to: Moment = _LARGEST
    after: Position | None = None


class BlocksQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which blocks of a window: those that show it from a moment to another."""

    window_id: WindowId
    from_: Moment = msgspec.field(name="from", default=-_LARGEST)
    to: Moment = _LARGEST
