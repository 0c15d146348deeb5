"""Forgetting sessions that were withdrawn: nothing of them stays, and nothing of them is learnt again."""

import hashlib
from collections.abc import Collection
from itertools import islice
from typing import Final

from msgspec.structs import replace

from engine.alerts.state import Incident, ProjectState
from schemas.alerts import Alert

MAX_WITHDRAWN: Final = 20_000
"""Withdrawn sessions that are known by their marks; beyond, those withdrawn first may come back."""


def mark_of(session_id: str) -> str:
    """Make a mark by which a session is known again, and which does not tell its id."""
    return hashlib.blake2b(session_id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def is_withdrawn(state: ProjectState, session_id: str) -> bool:
    """Say whether a session was withdrawn."""
    return bool(state.withdrawn) and mark_of(session_id) in state.withdrawn


def forget(state: ProjectState, session_ids: Collection[str], t: int) -> None:
    """Forget everything of some sessions, which were withdrawn at `t` (epoch ms). What was counted stays counted."""
    gone = frozenset(session_ids)
    for session_id in gone:
        state.visits.pop(session_id, None)
        state.withdrawn[mark_of(session_id)] = t
        for waiting in state.abandoning.values():
            waiting.pop(session_id, None)
    # All at once: to look for the first of a dict again and again passes all that were taken out of it before.
    for mark in list(islice(state.withdrawn, max(len(state.withdrawn) - MAX_WITHDRAWN, 0))):
        del state.withdrawn[mark]
    for name in [name for name, each in state.tracked.items() if any(one.session_id in gone for one in each.recent)]:
        tracked = state.tracked[name]
        tracked.recent = [moment for moment in tracked.recent if moment.session_id not in gone]
    for incident in state.incidents.values():
        _forget_of(incident, gone)


def _forget_of(incident: Incident, gone: frozenset[str]) -> None:
    for session_id in gone:
        incident.sessions.pop(session_id, None)
    incident.alert = without(incident.alert, gone)


def without(alert: Alert, gone: Collection[str]) -> Alert:
    """Return an alert without the moments of some sessions; the very same one if it shows none of them."""
    kept = [moment for moment in alert.moments if moment.session_id not in gone]
    return alert if len(kept) == len(alert.moments) else replace(alert, moments=kept)
