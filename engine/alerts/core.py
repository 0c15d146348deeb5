"""The core of alerting: signals and starts of sessions and pages in, alerts out. Pure: time is an argument."""

from collections.abc import Collection, Sequence

import msgspec

from engine.alerts.clocks import set_back
from engine.alerts.forgetting import forget, is_withdrawn
from engine.alerts.incidents import Incidents
from engine.alerts.project import ProjectAlerts
from engine.alerts.rules import AlertLimits, Rule
from engine.alerts.state import ProjectState
from schemas.activity import Activity
from schemas.alerts import Alert
from schemas.signals import Signal


class ErrorResolved(msgspec.Struct, frozen=True, gc=False, tag_field="kind", tag="error_resolved"):
    """Somebody marked an error as resolved, at `t` (epoch ms)."""

    project_id: str
    fingerprint: str
    t: int


Item = Signal | Activity | ErrorResolved


class AlertCore:
    """Judges items in the order they come in; the same items, also doubled, always give the same alerts."""

    def __init__(self, rules: Sequence[Rule], limits: AlertLimits) -> None:
        self._rules = tuple(rules)
        self.limits = limits
        self._projects: dict[str, ProjectAlerts] = {}
        self._alerts: list[Alert] = []

    def feed(self, item: Item, now_ms: int) -> None:
        """Take an item that arrived at `now_ms` (epoch ms)."""
        project = self._project(item.project_id)
        match item:
            case ErrorResolved():
                project.resolved(item.fingerprint, item.t)
            case Activity(kind="session_withdrawn"):
                forget(project.state, (item.session_id,), item.t)
            case _ if is_withdrawn(project.state, item.session_id):
                pass
            case Signal():
                project.signal(item, now_ms)
            case Activity():
                project.activity(item, now_ms)

    def forget(self, project_id: str, session_ids: Collection[str], t: int) -> None:
        """Forget sessions that were withdrawn at `t` (epoch ms): as their activities have it, for many at a time."""
        forget(self._project(project_id).state, session_ids, t)

    def tick(self, now_ms: int) -> None:
        """Let time pass: what waits for silence is decided by it."""
        for project in self._projects.values():
            project.tick(now_ms)

    def set_back(self, now_ms: int) -> int:
        """Set projects back that are further ahead than can be, where it can be no later than `now_ms` (epoch ms).

        Say how many: a clock was wrong, and what comes would be too late to count until that time has come.
        """
        ahead = [each.state for each in self._projects.values() if each.state.now > now_ms + self.limits.max_ahead_ms]
        for state in ahead:
            set_back(state, now_ms)
        return len(ahead)

    def take(self) -> list[Alert]:
        """Give the alerts that fired or ended since the last call, in order."""
        taken, self._alerts[:] = list(self._alerts), []
        return taken

    def open_alerts(self) -> list[Alert]:
        """Give the alerts that go on, those that fired first in front."""
        incidents = [each for project in self._projects.values() for each in project.state.incidents.values()]
        return sorted((each.alert for each in incidents if each.is_open), key=lambda alert: alert.fired_at)

    def change_rules(self, rules: Sequence[Rule], limits: AlertLimits) -> None:
        """Go on by other rules. What is known stays known; alerts of rules that are no more are over."""
        self._rules, self.limits = tuple(rules), limits
        for project_id, project in self._projects.items():
            state = project.state
            names = {rule.name for rule in self._rules if rule.is_for(project_id)}
            incidents = Incidents(project_id, state, self._alerts)
            for incident in list(state.incidents.values()):
                if incident.is_open and incident.rule not in names:
                    incidents.close(incident, state.now)
            for name in [name for name in state.abandoning if name not in names]:
                state.abandoning[name].clear()
            self._projects[project_id] = self._made(project_id, state)

    def state(self, project_id: str) -> ProjectState:
        """Return all that is known of a project: the very object that the rules go by."""
        return self._project(project_id).state

    def adopt(self, project_id: str, state: ProjectState) -> None:
        """Go on with what is known of a project; the object is the caller's no more."""
        self._projects[project_id] = self._made(project_id, state)

    def _project(self, project_id: str) -> ProjectAlerts:
        found = self._projects.get(project_id)
        if found is None:
            found = self._projects[project_id] = self._made(project_id, ProjectState())
        return found

    def _made(self, project_id: str, state: ProjectState) -> ProjectAlerts:
        rules = [rule for rule in self._rules if rule.is_for(project_id)]
        return ProjectAlerts(project_id, rules, self.limits, state, self._alerts)
