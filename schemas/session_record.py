"""The session record: what lists, searches and alert hooks read about one session."""

from typing import Literal

import msgspec

EndReason = Literal["idle", "explicit", "max_duration", "max_bytes", "input_end"]


class ScorePart(msgspec.Struct, frozen=True, gc=False):
    """One line of the score's explanation: `points` that `count` signals of `detector` added."""

    detector: str
    count: int
    points: float


class PageVisit(msgspec.Struct, frozen=True, gc=False):
    """A page the session was on: its masked URL, the window, and when it was entered (epoch ms)."""

    url: str
    window_id: str
    t: int


class Totals(msgspec.Struct, frozen=True, gc=False):
    """What was counted over the session so far; `bytes` is masked JSON before compression."""

    batches: int = 0
    events: int = 0
    bytes: int = 0
    clicks: int = 0
    inputs: int = 0
    errors: int = 0


class SessionRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One session as lists show it.

    Times are epoch milliseconds of events. `status` is `open` until `end_reason` is known; a session that gets
    data after its end is open again and counts it in `reopened`. `tags` counts signals by detector. `score` is 0
    to 100, explained by `score_parts`. `dropped` and `repaired` count by reason what did not arrive as sent.
    `attributes` is what the session ran on (`release`, `device`, `country`, `browser`, `os`). `errors` counts signals
    of script errors by fingerprint, the first 50 different ones.
    """

    session_id: str
    project_id: str
    started_at: int
    last_event_at: int
    status: Literal["open", "ended"]
    window_ids: list[str]
    pages: list[PageVisit]
    totals: Totals
    tags: dict[str, int]
    score: float
    score_parts: list[ScorePart]
    privacy_level: str
    policy_version: str
    user_id: str | None = None
    anonymous_id: str | None = None
    end_reason: EndReason | None = None
    reopened: int = 0
    dropped: dict[str, int] = {}
    repaired: dict[str, int] = {}
    attributes: dict[str, str] = {}
    errors: dict[str, int] = {}
