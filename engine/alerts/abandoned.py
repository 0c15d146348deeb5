"""Sessions that began something and did not come to its end: a cart that was left.

The time runs anew from each beginning, a goal at or after the last one ends the wait, all by event time: what comes
twice or in another order changes nothing, as long as it comes before its time is over. Each rule fires once a session.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.alerts.history import MINUTE_MS
from engine.alerts.incidents import alert_of_one
from engine.alerts.rules import AlertLimits, Rule
from engine.alerts.state import ProjectState, Visit
from engine.settings import Settings
from schemas.alerts import Alert, AlertNumbers, Moment

ON_THE_WAY_MS: Final = MINUTE_MS
"""What happened is heard of within a minute: until then nobody is missed, and nothing was left undone."""

MAX_WAITING: Final = 10_000
"""Sessions that one rule waits for at a time; others are not watched."""

_BEFORE_ALL_TIME: Final = -1


class Abandoned:
    """The rules of kind `abandoned` of one project. Sessions that are waited for are part of `state`."""

    def __init__(
        self, project_id: str, rules: Sequence[Rule], limits: AlertLimits, state: ProjectState, fired: list[Alert]
    ) -> None:
        self._project_id = project_id
        self._rules = [rule for rule in rules if rule.kind == "abandoned"]
        self._lateness_ms = limits.lateness_ms
        self._state = state
        self._fired = fired

    def page(self, session_id: str, page: str, visit: Visit, t: int) -> None:
        """Take note that a session was on a folded page at `t` (epoch ms)."""
        for rule in self._rules:
            self._note(rule, session_id, visit, t, begins=page == rule.page, is_goal=page == rule.goal_page)

    def event(self, session_id: str, name: str, visit: Visit, t: int) -> None:
        """Take note that a session had a custom event at `t` (epoch ms); one without a name says nothing."""
        for rule in self._rules if name else ():
            self._note(rule, session_id, visit, t, begins=name == rule.event, is_goal=name == rule.goal_event)

    def _note(self, rule: Rule, session_id: str, visit: Visit, t: int, *, begins: bool, is_goal: bool) -> None:
        if is_goal:
            self._reach(rule, session_id, visit, t)
        elif begins and rule.name not in visit.done and t > visit.goals.get(rule.name, _BEFORE_ALL_TIME):
            self._wait(self._state.abandoning.setdefault(rule.name, {}), session_id, t)

    def _reach(self, rule: Rule, session_id: str, visit: Visit, t: int) -> None:
        """Wait no more, unless it was begun anew since; what was begun before and is told of later is done, too."""
        visit.goals[rule.name] = max(t, visit.goals.get(rule.name, t))
        waiting = self._state.abandoning.get(rule.name, {})
        if waiting.get(session_id, t + 1) <= t:
            del waiting[session_id]

    def _wait(self, waiting: dict[str, int], session_id: str, t: int) -> None:
        since = waiting.get(session_id)
        if since is None and len(waiting) >= MAX_WAITING:
            return
        if since is None or since < t:
            # At the end of those that wait, as `_due` expects it.
            waiting.pop(session_id, None)
            waiting[session_id] = t

    def judge(self, t: int) -> None:
        """Fire for those whose time is over at `t` (epoch ms), and was a minute ago."""
        for rule in self._rules:
            waiting = self._state.abandoning.get(rule.name, {})
            for session_id in list(self._due(waiting, t - ON_THE_WAY_MS - rule.window_ms)):
                self._fire(rule, session_id, waiting.pop(session_id), t)

    def _due(self, waiting: Mapping[str, int], last_t: int) -> Iterator[str]:
        """Give sessions waited for since `last_t` or before.

        They stand in the order in which they were heard of, which was at most `lateness` after they began.
        """
        for session_id, since in waiting.items():
            if since > last_t + self._lateness_ms:
                return
            if since <= last_t:
                yield session_id

    def _fire(self, rule: Rule, session_id: str, since: int, t: int) -> None:
        visit = self._state.visits.get(session_id)
        if visit is not None and rule.name not in visit.done:
            visit.done.append(rule.name)
        moment = Moment(session_id, since, page=rule.page, text=rule.event)
        numbers = AlertNumbers(1, 1, 0, rule.window_ms, 1.0, 0.0)
        self._fired.append(alert_of_one(self._project_id, rule, moment, numbers, t))


def vain_rules(rules: Sequence[Rule], settings: Settings) -> list[str]:
    """Name the rules about custom events that none of their projects has told: they fire never, or for everyone."""
    return [rule.name for rule in rules if not {rule.event, rule.goal_event} - {""} <= _told(rule, settings)]


def _told(rule: Rule, settings: Settings) -> set[str]:
    everyone = (settings, *settings.projects.values())
    projects = [settings.for_project(name) for name in rule.projects] or everyone
    return {name for project in projects for name in project.activity.custom_events}
