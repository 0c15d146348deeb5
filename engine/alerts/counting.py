"""Counting sessions, each once for each key, however often its signals come."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from engine.alerts.history import HOUR_MS
from engine.alerts.keys import ATTRIBUTES, MAX_VALUE_CHARACTERS, OTHER, base_of, keys_of
from engine.alerts.rules import AlertLimits
from engine.alerts.state import Base, Daily, Family, ProjectState, Tracked, Visit, normal_share
from schemas.alerts import AlertKey, Dimension, Moment
from schemas.page_paths import fold_page
from schemas.signals import Signal

MAX_RECENT: Final = 200
MAX_SIGNAL_IDS: Final = 500
"""Signals of one session beyond these are not counted: it is one session, whatever it sends."""

MAX_BASES: Final = 200
_FADING: Final = 0.9
MAX_FADING_DAYS: Final = 60
_SMOOTHING: Final = 30.0
_DAY_HOURS: Final = 24


class Counting:
    """Counts for one project."""

    def __init__(self, state: ProjectState, limits: AlertLimits, keep_ms: int) -> None:
        self._state = state
        self._limits = limits
        self._keep_ms = keep_ms

    def visit(self, session_id: str, t: int) -> Visit:
        """Return what is known of a session, which was heard of at `t` (epoch ms)."""
        visits = self._state.visits
        visit = visits.pop(session_id, None) or Visit(t)
        visit.last_t = max(visit.last_t, t)
        visits[session_id] = visit
        while len(visits) > self._limits.max_sessions or self._oldest_is_gone():
            del visits[next(iter(visits))]
        return visit

    def _oldest_is_gone(self) -> bool:
        oldest = next(iter(self._state.visits.values()), None)
        return oldest is not None and oldest.last_t < self._state.now - self._limits.session_memory_ms

    def on_project(self, visit: Visit, t: int, attributes: dict[str, str]) -> None:
        """Count a session for its project and for what it runs on."""
        self._on(visit, "project", "", t)
        for name in ATTRIBUTES:
            value = attributes.get(name, "")[:MAX_VALUE_CHARACTERS]
            if value:
                self._on(visit, name, value, t)
            if value and name == "release":
                self._state.releases.setdefault(value, t)

    def on_page(self, visit: Visit, t: int, page: str) -> None:
        """Count a session for a page."""
        self._on(visit, "page", fold_page(page)[:MAX_VALUE_CHARACTERS], t)

    def _on(self, visit: Visit, dimension: Dimension, value: str, t: int) -> None:
        name = self.base_name(dimension, value)
        if name in visit.bases or len(visit.bases) >= MAX_BASES:
            return
        visit.bases.append(name)
        for base in (self._base(name), self._base(f"family:{dimension}")):
            base.total += 1
            base.lately.add(t, self._keep_ms)
            base.history.add(t // HOUR_MS, 1)

    def base_name(self, dimension: Dimension, value: str) -> str:
        """Name a base; values beyond the bound share one."""
        name = f"{dimension}:{value}"
        if name not in self._state.bases and len(self._state.bases) >= self._limits.max_keys:
            self._state.folded += 1
            name = f"{dimension}:{OTHER}"
        return name

    def _base(self, name: str) -> Base:
        base = self._state.bases.get(name)
        if base is None:
            base = self._state.bases[name] = Base()
            dimension = name.partition(":")[0]
            self._state.base_counts[dimension] = self._state.base_counts.get(dimension, 0) + 1
        return base

    def base(self, key: AlertKey) -> Base:
        """Return the sessions that a key could concern."""
        return self._base(self.base_name(*base_of(key)))

    def family(self, key: AlertKey) -> Family:
        """Return what is known of all keys of the same detector and dimension."""
        return self._state.families.setdefault(f"{key.detector} {key.dimension}", Family())

    def signal(self, visit: Visit, signal: Signal, moment: Moment, t: int) -> Iterator[tuple[Tracked, bool]]:
        """Count a signal for all its keys; give each, and whether the session is new to it."""
        if signal.id in visit.signal_ids or len(visit.signal_ids) >= MAX_SIGNAL_IDS:
            return
        visit.signal_ids.append(signal.id)
        visit.counts[signal.detector] = visit.counts.get(signal.detector, 0) + 1
        for key in keys_of(signal):
            tracked = self.tracked(key)
            tracked.signals.add(t, self._keep_ms)
            name = name_of(tracked.key)
            is_new = name not in visit.keys
            if is_new:
                visit.keys.append(name)
                self._concern(tracked, moment, t)
            yield tracked, is_new

    def tracked(self, key: AlertKey) -> Tracked:
        """Return a key's counts; values beyond the bound share one."""
        name = name_of(key)
        found = self._state.tracked.get(name)
        if found is None:
            if len(self._state.tracked) >= self._limits.max_keys and not self._forget_one():
                self._state.folded += 1
                key = replace(key, value=OTHER)
            found = self._state.tracked.setdefault(name_of(key), Tracked(key))
            found.base_seen = self.base(key).total
            self.family(key).keys += 1
        return found

    def _forget_one(self) -> bool:
        """Forget the key that was concerned least lately, if that is long ago."""
        oldest = next(iter(self._state.tracked.values()))
        if oldest.incident or self._state.now - oldest.last_t < self._limits.session_memory_ms:
            return False
        del self._state.tracked[name_of(oldest.key)]
        self.family(oldest.key).keys -= 1
        return True

    def _concern(self, tracked: Tracked, moment: Moment, t: int) -> None:
        """Count a session for a key, which is the latest one now."""
        name = name_of(tracked.key)
        self._state.tracked[name] = self._state.tracked.pop(name, tracked)
        share = self.share(tracked, t)
        trials = self.settle(tracked, share)
        evidence = tracked.evidence
        if not any(evidence.sums):
            tracked.recent.clear()
        evidence.concerned(share, t, self.base(tracked.key).total)
        hour = t // HOUR_MS
        # What is not normal must not become it: an incident counts as what would have been.
        counted = min(1.0, share * max(trials, 1)) if tracked.incident else 1.0
        tracked.history.add(hour, counted)
        self.family(tracked.key).history.add(hour, counted)
        tracked.sessions.add(t, self._keep_ms)
        tracked.last_t = t
        tracked.recent.append(moment)
        del tracked.recent[:-MAX_RECENT]
        if tracked.key.dimension == "project":
            self._note_hour(self._daily(tracked.key.detector), t)

    def settle(self, tracked: Tracked, share: float) -> int:
        """Bring the evidence of a key up to the sessions there were; return how many were new."""
        total = self.base(tracked.key).total
        trials, tracked.base_seen = total - tracked.base_seen, total
        if trials > 0:
            tracked.evidence.unconcerned(share, trials)
        return trials

    def share(self, tracked: Tracked, t: int) -> float:
        """Return the share of sessions of a key that is normally concerned, at this hour of the day."""
        key = tracked.key
        hour = t // HOUR_MS
        base, family = self.base(key), self.family(key)
        family_base = self._base(f"family:{base_of(key)[0]}")
        for history in (tracked.history, base.history, family.history, family_base.history):
            if hour > history.hour:
                history.settle(hour)
        keys_per_base = family.keys / max(self._state.base_counts.get(base_of(key)[0], 1), 1)
        return normal_share(tracked, base, family, family_base, keys_per_base) * self._at_hour(key.detector, t)

    def _daily(self, detector: str) -> Daily:
        return self._state.daily.setdefault(detector, Daily())

    def _note_hour(self, daily: Daily, t: int) -> None:
        """Count a concerned session of the project; what was counted before today is what is usual."""
        day, hour = divmod(t // HOUR_MS, _DAY_HOURS)
        total = self._base("project:").total
        if day > daily.day:
            fading = _FADING ** min(day - daily.day, MAX_FADING_DAYS)
            daily.usual = [(old + new) * fading for old, new in zip(daily.usual, daily.today, strict=True)]
            daily.usual_base = [
                (old + new) * fading for old, new in zip(daily.usual_base, daily.today_base, strict=True)
            ]
            daily.today, daily.today_base, daily.day = [0.0] * _DAY_HOURS, [0.0] * _DAY_HOURS, day
        daily.today[hour] += 1
        daily.today_base[hour] += total - daily.base_seen
        daily.base_seen = total

    def _at_hour(self, detector: str, t: int) -> float:
        """Say how much more often than on average a session is concerned at this hour of the day."""
        daily = self._daily(detector)
        concerned, base = sum(daily.usual), sum(daily.usual_base)
        if concerned < _SMOOTHING or not base:
            return 1.0
        hour = t // HOUR_MS % _DAY_HOURS
        expected = daily.usual_base[hour] * concerned / base
        return min(max((daily.usual[hour] + _SMOOTHING) / (expected + _SMOOTHING), 0.5), 3.0)


def name_of(key: AlertKey) -> str:
    """Name a key within its project."""
    return f"{key.detector} {key.dimension} {key.value}"
