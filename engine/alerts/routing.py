"""Which messages an alert makes: one for each route it goes on, held back by silences. Pure: time is an argument."""

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from engine.alerts.routes import Route, Silence
from engine.alerts.rules import RulesFile
from engine.settings._units import DAY_MS
from schemas.alerts import Alert, AlertKey, Moment

State = Literal["firing", "resolved"]

MAX_HELD_MS: Final = 7 * DAY_MS
"""What would be held back for longer is no news any more."""

SENT_KEPT_MS: Final = 7 * DAY_MS
"""So long it is remembered what was sent."""

KNOWN_MS: Final = SENT_KEPT_MS - DAY_MS
"""Of an alert that fired no longer ago it is known on which routes that was told."""

_MAX_GROUPED: Final = 20
_MAX_TEXT: Final = 500
_MAX_TITLE: Final = 300


class Message(msgspec.Struct, frozen=True):
    """One message: what a route is to be told of an alert, and not before when (epoch ms).

    `id` is the same for the same alert, state and route, however often it is made. `after` is the id of the message
    that has to arrive first: that it fires, before that it is over.
    """

    id: str
    route: str
    state: State
    alert: Alert
    due_ms: int
    after: str = ""


def message_id(alert_id: str, route: str, state: State) -> str:
    """Name a message; ids have no dots, as the signature parts its text by them."""
    text = f"{alert_id}\0{route}\0{state}".encode("utf-8", "surrogatepass")
    return f"msg_{hashlib.blake2b(text, digest_size=16).hexdigest()}"


def messages(alert: Alert, file: RulesFile, now_ms: int) -> list[Message]:
    """Make the messages of an alert that has just fired or ended; `now_ms` is the wall clock (epoch ms).

    While a silence fits, what fires is due at its end: if it is over by then, nobody is told. That something is over
    is never held back.
    """
    routes = [route for route in file.routes if route.takes(alert) and _is_named(alert, route, file)]
    alert = _bounded(alert)
    if alert.resolved_at is not None:
        # Rules may have changed meanwhile: who was told that it fires is told, who was not is left out by the outbox.
        told = file.routes if now_ms - alert.fired_at < KNOWN_MS else routes
        return [_message(alert, route, "resolved", now_ms) for route in told if route.send_resolved]
    due_ms = _end_of_silence(alert, file.silences, now_ms)
    if due_ms - now_ms > MAX_HELD_MS:
        return []
    return [_message(alert, route, "firing", due_ms) for route in routes]


def _is_named(alert: Alert, route: Route, file: RulesFile) -> bool:
    rule = next((rule for rule in file.rules if rule.name == alert.rule), None)
    return rule is None or not rule.routes or route.name in rule.routes


def _message(alert: Alert, route: Route, state: State, due_ms: int) -> Message:
    after = message_id(alert.id, route.name, "firing") if state == "resolved" else ""
    return Message(message_id(alert.id, route.name, state), route.name, state, alert, due_ms, after)


def _end_of_silence(alert: Alert, silences: Sequence[Silence], now_ms: int) -> int:
    """Return when no silence that fits holds any more."""
    fitting = sorted((silence for silence in silences if silence.fits(alert)), key=lambda silence: silence.until_ms)
    due_ms = now_ms
    # By their ends: one that begins inside another ends after it, or changes nothing.
    for silence in fitting:
        if silence.holds(due_ms):
            due_ms = silence.until_ms
    return due_ms


def _bounded(alert: Alert) -> Alert:
    return msgspec.structs.replace(
        alert,
        title=alert.title[:_MAX_TITLE],
        key=_bounded_key(alert.key),
        grouped=[_bounded_key(key) for key in alert.grouped[:_MAX_GROUPED]],
        moments=[_bounded_moment(moment) for moment in alert.moments[:3]],
    )


def _bounded_key(key: AlertKey) -> AlertKey:
    return AlertKey(key.detector[:_MAX_TEXT], key.dimension, key.value[:_MAX_TEXT])


def _bounded_moment(moment: Moment) -> Moment:
    return msgspec.structs.replace(moment, page=moment.page[:_MAX_TEXT], text=moment.text[:_MAX_TEXT])
