"""What the API tells those who follow: the data of server-sent events."""

from typing import Literal

import msgspec

from schemas.bundle_index import BlockEntry
from schemas.session_record import EndReason

DropReason = Literal["too_slow", "too_far_behind", "renew", "stopping", "failed"]


class LiveIndex(msgspec.Struct, frozen=True):
    """Event `index`: a bundle has changed.

    `position` is where its data ends now, as `after` of `/events` takes it; `blocks` are those that were appended since
    the event before, none in the first. If the data `is_replaced` (by its compacted form), old positions mean nothing.
    """

    version: int
    position: str
    length: int
    compacted: bool
    is_replaced: bool
    blocks: list[BlockEntry]


class LiveEnd(msgspec.Struct, frozen=True):
    """Event `end`: the session has ended at `ended_at` (epoch ms), or is `gone`: expired or deleted."""

    reason: EndReason | Literal["gone"]
    ended_at: int


class Dropped(msgspec.Struct, frozen=True):
    """Event `dropped`: the server ends the stream. Connect again with `Last-Event-ID`, as browsers do by themselves."""

    reason: DropReason
