"""What is left of a session that was withdrawn, and what was taken away."""

from typing import Final

import msgspec

DELETED: Final = "session_deleted"
"""Why a session is not there that somebody had deleted."""


class Tombstone(msgspec.Struct, frozen=True):
    """It says that a session's id is not to come back.

    `id` is random; `reason` a code, such as `session_deleted`; `at` when it was set up (epoch ms); `project_id` is
    empty if nothing of the session was stored.
    """

    id: str
    reason: str
    at: int
    project_id: str


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What a withdrawal took away of one session.

    `keys` and `listings` are names of keys in Redis: those of the session, and sorted sets it was a member of.
    `stream_entries` counts what was taken out of the stream of signals, `signal_ids` names all signals it had.
    """

    session_id: str
    tombstone: Tombstone
    keys: list[str]
    listings: list[str]
    stream_entries: int
    signal_ids: list[str]
