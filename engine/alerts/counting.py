"""Counting sessions, each once for each key, however often its signals come."""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from engine.alerts.change import HIGHEST_SHARE
from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.keys import ATTRIBUTES, MAX_VALUE_CHARACTERS, OTHER, base_of, keys_of
from engine.alerts.rules import AlertLimits
from engine.alerts.state import Base, Daily, Family, ProjectState, Tracked, Visit, normal_share
from schemas.alerts import AlertKey, Dimension, Moment
from schemas.signals import Signal

MAX_RECENT: Final = 200
MAX_SIGNAL_IDS: Final = 500
"""Signals of one session beyond these are not counted: it is one session, whatever it sends."""

MAX_BASES: Final = 200
MAX_RELEASES: Final = 5_000
"""Anybody may name releases; those not seen for longest are forgotten first."""

GONE_MS: Final = 72 * HOUR_MS
"""What nobody complained of for three days, a weekend and a day, is gone; if it is back it is as if it were new."""

GONE_TIMES: Final = 20
"""A rare error is not quiet by chance for so many times longer than it usually takes until somebody has it again."""

LEAST_HEARD: Final = 3
"""Of what fewer sessions had it is not known how often it comes."""

WELL_KNOWN: Final = 100.0
"""Of so many visitors it is well known how many complain."""

PROJECT_BASE: Final = "project:"
FEW_SESSIONS: Final = 50
"""Of what fewer sessions were about, nothing is lost that could be called normal."""

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

    def on_project(self, visit: Visit, t: int, attributes: dict[str, str], *, is_told: bool) -> None:
        """Count a session for its project and for what it runs on; `is_told` if an activity says so."""
        self._on(visit, "project", "", t, is_told=is_told)
        for name in ATTRIBUTES:
            value = attributes.get(name, "")[:MAX_VALUE_CHARACTERS]
            if value:
                self._on(visit, name, value, t, is_told=is_told)
            if value and name == "release":
                self._note_release(value, t)

    def _note_release(self, release: str, t: int) -> None:
        """Note when a release was first seen, those seen last at the end; 0 if it may have been forgotten meanwhile."""
        releases = self._state.releases
        if release in releases:
            if next(reversed(releases)) != release:
                releases[release] = releases.pop(release)
            return
        releases[release] = t if t >= self._state.releases_doubtful_until else 0
        while len(releases) > MAX_RELEASES:
            gone = next(iter(releases))
            base = self._state.bases.get(f"release:{gone}")
            if base is not None and base.lately.since(t - GONE_MS):
                # It is in use: so many names are made up, or belong to nobody.
                self._state.releases_doubtful_until = t + GONE_MS
            del releases[gone]

    def on_page(self, visit: Visit, t: int, page: str, *, is_told: bool) -> None:
        """Count a session for a folded page; `is_told` if an activity says so."""
        self._on(visit, "page", page[:MAX_VALUE_CHARACTERS], t, is_told=is_told)

    def _on(self, visit: Visit, dimension: Dimension, value: str, t: int, *, is_told: bool) -> None:
        name = f"{dimension}:{value}"
        if name in visit.bases or len(visit.bases) >= MAX_BASES:
            return
        known = self.base_name(dimension, value)
        if known != name and known in visit.bases:
            return
        visit.bases.append(known)
        base = self._base(known)
        base.lately.add(t, self._keep_ms)
        for each in (base, self._base(f"family:{dimension}")):
            each.total += 1
            each.told += is_told
            each.history.add(t // HOUR_MS, 1)

    def base_name(self, dimension: Dimension, value: str) -> str:
        """Name a base; values beyond the bound share one."""
        name = f"{dimension}:{value}"
        bases = self._state.bases
        if name not in bases and len(bases) >= self._limits.max_keys and not self._forget_bases():
            self._state.folded += 1
            name = f"{dimension}:{OTHER}"
        return name

    def _forget_bases(self) -> bool:
        """Forget pages nobody went to lately and few ever did, at most once an hour; return whether there is room."""
        state, hour = self._state, self._state.now // HOUR_MS
        if hour == state.tidied_hour:
            return False
        state.tidied_hour = hour
        before = (state.now - self._limits.session_memory_ms) // MINUTE_MS
        gone = [
            name
            for name, base in state.bases.items()
            if base.lately.minutes and base.lately.minutes[-1] < before and base.total < FEW_SESSIONS
        ]
        for name in gone:
            del state.bases[name]
            state.base_counts[name.partition(":")[0]] -= 1
        return bool(gone)

    def _base(self, name: str) -> Base:
        base = self._state.bases.get(name)
        if base is None:
            base = self._state.bases[name] = Base()
            dimension = name.partition(":")[0]
            self._state.base_counts[dimension] = self._state.base_counts.get(dimension, 0) + 1
        return base

    def base(self, key: AlertKey) -> Base:
        """Return the sessions that a key could concern: all of the project where activities do not tell."""
        return self._base(self._told_base(key))

    def page_base(self, page: str) -> Base | None:
        """Return the sessions of a folded page, if they are known."""
        return self._state.bases.get(f"page:{page}")

    def is_countable(self, key: AlertKey) -> bool:
        """Whether it is known how many run on a release, device or country; of a page it is not needed."""
        return key.dimension not in ATTRIBUTES or self._told_base(key) != PROJECT_BASE

    def _told_base(self, key: AlertKey) -> str:
        dimension, value = base_of(key)
        name = self.base_name(dimension, value)
        base = self._base(name)
        return name if dimension == "project" or base.told * 2 >= base.total else PROJECT_BASE

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
            found.base = self._told_base(found.key)
            found.base_seen = self._base(found.base).total
            found.quiet_for = found.heard_from = self._base(PROJECT_BASE).total
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
        evidence.concerned(share, t, tracked.base_seen)
        hour = t // HOUR_MS
        # What is not normal must not become it: an incident counts as what would have been.
        counted = min(1.0, share * max(trials, 1)) if tracked.incident else 1.0
        tracked.history.add(hour, counted)
        self.family(tracked.key).history.add(hour, counted)
        tracked.sessions.add(t, self._keep_ms)
        self._hear(tracked, t)
        tracked.last_t = t
        tracked.recent.append(moment)
        del tracked.recent[:-MAX_RECENT]
        if tracked.key.dimension == "project":
            self._note_hour(self._daily(tracked.key.detector), t)

    def _hear(self, tracked: Tracked, t: int) -> None:
        """Count a session; what was not heard of for days is heard of anew."""
        if self.is_back(tracked, t):
            total = self._base(PROJECT_BASE).total
            tracked.quiet_for = total - tracked.last_total
            tracked.heard_from, tracked.heard = total, 0
        tracked.heard += 1
        tracked.last_total = self._base(PROJECT_BASE).total

    def is_back(self, tracked: Tracked, t: int) -> bool:
        """Whether a key that is heard of was gone: for days, and for far longer than it was ever likely to be quiet."""
        quiet_for = self._base(PROJECT_BASE).total - tracked.last_total
        usually = (tracked.last_total - tracked.heard_from) / max(tracked.heard, 1)
        is_known = tracked.heard >= LEAST_HEARD
        return is_known and t - tracked.last_t > GONE_MS and quiet_for >= GONE_TIMES * usually

    def settle(self, tracked: Tracked, share: float) -> int:
        """Bring the evidence of a key up to the sessions there were; return how many were new."""
        name = self._told_base(tracked.key)
        total = self._base(name).total
        if name != tracked.base:
            tracked.base, tracked.base_seen = name, total
            tracked.evidence.clear()
        trials, tracked.base_seen = total - tracked.base_seen, total
        if trials > 0:
            tracked.evidence.unconcerned(share, trials)
        return trials

    def share(self, tracked: Tracked, t: int) -> float:
        """Return the share of sessions of a key that is normally concerned, at this hour of the day."""
        key = tracked.key
        hour = t // HOUR_MS
        name, family = self._told_base(key), self.family(key)
        dimension = name.partition(":")[0]
        base, family_base = self._base(name), self._base(f"family:{dimension}")
        for history in (tracked.history, base.history, family.history, family_base.history):
            if hour > history.hour:
                history.settle(hour)
        keys_per_base = family.keys / max(self._state.base_counts.get(dimension, 1), 1)
        return normal_share(tracked, base, family, family_base, keys_per_base) * self._at_hour(key.detector, t)

    def worst_share(self, tracked: Tracked, t: int) -> float:
        """Return the highest share that is normal for one of the keys of a kind, of those much is known of."""
        family, hour = self.family(tracked.key), t // HOUR_MS
        if hour != family.worst_hour:
            shares = [
                each.history.settled / base.history.settled
                for each in self._state.tracked.values()
                if each.key.detector == tracked.key.detector and each.key.dimension == tracked.key.dimension
                for base in (self._state.bases.get(each.base),)
                if base is not None and base.history.settled >= WELL_KNOWN
            ]
            family.worst_hour, family.worst = hour, min(max(shares, default=0.0), HIGHEST_SHARE)
        return family.worst

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
