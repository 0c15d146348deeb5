"""What the API says of the course of a session."""

from typing import Literal

import msgspec

EntryKind = Literal["signal", "page", "error", "window", "hole", "end", "console", "request"]


class TimelineWindow(msgspec.Struct, frozen=True, gc=False):
    """A window of the session: when it was seen first and last (epoch ms), and how many events it has."""

    window_id: str
    first_t: int
    last_t: int
    events: int


class TimelineEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Something that happened at `t` (epoch ms). Which other fields it has depends on its kind.

    * `signal`: `signal_id`, `detector`, `end_t`, `count`, and `text`, the masked label of its target.
    * `page`: a page was entered; `url`. `window`: a window was seen first.
    * `error`: an uncaught error or rejection; `error_type`, `message`, `url` of the script, `line`, `column`.
    * `console`: `level`, `message`. `request`: `url`, `method`, `status`, `duration_ms`, `failed`; `t` is its end.
    * `hole`: something is missing from here on; `reason`, and if known `events`. `end`: the session's; `reason`.

    Texts are as they are stored: masked.
    """

    t: int
    kind: EntryKind
    window_id: str = ""
    end_t: int | None = None
    signal_id: str = ""
    detector: str = ""
    count: int | None = None
    text: str = ""
    url: str = ""
    error_type: str = ""
    message: str = ""
    line: int | None = None
    column: int | None = None
    level: str = ""
    method: str = ""
    status: int | None = None
    duration_ms: float | None = None
    failed: bool = False
    reason: str = ""
    events: int = 0


class Timeline(msgspec.Struct, frozen=True):
    """The course of a session, in order of time.

    `ended_at` (epoch ms) is `null` while it is open. `is_partial` says that there are more errors, console output or
    requests than are listed; everything else is complete.
    """

    session_id: str
    started_at: int
    ended_at: int | None
    windows: list[TimelineWindow]
    entries: list[TimelineEntry]
    is_partial: bool = False
