"""The core of alerting: signals and starts of sessions and pages in, alerts out. Pure: time is an argument."""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.alerts.project import ProjectAlerts
from engine.alerts.rules import AlertLimits, Rule
from engine.alerts.state import ProjectState
from schemas.activity import Activity
from schemas.alerts import Alert
from schemas.signals import Signal

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(dict[str, ProjectState])


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
        self._limits = limits
        self._projects: dict[str, ProjectAlerts] = {}
        self._alerts: list[Alert] = []

    def feed(self, item: Item, now_ms: int) -> None:
        """Take an item that arrived at `now_ms` (epoch ms)."""
        project = self._project(item.project_id)
        match item:
            case Signal():
                project.signal(item, now_ms)
            case Activity():
                project.activity(item, now_ms)
            case ErrorResolved():
                project.resolved(item.fingerprint, item.t)

    def tick(self, now_ms: int) -> None:
        """Let time pass: what waits for silence is decided by it."""
        for project in self._projects.values():
            project.tick(now_ms)

    def take(self) -> list[Alert]:
        """Give the alerts that fired or ended since the last call, in order."""
        taken, self._alerts[:] = list(self._alerts), []
        return taken

    def snapshot(self) -> bytes:
        """Describe all that is known."""
        return _encoder.encode({name: project.state for name, project in self._projects.items()})

    def restore(self, snapshot: bytes) -> None:
        """Take over what a snapshot knows. Raises msgspec.ValidationError for what is none."""
        for project_id, state in _decoder.decode(snapshot).items():
            self._projects[project_id] = self._made(project_id, state)

    def _project(self, project_id: str) -> ProjectAlerts:
        found = self._projects.get(project_id)
        if found is None:
            found = self._projects[project_id] = self._made(project_id, ProjectState())
        return found

    def _made(self, project_id: str, state: ProjectState) -> ProjectAlerts:
        rules = [rule for rule in self._rules if rule.is_for(project_id)]
        return ProjectAlerts(project_id, rules, self._limits, state, self._alerts)
