"""A project whose time is ahead of what it can be: a clock was wrong for a while. Pure: time is an argument."""

from collections.abc import MutableMapping
from typing import Final

from engine.alerts.counting import GONE_MS
from engine.alerts.history import HOUR_MS, MINUTE_MS, Lagged, Minutes
from engine.alerts.state import ProjectState, Tracked

DAY_HOURS: Final = 24


def set_back(state: ProjectState, now_ms: int) -> None:
    """Have nothing in a state be later than `now_ms` (epoch ms): as if all of that had happened by then.

    Time passed that was none, and what it made forgotten or fade is lost; what comes from now on is judged again.
    """
    state.first_t, state.now = min(state.first_t, now_ms), min(state.now, now_ms)
    state.heard_t = min(state.heard_t, now_ms)
    state.minute = min(state.minute, now_ms // MINUTE_MS)
    state.tidied_hour = min(state.tidied_hour, now_ms // HOUR_MS)
    state.releases_doubtful_until = min(state.releases_doubtful_until, now_ms + GONE_MS)
    for times in (state.errors, state.resolved, state.releases, state.withdrawn, *state.abandoning.values()):
        _set_back_times(times, now_ms)
    for session_id in state.visits:
        visit = state.visits[session_id]
        visit.last_t = min(visit.last_t, now_ms)
        _set_back_times(visit.goals, now_ms)
    for name in state.bases:
        base = state.bases[name]
        _set_back_minutes(base.lately, now_ms)
        _set_back_hours(base.history, now_ms)
    for name in state.tracked:
        _set_back_key(state.tracked[name], now_ms)
    for family in state.families.values():
        _set_back_hours(family.history, now_ms)
        family.worst_hour = min(family.worst_hour, now_ms // HOUR_MS)
    for daily in state.daily.values():
        daily.day = min(daily.day, now_ms // HOUR_MS // DAY_HOURS)
    for incident in state.incidents.values():
        incident.last_t, incident.opened_at = min(incident.last_t, now_ms), min(incident.opened_at, now_ms)
    _set_back_traffic(state, now_ms)


def _set_back_times(times: MutableMapping[str, int], now_ms: int) -> None:
    for name in [name for name, t in times.items() if t > now_ms]:
        times[name] = now_ms


def _set_back_minutes(counted: Minutes, now_ms: int) -> None:
    minute, ahead = now_ms // MINUTE_MS, 0
    while counted.minutes and counted.minutes[-1] > minute:
        counted.minutes.pop()
        ahead += counted.counts.pop()
    if ahead:
        counted.minutes.append(minute)
        counted.counts.append(ahead)


def _set_back_hours(history: Lagged, now_ms: int) -> None:
    history.hour = min(history.hour, now_ms // HOUR_MS)


def _set_back_key(tracked: Tracked, now_ms: int) -> None:
    for counted in (tracked.sessions, tracked.signals):
        _set_back_minutes(counted, now_ms)
    _set_back_hours(tracked.history, now_ms)
    _set_back_times(tracked.held_since, now_ms)
    tracked.last_t = min(tracked.last_t, now_ms)
    tracked.evidence.since = min(tracked.evidence.since, now_ms)


def _set_back_traffic(state: ProjectState, now_ms: int) -> None:
    """Nobody was missed in hours that never were."""
    traffic = state.traffic
    _set_back_minutes(traffic.lately, now_ms)
    traffic.hour = min(traffic.hour, now_ms // HOUR_MS)
    traffic.rated_minute = min(traffic.rated_minute, now_ms // MINUTE_MS)
    traffic.judged_t, traffic.since = min(traffic.judged_t, now_ms), min(traffic.since, now_ms)
    traffic.evidences = [0.0] * len(traffic.evidences)
