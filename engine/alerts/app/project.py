"""One project as it is judged: its core, what of it is not stored yet, and the write that stores it."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from engine.alerts.backtest import minutes_between
from engine.alerts.core import AlertCore, ErrorResolved, Item
from engine.alerts.forgetting import is_withdrawn, without
from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.parts import Parts
from engine.alerts.routing import messages
from engine.alerts.rules import RulesFile
from engine.alerts.store import Position, ProjectWrite, Read, StoredProject
from schemas.activity import Activity
from schemas.alerts import Alert

GONE_MS: Final = 3 * MINUTE_MS
"""So long a message that was being sent when a session was withdrawn may come back to the outbox."""

_WITHDRAWN: Final = "session_withdrawn"


class KeptAlerts(NamedTuple):
    """How many alerts that are over are listed, for how long (ms), and how long a project is kept at most (ms)."""

    most: int
    for_ms: int
    project_ms: int


class Sizes(NamedTuple):
    """How many alerts go on, how many keys are told apart, how many sessions remembered."""

    open_alerts: int
    keys: int
    sessions: int


class JudgedProject:
    """A project that is judged here, as it goes on from what is stored; of no use once a write was refused."""

    def __init__(self, project_id: str, stored: StoredProject, rules: RulesFile) -> None:
        self.project_id = project_id
        self._core = AlertCore(rules.rules, rules.bounds)
        self._core.adopt(project_id, stored.state)
        self._parts = Parts(stored.state)
        self._state = stored.state
        # A change of its own would begin with all that was just read.
        self._parts.changes()
        self._token = stored.token
        self._position: Position = dict(stored.position)
        self._listed = dict(stored.alerts)
        self._told: list[Alert] = []
        self._changed_alerts: dict[str, None] = {}
        self._withdrawn: dict[str, int] = {}
        self._stored_hour = stored.state.now // HOUR_MS
        self._gone: dict[str, int] = {}
        self._heard_ms = stored.state.heard_t or stored.state.now
        self.is_changed = False
        self.change_rules(rules)

    @property
    def is_new(self) -> bool:
        """Whether nothing of it is stored yet."""
        return not self._token

    @property
    def token(self) -> str:
        """The last write that is known of; empty if there is none."""
        return self._token

    @property
    def has_new_hour(self) -> bool:
        """Whether it is stored for the first time in an hour."""
        return self._state.now // HOUR_MS != self._stored_hour

    def silent_since(self, now_ms: int) -> int | None:
        """Say when something came last (epoch ms); `None` while something goes on, or is to be stored."""
        if not self._heard_ms:
            self._heard_ms = now_ms
        is_busy = self.is_changed or self._core.open_alerts()
        return None if is_busy else max(self._state.heard_t, self._heard_ms)

    @property
    def has_news(self) -> bool:
        """Whether somebody waits for what is not stored yet."""
        return bool(self._told)

    @property
    def sizes(self) -> Sizes:
        """How much is known."""
        return Sizes(len(self._core.open_alerts()), len(self._state.tracked), len(self._state.visits))

    def is_known(self, partition: int, log: str, offset: int) -> bool:
        """Say whether an item was applied before."""
        read = self._position.get(partition)
        return read is not None and read.log == log and offset <= read.offset

    def read(self, partition: int, log: str, offset: int) -> None:
        """Take note of how far a partition was read."""
        self._position[partition] = Read(log, offset)
        self.is_changed = True

    def feed(self, item: Item, now_ms: int) -> str:
        """Judge an item that arrived at `now_ms` (epoch ms), after all minutes that passed before it.

        Return why it was not judged (one of `ALERT_DROP_REASONS`); nothing if it was.
        """
        if isinstance(item, Activity) and item.kind == _WITHDRAWN:
            self._withdrawn[item.session_id] = item.t
            return ""
        self._forget()
        self._pass(now_ms)
        if not isinstance(item, ErrorResolved) and is_withdrawn(self._state, item.session_id):
            return "withdrawn"
        late = self._state.late
        self._core.feed(item, now_ms)
        self._take()
        return "late" if self._state.late > late else ""

    def withdraw(self, session_ids: Iterable[str], t: int) -> None:
        """Take note that sessions were deleted, at `t` (epoch ms), if that is news."""
        for session_id in session_ids:
            if not is_withdrawn(self._state, session_id):
                self._withdrawn[session_id] = t
                self.is_changed = True

    @property
    def ahead(self) -> int:
        """How many items were of a time far after they came."""
        return self._state.ahead

    def set_back(self, now_ms: int) -> bool:
        """Set the project back if it is further ahead of `now_ms` (epoch ms) than can be; say whether it was."""
        if not self._core.set_back(now_ms):
            return False
        self.is_changed = True
        return True

    def resolve(self, fingerprint: str, t: int) -> None:
        """Take note that an error was marked as resolved at `t` (epoch ms)."""
        if self._state.resolved.get(fingerprint, 0) < t:
            self._core.feed(ErrorResolved(self.project_id, fingerprint, t), t)
            self.is_changed = True

    def tick(self, now_ms: int) -> None:
        """Let time pass until a full minute (epoch ms); mostly nothing comes of it that has to be stored."""
        self._forget()
        self._pass(now_ms)
        if self.has_new_hour:
            self.is_changed = True

    def change_rules(self, rules: RulesFile) -> None:
        """Go on by other rules."""
        self._rules = rules
        self._core.change_rules(rules.rules, rules.bounds)
        self._take()

    def _pass(self, now_ms: int) -> None:
        for minute in minutes_between(self._state.now, now_ms):
            self._core.tick(minute)
        self._take()

    def _take(self) -> None:
        taken = self._core.take()
        for alert in taken:
            self._listed[alert.id] = alert
            self._changed_alerts[alert.id] = None
        if taken:
            self._told += taken
            self.is_changed = True

    def _forget(self) -> None:
        """Forget the sessions withdrawn: all in a row at once, as each has everything looked through."""
        if not self._withdrawn:
            return
        gone, self._withdrawn = self._withdrawn, {}
        self._core.forget(self.project_id, gone.keys(), max(gone.values()))
        self._told = [without(alert, gone.keys()) for alert in self._told]
        for alert in list(self._listed.values()):
            kept = without(alert, gone.keys())
            if kept is not alert:
                self._listed[alert.id] = kept
                self._changed_alerts[alert.id] = None
        self._gone |= dict.fromkeys(gone, 0)
        self.is_changed = True

    def gone(self, now_ms: int) -> set[str]:
        """Give the sessions withdrawn lately: a message under way may still show them, and be put back."""
        self._forget()
        self._gone = {id_: since or now_ms for id_, since in self._gone.items() if now_ms - (since or now_ms) < GONE_MS}
        return set(self._gone)

    # -- storing -------------------------------------------------------------------------------------------------

    def write(self, token: str, now_ms: int, kept: KeptAlerts) -> ProjectWrite:
        """Make the write of all that is not stored; the same is to be offered until its outcome is known."""
        self._forget()
        told, self._told = self._told, []
        changed, self._changed_alerts = self._changed_alerts, {}
        unlisted = self._unlist(kept, now_ms)
        self.is_changed = False
        self._stored_hour = self._state.now // HOUR_MS
        return ProjectWrite(
            project_id=self.project_id,
            base_token=self._token,
            token=token,
            position=dict(self._position),
            changes=self._parts.changes(),
            alerts=[self._listed[id_] for id_ in changed if id_ in self._listed],
            unlisted=unlisted,
            messages=[message for alert in told for message in messages(alert, self._rules, now_ms)],
            now_ms=now_ms,
            kept_ms=kept.project_ms,
            told=["fired" if alert.resolved_at is None else "resolved" for alert in told],
        )

    def confirm(self, write: ProjectWrite) -> None:
        """Take note that a write is stored."""
        self._token = write.token

    def _unlist(self, kept: KeptAlerts, now_ms: int) -> list[str]:
        """Drop alerts that are over: those that fired first beyond how many are kept, and what is too old."""
        oldest = next(iter(self._listed.values()), None)
        if oldest is None or (len(self._listed) <= kept.most and now_ms - oldest.fired_at < kept.for_ms):
            return []
        going_on = {alert.id for alert in self._core.open_alerts()}
        over = [id_ for id_ in self._listed if id_ not in going_on]
        too_many = max(len(over) - kept.most, 0)
        old = (id_ for id_ in over[too_many:] if now_ms - self._listed[id_].fired_at >= kept.for_ms)
        dropped = [*over[:too_many], *old]
        for id_ in dropped:
            del self._listed[id_]
        return dropped
