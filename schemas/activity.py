"""Activity: when sessions and page visits start and end, so that readers of signals can tell how many had none.

And what a site says happened in them, as far as the operator named it; and which sessions were withdrawn: readers that
keep anything of them are to drop it.
"""

from typing import Literal

import msgspec

from schemas.session_record import EndReason

ActivityKind = Literal["session_start", "session_end", "session_withdrawn", "page_start", "page_end", "custom_event"]


class Activity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One start or end, a custom event, or a withdrawal.

    `id` is a hash of what started or ended: the same start or end always has the same id. `t` is the epoch
    milliseconds of the first event after a start, or the last one before an end. Ends have `duration_ms`, the time
    since their start. What is about a page has `window_id` and `page`, the masked URL as in session records; the end of
    a session has its `reason`. All visits end with their session; a session that gets data after its end starts once
    more, and so do visits of pages its windows are still on. `attributes` is what is known by then of what it runs on
    (`release`, `device`, `country`, `browser`, `os`): a device that the sender does not name with the first page.

    `custom_event` at `t` is an event of the site's own, on the page its window was on; `name` is one of those that the
    operator named (`activity.custom_events`), and nothing else of the event is told.

    `session_withdrawn` at `t` means that the session was deleted, or is one of a user who is excluded or refused
    consent: whatever a reader has of this `session_id`, from here or from the topic of signals, is to be dropped, and
    what comes of it later too.
    """

    id: str
    kind: ActivityKind
    project_id: str
    session_id: str
    t: int
    window_id: str | None = None
    page: str | None = None
    duration_ms: int | None = None
    reason: EndReason | None = None
    attributes: dict[str, str] = {}
    name: str | None = None
