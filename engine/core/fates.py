"""Why nothing more is taken of sessions, remembered so that data coming later is told apart from new."""

from collections import OrderedDict
from typing import Final, NamedTuple

from engine.reasons import Reason

FATES_MAX: Final = 100_000
"""Sessions remembered; the one noted first is forgotten first."""

WITHDRAWALS: Final = frozenset({Reason.NO_CONSENT, Reason.EXCLUDED_USER, Reason.SESSION_DELETED})
"""Reasons why nothing of a session may be there, not even a note that it was refused."""


def withdrawn_because(reason: str) -> Reason:
    """Return why a session was withdrawn, as its tombstone says; what is not known here was for an excluded user."""
    return next((each for each in WITHDRAWALS if each == reason), Reason.EXCLUDED_USER)


class Fate(NamedTuple):
    """Why nothing more is taken of a session; of one that was closed, its project and how far its input was read."""

    reason: Reason
    project_id: str = ""
    position: int = -1

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing of the session may be there."""
        return self.reason in WITHDRAWALS


class Fates:
    """Fates by session id."""

    def __init__(self) -> None:
        self._fates: OrderedDict[str, Fate] = OrderedDict()

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._fates

    def get(self, session_id: str) -> Fate | None:
        """Return a session's fate, if it has met one."""
        return self._fates.get(session_id)

    def note(self, session_id: str, fate: Fate) -> None:
        """Remember a fate, instead of an earlier one."""
        self._fates[session_id] = fate
        if len(self._fates) > FATES_MAX:
            self._fates.popitem(last=False)


class Refusal(NamedTuple):
    """A session of which batches were refused, and why."""

    session_id: str
    project_id: str
    reason: Reason
