"""One alert for one incident: what complains of the same sessions belongs together, until all of it is calm."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from engine.alerts.counting import name_of
from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.keys import SPECIFIC, base_of
from engine.alerts.rules import THRESHOLDS, Rule
from engine.alerts.state import Incident, ProjectState, Tracked
from schemas.alerts import Alert, AlertKey, AlertNumbers, Moment, Severity

MAX_SESSIONS: Final = 2_000
MAX_GROUPED: Final = 20
MAX_MOMENTS: Final = 3
SHARED: Final = 0.5
"""Keys that share so many of the sessions of the smaller one are one incident."""

LEFT: Final = 0.5
"""An incident affects more than it is named for if so much of the evidence is left without its own sessions."""

AGAIN: Final = 2.0
"""So many times the evidence that is asked for is enough to tell of what was told before and was over."""

PAUSE_MS: Final = 10 * MINUTE_MS
"""What begins so long after the end of an incident is not the rest of it."""

LEAST_OF_WIDE: Final = 4
"""A coincidence of three sessions comes up among all visitors of a site, not so on one of its pages or elements."""

SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
"""The graver, the later."""

EXPLAINED: Final = 0.6
"""A cause explains an incident if it holds so much of what is too much."""

LONGEST_MS: Final = 24 * HOUR_MS
"""After so long an incident is what is normal now."""


class Incidents:
    """The incidents of one project."""

    def __init__(
        self, project_id: str, state: ProjectState, fired: list[Alert], rules: Mapping[str, Rule] = MappingProxyType({})
    ) -> None:
        self._project_id = project_id
        self._state = state
        self._fired = fired
        self._rules = rules

    def open(self, rule: Rule, causes: Sequence[Tracked], cause: Tracked, numbers: AlertNumbers, t: int) -> None:
        """Fire an alert about `cause`, or let it join an incident that is about the same sessions."""
        sessions = {moment.session_id: None for moment in cause.recent}
        incident = self._same(rule, cause, causes, sessions)
        if incident is None:
            alert = make_alert(self._project_id, rule, cause.key, numbers, cause.recent, t)
            incident = Incident(alert, rule.name, [], {}, t, t, rule.cooldown_ms)
            self._state.incidents[alert.id] = incident
            self._fired.append(alert)
            incident.sessions.update(sessions)
        incident.is_open = True
        for tracked in (cause, *causes):
            self._join(incident, tracked)
        if is_about(incident, cause):
            incident.sessions.update(sessions)
        self.goes_on(incident, t)

    def is_told(self, rule: Rule, tracked: Tracked) -> bool:
        """Whether a key belongs to an incident that goes on and is told to whom a rule would tell it."""
        incident = self._state.incidents.get(tracked.incident)
        if incident is None or not incident.is_open or not self._tells(incident, rule):
            return False
        return not _is_again(rule, incident, tracked)

    def explain(self, rule: Rule, tracked: Tracked, needed: float, t: int) -> bool:
        """Let a key join an incident without whose sessions nothing would be sure; return whether there is one."""
        is_waiting = False
        for incident in self._state.incidents.values():
            if not self._tells(incident, rule) or _is_again(rule, incident, tracked):
                continue
            shared = _shared(incident, tracked)
            is_little = len(tracked.recent) - shared < rule.min_sessions or tracked.evidence.without(shared) < needed
            is_there = incident.is_open and _is_on_its_page(incident, tracked)
            if not is_there and not (shared and is_little):
                continue
            if _is_elsewhere(incident, tracked) and shared < SHARED * len(tracked.recent):
                is_waiting = True
                continue
            incident.is_open = True
            self._join(incident, tracked)
            self.goes_on(incident, t)
            return True
        return is_waiting

    def _same(
        self, rule: Rule, cause: Tracked, causes: Sequence[Tracked], sessions: dict[str, None]
    ) -> Incident | None:
        name = name_of(cause.key)
        for incident in self._state.incidents.values():
            if not self._tells(incident, rule) or any(_is_again(rule, incident, each) for each in (cause, *causes)):
                continue
            shared = _shared(incident, cause)
            smaller = (
                len(sessions) if _is_elsewhere(incident, cause) else min(len(sessions), len(incident.sessions) or 1)
            )
            if name in incident.keys or 0 < shared >= SHARED * smaller:
                return incident
        return None

    def _tells(self, incident: Incident, rule: Rule) -> bool:
        """Whether an incident tells whom a rule would tell: thresholds are asked for, each is told by itself."""
        if incident.rule == rule.name:
            return True
        first = self._rules.get(incident.rule)
        is_as_grave = SEVERITIES.index(incident.alert.severity) >= SEVERITIES.index(rule.severity)
        return rule.kind not in THRESHOLDS and is_as_grave and first is not None and first.routes == rule.routes

    def _join(self, incident: Incident, tracked: Tracked) -> None:
        name = name_of(tracked.key)
        if tracked.incident != incident.alert.id:
            tracked.incident = incident.alert.id
            tracked.evidence.against = 0.0
        if name not in incident.keys:
            incident.is_wide = incident.is_wide or _affects_more(incident, tracked)
            incident.keys.append(name)
            grouped = incident.alert.grouped
            if tracked.key != incident.alert.key and len(grouped) < MAX_GROUPED:
                incident.alert = replace(incident.alert, grouped=[*grouped, tracked.key])

    def goes_on(self, incident: Incident, t: int, session_id: str = "") -> None:
        """Take note that an incident is not over."""
        incident.last_t = max(incident.last_t, t)
        if session_id:
            incident.sessions[session_id] = None
        while len(incident.sessions) > MAX_SESSIONS:
            del incident.sessions[next(iter(incident.sessions))]

    def close(self, incident: Incident, t: int) -> None:
        """Say that an incident is over; for a while it may go on silently."""
        incident.is_open = False
        incident.last_t = t
        for name in incident.keys:
            tracked = self._state.tracked.get(name)
            if tracked is not None and tracked.incident == incident.alert.id:
                tracked.incident = ""
                tracked.evidence.clear()
                tracked.held_since.clear()
        if incident.alert.resolved_at is None:
            incident.alert = replace(incident.alert, resolved_at=t)
            self._fired.append(incident.alert)

    def forget(self, t: int) -> None:
        """Forget incidents that are over for good."""
        gone = [
            id_
            for id_, each in self._state.incidents.items()
            if not each.is_open and t - each.last_t > each.cooldown_ms
        ]
        for id_ in gone:
            del self._state.incidents[id_]


def is_about(incident: Incident, tracked: Tracked) -> bool:
    """Whether the sessions of one of its keys are those of an incident: not if the key is wider than the first one.

    Whoever complains of anything, anywhere, would otherwise be counted for an incident of one page. Errors and elements
    of one page are not told apart.
    """
    narrowest = min(SPECIFIC[incident.alert.key.dimension], SPECIFIC["page"])
    return incident.is_wide or SPECIFIC[tracked.key.dimension] >= narrowest


def least_sessions(rule: Rule, key: AlertKey) -> int:
    """Return how many sessions a spike needs: at least four where a key is wider than a page."""
    is_wide = SPECIFIC[key.dimension] < SPECIFIC["page"]
    return max(rule.min_sessions, LEAST_OF_WIDE) if is_wide else rule.min_sessions


def _affects_more(incident: Incident, tracked: Tracked) -> bool:
    evidence = tracked.evidence
    return evidence.without(_shared(incident, tracked)) >= LEFT * evidence.highest > 0.0


def _is_again(rule: Rule, incident: Incident, tracked: Tracked) -> bool:
    """Whether something began after an incident was over that is by far too sure to be the rest of it."""
    ended_at, evidence = incident.alert.resolved_at, tracked.evidence
    if rule.kind != "spike" or ended_at is None or incident.rule != rule.name:
        return False
    return evidence.since >= ended_at + PAUSE_MS and evidence.highest >= AGAIN * rule.evidence


def _is_elsewhere(incident: Incident, tracked: Tracked) -> bool:
    """Whether a key is about another page than the one an incident is named for."""
    first, other = _page_of(incident.alert.key), _page_of(tracked.key)
    return bool(first and other) and first != other and not incident.is_wide


def _is_on_its_page(incident: Incident, tracked: Tracked) -> bool:
    """Whether a key is about the page that an incident is named for: one incident has many kinds of complaints."""
    page = _page_of(tracked.key)
    return bool(page) and page == _page_of(incident.alert.key)


def _page_of(key: AlertKey) -> str:
    return base_of(key)[1] if key.dimension in {"page", "element"} else ""


def _shared(incident: Incident, tracked: Tracked) -> int:
    return sum(1 for moment in tracked.recent if moment.session_id in incident.sessions)


def most_telling(causes: Iterable[tuple[Tracked, float]]) -> Tracked:
    """Choose, of keys and how many sessions too many they hold, the most specific one that explains most of it."""
    pairs = list(causes)
    most = max(excess for _, excess in pairs)
    enough = min(EXPLAINED * most, most)
    return max(
        (each for each in pairs if each[1] >= enough),
        key=lambda each: (SPECIFIC[each[0].key.dimension], each[1], each[0].key.value),
    )[0]


def make_alert(
    project_id: str, rule: Rule, key: AlertKey, numbers: AlertNumbers, moments: Sequence[Moment], t: int
) -> Alert:
    """Make an alert that fires at `t` (epoch ms)."""
    told = moments[-1].session_id if moments else ""
    what = "\x1f".join((project_id, rule.name, name_of(key), str(t), told))
    return Alert(
        id=hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        rule=rule.name,
        project_id=project_id,
        key=key,
        severity=rule.severity,
        title=title_of(rule, key, numbers),
        fired_at=t,
        numbers=numbers,
        moments=list(moments[-MAX_MOMENTS:]),
    )


def alert_of_one(project_id: str, rule: Rule, moment: Moment, numbers: AlertNumbers, t: int) -> Alert:
    """Make an alert about one session, fired at `t` (epoch ms); there is nothing to be over."""
    return make_alert(project_id, rule, AlertKey("", "project"), numbers, [moment], t)


def title_of(rule: Rule, key: AlertKey, numbers: AlertNumbers) -> str:
    """Say in one line what an alert is about."""
    where = f"{key.dimension} {key.value}" if key.value else "the project"
    what = key.detector or rule.kind
    if rule.kind == "absence":
        return f"Visitors stay away: {numbers.rate:.0f} sessions an hour, usually {numbers.baseline_rate:.0f}"
    if rule.kind == "abandoned":
        began = f"was on {rule.page}" if rule.page else f"came to {rule.event}"
        goal = f"on {rule.goal_page}" if rule.goal_page else f"to {rule.goal_event}"
        return f"A visitor {began} and not {goal}"
    if rule.kind == "score":
        return f"A session has reached a score of {numbers.rate:.0f}"
    of = f" of {numbers.base_sessions}" if numbers.base_sessions else ""
    usually = f", usually {numbers.baseline_rate:.1%}" if rule.kind == "spike" else ""
    return f"{what} on {where}: {numbers.sessions}{of} sessions{usually}"
