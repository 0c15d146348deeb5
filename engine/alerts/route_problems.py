"""What can be wrong with routes and silences beyond the kinds of their values."""

from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import TypeAlias

from engine.alerts.routes import (
    LONGEST_ATTEMPTS_MS,
    LONGEST_TIMEOUT_MS,
    MAX_ROUTES,
    MAX_SECRETS,
    MAX_SILENCES,
    Route,
    Silence,
    read_time_ms,
)
from engine.alerts.rules import RulesFile
from engine.delivery.addresses import read_allow_list, refusal
from engine.delivery.names import Refused, read_url
from engine.settings._reader import Path

Found: TypeAlias = Iterator[tuple[Path, object, str]]

SECRET_SOURCES = ("env:", "file:")
OUR_VARIABLES = "env:WINCE_"
"""Every command refuses variables with such names that are no settings."""


def delivery_problems(file: RulesFile) -> Found:
    """Tell what is wrong: where, what value, what was expected instead."""
    rules = {rule.name for rule in file.rules}
    yield from _of_rules(file)
    names = Counter(route.name for route in file.routes)
    for place, route in enumerate(file.routes):
        if names[route.name] > 1:
            yield ("routes", place, "name"), route.name, "a name that no other route has"
        for key, value, expected in (*_of_route(route), *_of_names(route.rules, rules)):
            yield ("routes", place, key), value, expected
    for place, silence in enumerate(file.silences):
        for key, value, expected in (*_of_silence(silence), *_of_names(silence.rules, rules)):
            yield ("silences", place, key), value, expected
    for key, many, most in (("routes", len(file.routes), MAX_ROUTES), ("silences", len(file.silences), MAX_SILENCES)):
        if many > most:
            yield (key,), many, f"at most {most}"


def _of_rules(file: RulesFile) -> Found:
    routes = {route.name for route in file.routes}
    for place, rule in enumerate(file.rules):
        for name in rule.routes:
            if name not in routes:
                yield ("rules", place, "routes"), name, "names of routes of this file"


def _of_names(named: tuple[str, ...], known: set[str]) -> Iterator[tuple[str, object, str]]:
    for name in named:
        if name not in known:
            yield "rules", name, "names of rules of this file"


def _of_route(route: Route) -> Iterator[tuple[str, object, str]]:
    yield from _of_address(route)
    if route.kind == "webhook" and not route.secrets:
        yield "secrets", None, 'where the secret is that signs messages, such as ["env:ALERTS_SECRET"]'
    if route.kind in {"slack", "alertmanager_api"} and route.secrets:
        yield "secrets", list(route.secrets), f"nothing: routes of kind {route.kind} are not signed"
    for key, where in (
        ("url", route.url),
        *(("secrets", each) for each in route.secrets),
        ("authorization", route.authorization),
    ):
        if where.startswith(OUR_VARIABLES):
            yield key, "***", "a variable whose name does not begin with WINCE_: those are settings"
    if len(route.secrets) > MAX_SECRETS:
        yield "secrets", None, f"at most {MAX_SECRETS}"
    if route.timeout_ms > LONGEST_TIMEOUT_MS:
        yield "timeout", route.timeout_ms, "at most a minute"
    if route.give_up_after_ms > LONGEST_ATTEMPTS_MS:
        yield "give_up_after", route.give_up_after_ms, "at most 5 days"


def _of_address(route: Route) -> Iterator[tuple[str, object, str]]:
    for entry in route.allow_hosts:
        if _fails(read_allow_list, [entry]):
            yield "allow_hosts", entry, "a name, an address or a network, such as 10.0.0.0/8"
    if not route.url.startswith(SECRET_SOURCES):
        yield from _of_url(route.url, route)


def _of_url(url: str, route: Route) -> Iterator[tuple[str, object, str]]:
    wrong = url_problem(url, route)
    if wrong is not None:
        # The path may be a secret, as with Slack.
        yield "url", "***", wrong


def url_problem(url: str, route: Route) -> str | None:
    """Say what was expected of a route's URL instead; nothing if it can be used."""
    try:
        destination = read_url(url)
    except Refused as why:
        return f"the URL of a receiver ({why})"
    if destination.url.scheme == "http" and not route.allow_hosts:
        return "https://, or hosts of one's own in allow_hosts"
    closed = _closed(destination.host, route)
    return None if closed is None else f"a public address, or one that allow_hosts opens ({closed})"


def _closed(host: str, route: Route) -> str | None:
    """Say why an address may not be spoken to; of a name that is known when it is looked up."""
    try:
        ip_address(host)
        allow = read_allow_list(route.allow_hosts)
    except ValueError:
        return None
    return refusal(host, host, allow)


def _of_silence(silence: Silence) -> Iterator[tuple[str, object, str]]:
    wrong = [
        (key, text) for key, text in (("from", silence.from_time), ("until", silence.until)) if _fails(_time_ms, text)
    ]
    for key, text in wrong:
        yield key, text, "a moment with its time zone, such as 2026-12-24T18:00:00Z"
    if not wrong and silence.from_time and read_time_ms(silence.from_time) >= silence.until_ms:
        yield "until", silence.until, "a moment after from"


def _time_ms(text: str) -> int:
    return read_time_ms(text) if text else 0


def _fails(read: Callable[..., object], value: object) -> bool:
    try:
        read(value)
    except (ValueError, OverflowError):
        return True
    return False
