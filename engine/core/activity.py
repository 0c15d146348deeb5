"""The starts and ends of a session and of its visits of pages: those that count signals need to know of how many."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from engine.core.attributes import Attributes
from engine.reasons import Reason
from schemas.activity import Activity, ActivityKind
from schemas.session_record import EndReason

VISITS_MAX: Final = 1_000
"""Visits of pages that are told of one session: a page that changes its address all the time must not flood readers."""

PAGE_MAX_CHARACTERS: Final = 2_048
"""Longer URLs are cut; browsers and servers agree on hardly more."""

CUSTOM_EVENTS_MAX: Final = 100
"""So often each name is told of one session."""

NOWHEN: Final = -1
"""Stands for the event time of what has not begun."""


class Visit(NamedTuple):
    """A visit of a page: the window, its masked URL, and when it began (epoch ms)."""

    window_id: str
    page: str
    entered_at: int


class ActivityState(msgspec.Struct, array_like=True, gc=False):
    """An activity log as data: starts so far, since when the session is on, visits told, and if it is over.

    `custom_events` counts those told by their names, which are the operator's.
    """

    starts: int = 0
    started_at: int = NOWHEN
    visits: int = 0
    over: bool = False
    custom_events: dict[str, int] = {}


class ActivityLog:
    """Makes the activities of one session. A session that is opened again after its end starts once more.

    `note` counts visits and custom events that are not told. Times are event times (epoch ms). Ids depend on nothing
    that can differ when the same input is read again.
    """

    __slots__ = ("_note", "_project_id", "_session_id", "_told", "state")

    def __init__(self, project_id: str, session_id: str, note: Callable[[Reason], None]) -> None:
        self.state = ActivityState()
        self._note = note
        self._project_id = project_id
        self._session_id = session_id
        self._told: list[Activity] = []

    def start(self, t: int, attributes: Attributes) -> None:
        """Take note that one of the session's windows, with these attributes, is active."""
        state = self.state
        if state.started_at != NOWHEN or state.over:
            return
        state.starts += 1
        state.started_at = t
        self._told.append(Activity(*self._name("session_start", state.starts), t, attributes=attributes))

    def enter(self, window_id: str, page: str, t: int, attributes: Attributes) -> bool:
        """Begin a visit; return whether it is told, and so its end is to be."""
        state = self.state
        if state.over:
            return False
        if state.visits >= VISITS_MAX:
            self._note(Reason.TOO_MANY_VISITS)
            return False
        state.visits += 1
        name = self._name("page_start", window_id, page, t)
        self._told.append(Activity(*name, t, window_id, page[:PAGE_MAX_CHARACTERS], attributes=attributes))
        return True

    def leave(self, visit: Visit, t: int, attributes: Attributes) -> None:
        """End a visit that was told."""
        name = self._name("page_end", *visit)
        page, duration_ms = visit.page[:PAGE_MAX_CHARACTERS], t - visit.entered_at
        self._told.append(Activity(*name, t, visit.window_id, page, duration_ms, attributes=attributes))

    def happened(self, window_id: str, page: str, name: str, t: int, attributes: Attributes) -> None:
        """Tell that a custom event happened on a page, once the session and the visit were told.

        The same name in the same millisecond of a window is the same event.
        """
        state = self.state
        if state.over:
            return
        told = state.custom_events.get(name, 0)
        if told >= CUSTOM_EVENTS_MAX:
            self._note(Reason.TOO_MANY_CUSTOM_EVENTS)
            return
        state.custom_events[name] = told + 1
        named = self._name("custom_event", window_id, name, t)
        shown = page[:PAGE_MAX_CHARACTERS] or None
        self._told.append(Activity(*named, t, window_id, shown, attributes=attributes, name=name))

    def end(self, t: int, reason: EndReason | None, attributes: Attributes, *, over: bool = False) -> None:
        """End the session, if it is on; its visits have to be ended before. Once it is `over` nothing more is told."""
        state = self.state
        if state.started_at != NOWHEN:
            name = self._name("session_end", state.starts)
            duration_ms = max(0, t - state.started_at)
            told = Activity(*name, t, duration_ms=duration_ms, reason=reason, attributes=attributes)
            self._told.append(told)
            state.started_at = NOWHEN
        state.over = state.over or over

    def take(self, latest_ms: int) -> tuple[Activity, ...]:
        """Give the activities since the last call. Of a wrong clock, no time is later than `latest_ms`."""
        told, self._told = self._told, []
        return tuple(
            activity if activity.t <= latest_ms else msgspec.structs.replace(activity, t=latest_ms) for activity in told
        )

    def _name(self, kind: ActivityKind, *identity: object) -> tuple[str, ActivityKind, str, str]:
        return _name(kind, self._project_id, self._session_id, *identity)


def withdrawal(project_id: str, session_id: str, t: int) -> Activity:
    """Make the activity that tells readers to drop all they have of a session, withdrawn at `t` (epoch ms)."""
    return Activity(*_name("session_withdrawn", project_id, session_id), t)


def _name(
    kind: ActivityKind, project_id: str, session_id: str, *identity: object
) -> tuple[str, ActivityKind, str, str]:
    """Return what every activity begins with: its id, made of what it is about, its kind, project and session."""
    parts = (project_id, session_id, kind, *identity)
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest(), kind, project_id, session_id
