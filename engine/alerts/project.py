"""Alerts of one project: counts what comes, and lets the rules judge it at once."""

import math
from collections.abc import Sequence
from typing import Final

from detectors.score import score
from engine.alerts.abandoned import ON_THE_WAY_MS, Abandoned
from engine.alerts.change import evidence_of
from engine.alerts.counting import Counting, name_of
from engine.alerts.history import HOUR_MS, MINUTE_MS
from engine.alerts.incidents import LONGEST_MS, Incidents, alert_of_one, is_about, least_sessions, most_telling
from engine.alerts.keys import ATTRIBUTES, OTHER, error_of
from engine.alerts.mix import KEEP_MS, machines, sober_share
from engine.alerts.rules import THRESHOLDS, AlertLimits, Rule, longest_window_ms
from engine.alerts.state import Incident, ProjectState, Tracked, Visit
from engine.alerts.traffic import judge, started, usual
from schemas.activity import Activity
from schemas.alerts import Alert, AlertKey, AlertNumbers, Moment
from schemas.page_paths import fold_page
from schemas.signals import Signal

MAX_ERRORS: Final = 20_000
CALM: Final = 4.6
"""An incident is over once that is 100 times likelier than that it goes on (natural logarithm)."""

QUIET_MS: Final = 2 * HOUR_MS
"""So long without a session concerned is the end of an incident on a key with few visitors."""

LULL_MS: Final = 3 * MINUTE_MS
"""What is above a threshold again sooner than that was never below it."""

STARTED: Final = "(started)"
"""Stands in `Visit.done`, where no rule can have this name: the session was counted as one that started."""

BY_CHANCE: Final = 0.005
"""How likely it may be that an error that was always there is first heard of late, and then so often."""

MOST: Final = 0.8
"""What so many of the visitors run on is no cause: it can't be told from the project."""

DAY_MS: Final = 24 * HOUR_MS
USUAL_DAILY: Final = 2_000.0
"""For so many sessions a day the evidence is enough that a rule asks for; for e times as many it has to be 1 higher."""

LEAST_MORE: Final = -1.5
MOST_MORE: Final = 4.0

HALF_SURE: Final = 0.5
"""What is half as sure as a rule asks for may be the cause, once something else is sure enough."""

_KEYED: Final = frozenset({"spike", "share", "sessions", "signals", "new_error", "regression"})
_MAX_TEXT: Final = 200


class ProjectAlerts:
    """What is known of a project, and its rules."""

    def __init__(
        self, project_id: str, rules: Sequence[Rule], limits: AlertLimits, state: ProjectState, fired: list[Alert]
    ) -> None:
        self.state = state
        self._project_id = project_id
        self._limits = limits
        self._fired = fired
        self._counting = Counting(state, limits, max(longest_window_ms(tuple(rules)), KEEP_MS))
        self._rules = {rule.name: rule for rule in rules}
        self._incidents = Incidents(project_id, state, fired, self._rules)
        self._keyed = [rule for rule in rules if rule.kind in _KEYED]
        self._scored = [rule for rule in rules if rule.kind == "score"]
        self._abandoned = Abandoned(project_id, rules, limits, state, fired)
        self._absence = [rule for rule in rules if rule.kind == "absence"]

    # -- what comes ----------------------------------------------------------------------------------------------

    def signal(self, signal: Signal, now_ms: int) -> None:
        """Count a signal and judge its keys."""
        t = self._at(signal.t, now_ms)
        if t is None:
            return
        visit = self._counting.visit(signal.session_id, t)
        self._counting.on_project(visit, t, signal.attributes, is_told=False)
        if signal.page:
            self._counting.on_page(visit, t, fold_page(signal.page), is_told=False)
        moment = _moment(signal)
        self._note_error(signal, t)
        touched = list(self._counting.signal(visit, signal, moment, t))
        self._note_return(signal, touched)
        for tracked, _ in touched:
            incident = self.state.incidents.get(tracked.incident)
            if incident is not None and is_about(incident, tracked):
                self._incidents.goes_on(incident, t, signal.session_id)
        if touched:
            self._judge(signal, [tracked for tracked, _ in touched], t)
            self._judge_score(visit, moment, t)

    def activity(self, activity: Activity, now_ms: int) -> None:
        """Count a start, or a custom event."""
        t = self._at(activity.t, now_ms)
        if t is None or activity.kind in {"session_end", "page_end"}:
            return
        visit = self._counting.visit(activity.session_id, t)
        self._counting.on_project(visit, t, activity.attributes, is_told=True)
        if STARTED not in visit.done:
            visit.done.append(STARTED)
            started(self.state.traffic, t)
        if activity.kind == "custom_event":
            self._abandoned.event(activity.session_id, activity.name or "", visit, t)
        elif activity.page:
            page = fold_page(activity.page)
            self._counting.on_page(visit, t, page, is_told=True)
            self._abandoned.page(activity.session_id, page, visit, t)

    def resolved(self, fingerprint: str, t: int) -> None:
        """Take note that an error was marked as resolved."""
        if t <= self.state.resolved.get(fingerprint, 0):
            return
        self.state.resolved[fingerprint] = t
        for tracked in self.state.tracked.values():
            if tracked.key.value == fingerprint:
                self.state.tracked[name_of(tracked.key)].returned = 0
        while len(self.state.resolved) > MAX_ERRORS:
            del self.state.resolved[next(iter(self.state.resolved))]

    def tick(self, now_ms: int) -> None:
        """Let time pass."""
        if self.state.first_t and now_ms > self.state.now:
            self._pass(now_ms)

    def _at(self, t: int, now_ms: int) -> int | None:
        """Say when something counts: never after its arrival; `None` if it came too late to count."""
        state = self.state
        state.heard_t = max(state.heard_t, now_ms)
        state.ahead += t > now_ms + self._limits.max_ahead_ms
        t = min(t, now_ms)
        if not state.first_t:
            state.first_t = state.now = max(t, now_ms - self._limits.lateness_ms)
        if t < state.now - self._limits.lateness_ms:
            state.late += 1
            return None
        if t > state.now:
            self._pass(t)
        return t

    def _pass(self, t: int) -> None:
        self.state.now = t
        if t // MINUTE_MS == self.state.minute:
            return
        self.state.minute = t // MINUTE_MS
        judge(self.state.traffic, t - ON_THE_WAY_MS)
        self._judge_traffic(t)
        self._abandoned.judge(t)
        for incident in list(self.state.incidents.values()):
            if incident.is_open and self._is_over(incident, t):
                self._incidents.close(incident, t)
        self._incidents.forget(t)

    # -- keys ----------------------------------------------------------------------------------------------------

    def _judge(self, signal: Signal, touched: Sequence[Tracked], t: int) -> None:
        for rule in self._keyed:
            if not rule.counts(signal.detector):
                continue
            meant = [each for each in touched if each.key.dimension in rule.dimensions]
            if rule.kind == "spike":
                meant = [each for each in meant if not self._incidents.is_told(rule, each)]
            held = [each for each in meant if self._holds(rule, signal, each, t)]
            sure = [each for each in held if self._lasts(rule, each, t)]
            if sure and rule.kind == "new_error":
                self.state.errors[error_of(signal)] = self.state.first_t
            untold = [each for each in sure if not self._incidents.is_told(rule, each)]
            if rule.kind == "spike":
                needed = self._needed(rule, t)
                untold = [each for each in untold if not self._incidents.explain(rule, each, needed, t)]
            if untold:
                cause = self._cause(rule, untold, meant, t)
                self._incidents.open(rule, untold, cause, self._numbers(rule, cause, t), t)

    def _cause(self, rule: Rule, sure: Sequence[Tracked], meant: Sequence[Tracked], t: int) -> Tracked:
        """Choose the key to name, of those that are sure and those that are half as sure."""
        likely = [each for each in meant if each in sure or self._may_be(rule, each)]
        telling = [each for each in likely if self._is_telling(each, t)]
        return most_telling((each, self._excess(each, t)) for each in telling or sure)

    def _is_telling(self, tracked: Tracked, t: int) -> bool:
        """Whether it says more than that it is the project: not of what most run on, but for a release of that day."""
        key = tracked.key
        if key.dimension not in ATTRIBUTES:
            return key.value != OTHER
        if key.dimension == "release" and t - self.state.releases.get(key.value, 0) < LONGEST_MS:
            return self._counting.is_countable(key)
        base, project = self._counting.base(key), self._counting.base(AlertKey("", "project"))
        is_most = base.lately.since(t - KEEP_MS) > MOST * project.lately.since(t - KEEP_MS)
        return self._counting.is_countable(key) and not is_most

    def _may_be(self, rule: Rule, tracked: Tracked) -> bool:
        is_likely = tracked.evidence.highest >= self._needed(rule, self.state.now) * HALF_SURE
        return rule.kind == "spike" and is_likely and len(tracked.recent) >= rule.min_sessions

    def _holds(self, rule: Rule, signal: Signal, tracked: Tracked, t: int) -> bool:
        state = self.state
        match rule.kind:
            case "spike":
                is_warm = t - state.first_t >= rule.warm_up_ms and tracked.key.value != OTHER
                is_warm = is_warm and self._counting.is_countable(tracked.key)
                is_sure = tracked.evidence.highest >= self._needed(rule, t)
                return is_warm and is_sure and self._is_sure_anyway(rule, tracked, t)
            case "new_error":
                return tracked.key.dimension == "error" and self._is_new(rule, tracked, error_of(signal), t)
            case "regression":
                return (
                    self._is_back(signal) and tracked.key.dimension == "error" and tracked.returned >= rule.min_sessions
                )
            case _:
                return self._is_above(rule, tracked, t)

    def _is_new(self, rule: Rule, tracked: Tracked, fingerprint: str, t: int) -> bool:
        """Whether an error is new: that all its sessions came so late were unlikely, had it been there before."""
        first_t = self.state.errors.get(fingerprint, 0)
        is_late = first_t - self.state.first_t >= rule.warm_up_ms and t - first_t < LONGEST_MS
        if not is_late or tracked.heard < rule.min_sessions:
            return False
        all_sessions = self._counting.base(AlertKey("", "project")).total
        since = all_sessions - tracked.heard_from
        return (since / max(since + tracked.quiet_for, 1)) ** (tracked.heard - 1) <= BY_CHANCE

    def _is_back(self, signal: Signal) -> bool:
        """Whether it is about an error that was resolved before its release was first seen: old tabs live long."""
        resolved_at = self.state.resolved.get(error_of(signal))
        since = self.state.releases.get(signal.attributes.get("release", ""))
        return resolved_at is not None and since is not None and since > resolved_at

    def _note_return(self, signal: Signal, touched: Sequence[tuple[Tracked, bool]]) -> None:
        if self.state.resolved and self._is_back(signal):
            for tracked, is_new in touched:
                tracked.returned += is_new and tracked.key.dimension == "error"

    def _is_sure_anyway(self, rule: Rule, tracked: Tracked, t: int) -> bool:
        """Whether it is sure also if what else may explain it is made up for."""
        evidence = tracked.evidence
        automatic = machines(self.state, tracked)
        if len(tracked.recent) - automatic < least_sessions(rule, tracked.key):
            return False
        share = sober_share(self._counting, tracked, t)
        if not automatic and share <= self._counting.share(tracked, t):
            return True
        concerned, trials = evidence.concerned_since - automatic, tracked.base_seen - evidence.base_since
        return evidence_of(share, concerned, trials) >= self._needed(rule, t)

    def _needed(self, rule: Rule, t: int) -> float:
        """Return how sure a spike has to be: the more sessions, the more often chance looks like one."""
        days = max((t - self.state.first_t) / DAY_MS, 1.0)
        daily = self._counting.base(AlertKey("", "project")).total / days
        return rule.evidence + min(max(math.log(max(daily, 1.0) / USUAL_DAILY), LEAST_MORE), MOST_MORE)

    def _is_above(self, rule: Rule, tracked: Tracked, t: int) -> bool:
        since = t - rule.window_ms
        sessions = tracked.sessions.since(since)
        if sessions < rule.min_sessions:
            return False
        match rule.kind:
            case "signals":
                return tracked.signals.since(since) > rule.threshold
            case "sessions":
                return sessions > rule.threshold
            case _:
                return sessions > rule.threshold * max(self._counting.base(tracked.key).lately.since(since), sessions)

    def _lasts(self, rule: Rule, tracked: Tracked, t: int) -> bool:
        """Whether it has been so for long enough; a silence longer than the window begins it anew."""
        if not rule.for_ms and rule.kind not in THRESHOLDS:
            return True
        since = tracked.held_since.get(rule.name)
        if since is None or t - tracked.held_since.get(_last(rule), 0) > rule.window_ms:
            since = tracked.held_since[rule.name] = t
        tracked.held_since[_last(rule)] = t
        return t - since >= rule.for_ms

    def _excess(self, tracked: Tracked, t: int) -> float:
        trials = self._counting.base(tracked.key).total - tracked.evidence.base_since
        return tracked.evidence.concerned_since - self._counting.share(tracked, t) * max(trials, 0)

    def _numbers(self, rule: Rule, tracked: Tracked, t: int) -> AlertNumbers:
        window_ms = max(t - tracked.evidence.since, MINUTE_MS) if rule.kind == "spike" else rule.window_ms
        base = self._counting.base(tracked.key)
        if rule.kind == "spike":
            sessions, base_sessions = len(tracked.recent), base.total - tracked.evidence.base_since + 1
        else:
            sessions, base_sessions = tracked.sessions.since(t - window_ms), base.lately.since(t - window_ms)
        return AlertNumbers(
            sessions=sessions,
            base_sessions=max(base_sessions, sessions),
            signals=tracked.signals.since(t - window_ms),
            window_ms=window_ms,
            rate=sessions / max(base_sessions, sessions, 1),
            baseline_rate=self._counting.share(tracked, t),
        )

    def _is_over(self, incident: Incident, t: int) -> bool:
        if incident.alert.key.detector == "":
            return t - incident.last_t > 10 * MINUTE_MS
        rule = self._rules.get(incident.rule)
        if rule is not None and rule.kind in THRESHOLDS:
            return not any(self._is_still_above(rule, name, t) for name in incident.keys)
        if t - incident.last_t >= QUIET_MS or t - incident.opened_at >= LONGEST_MS:
            return True
        return all(self._is_calm(incident, name, t) for name in incident.keys)

    def _is_still_above(self, rule: Rule, name: str, t: int) -> bool:
        """Whether a key is above the threshold of a rule, or was until a moment ago."""
        tracked = self.state.tracked.get(name)
        if tracked is None:
            return False
        return t - tracked.held_since.get(_last(rule), 0) < LULL_MS or self._is_above(rule, tracked, t)

    def _is_calm(self, incident: Incident, name: str, t: int) -> bool:
        tracked = self.state.tracked.get(name)
        if tracked is None or not is_about(incident, tracked):
            return True
        self._counting.settle(tracked, self._counting.share(tracked, t))
        return tracked.evidence.against >= CALM or t - tracked.last_t >= QUIET_MS

    # -- sessions ------------------------------------------------------------------------------------------------

    def _judge_score(self, visit: Visit, moment: Moment, t: int) -> None:
        for rule in self._scored:
            points = 0.0 if rule.name in visit.done else score(visit.counts)[0]
            if points and points >= rule.threshold:
                visit.done.append(rule.name)
                numbers = AlertNumbers(1, 1, sum(visit.counts.values()), 0, points, 0.0)
                self._fired.append(alert_of_one(self._project_id, rule, moment, numbers, t))

    # -- the project ---------------------------------------------------------------------------------------------

    def _note_error(self, signal: Signal, t: int) -> None:
        fingerprint = error_of(signal)
        known = (
            self.state.tracked.get(name_of(AlertKey(signal.detector, "error", fingerprint))) if fingerprint else None
        )
        is_back = known is not None and self._counting.is_back(known, t)
        if fingerprint and (is_back or fingerprint not in self.state.errors):
            self.state.errors[fingerprint] = t
            if len(self.state.errors) > MAX_ERRORS:
                del self.state.errors[next(iter(self.state.errors))]

    def _judge_traffic(self, t: int) -> None:
        traffic = self.state.traffic
        for rule in self._absence:
            key = AlertKey("", "project", rule.name)
            incident = next((each for each in self.state.incidents.values() if each.rule == rule.name), None)
            if traffic.evidence >= rule.evidence:
                if incident is not None and incident.is_open:
                    self._incidents.goes_on(incident, t)
                elif incident is None and t - self.state.first_t >= rule.warm_up_ms:
                    lately = traffic.lately.since(t - HOUR_MS)
                    numbers = AlertNumbers(lately, 0, 0, HOUR_MS, float(lately), usual(traffic, t))
                    self._incidents.open(rule, [], Tracked(key), numbers, t)


def _last(rule: Rule) -> str:
    """Name when the condition of a rule held last, beside since when it does."""
    return f"{rule.name} last"


def _moment(signal: Signal) -> Moment:
    target = signal.target
    text = (target.text or target.selector) if target is not None else ""
    return Moment(signal.session_id, signal.t, signal.window_id, signal.detector, signal.page, text[:_MAX_TEXT])
