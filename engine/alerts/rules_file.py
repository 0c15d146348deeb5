"""Reading a rules file: all that is wrong with it at once, or the rules."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
from msgspec.inspect import type_info

from engine.alerts.history import MINUTE_MS
from engine.alerts.route_problems import delivery_problems
from engine.alerts.rules import LONGEST_WINDOW_MS, Rule, RulesFile
from engine.settings._documents import read_text, read_tree
from engine.settings._kinds import kind_of
from engine.settings._problems import SettingsError
from engine.settings._reader import Path as KeyPath
from engine.settings._reader import Reader

DEFAULT_RULES: Final = files("engine.alerts") / "default_rules.toml"

LEAST_AHEAD_MS: Final = 5 * MINUTE_MS

_FILE: Final = kind_of(type_info(RulesFile))
_STEPS: Final = (("page", "event"), ("goal_page", "goal_event"))
"""Where `abandoned` begins, and what it waits for: each is a page or an event."""

_COUNTED: Final = frozenset({"share", "sessions", "signals", "score"})


def default_rules() -> RulesFile:
    """Return the rules that are shipped."""
    return parse_rules(DEFAULT_RULES.read_text(encoding="utf-8"), "default_rules.toml")


def read_rules(path: Path) -> RulesFile:
    """Read a rules file.

    Raises:
        SettingsError: It can't be read, or anything in it is wrong. It lists all problems.
    """
    return parse_rules(read_text(path), str(path))


def parse_rules(text: str, source: str) -> RulesFile:
    """Read the text of a rules file; one without rules has the shipped ones.

    `source` names it in problems. Raises SettingsError as `read_rules` does.
    """
    rules = msgspec.convert(read_tree(_FILE, text, source, _times_as_text), RulesFile)
    if not rules.rules:
        rules = msgspec.structs.replace(rules, rules=default_rules().rules)
    reader = Reader()
    for path, value, expected in _contradictions(rules):
        reader.add_problem(source, path, value, expected)
    if reader.problems:
        raise SettingsError(reader.problems)
    return rules


def _times_as_text(tree: dict[str, object]) -> dict[str, object]:
    """TOML has moments of its own; a silence may have them in either way."""
    silences = tree.get("silences")
    if not isinstance(silences, list):
        return tree
    return {**tree, "silences": [_with_texts(each) if isinstance(each, dict) else each for each in silences]}


def _with_texts(silence: dict[str, object]) -> dict[str, object]:
    return {key: str(value) if isinstance(value, date) else value for key, value in silence.items()}


def _contradictions(file: RulesFile) -> Iterator[tuple[KeyPath, object, str]]:
    names = Counter(rule.name for rule in file.rules)
    for place, rule in enumerate(file.rules):
        if names[rule.name] > 1:
            yield ("rules", place, "name"), rule.name, "a name that no other rule has"
        for key, value, expected in _within(rule):
            yield ("rules", place, key), value, expected
    if file.bounds.lateness_ms > file.bounds.session_memory_ms:
        # A session that is forgotten while its signals still count would be counted again.
        yield ("bounds", "lateness"), file.bounds.lateness_ms, "at most session_memory"
    if file.bounds.max_ahead_ms < LEAST_AHEAD_MS:
        yield ("bounds", "max_ahead"), file.bounds.max_ahead_ms, "at least 5 minutes: clocks are never quite the same"
    yield from delivery_problems(file)


def _within(rule: Rule) -> Iterator[tuple[str, object, str]]:
    if rule.window_ms > LONGEST_WINDOW_MS and rule.kind in _COUNTED:
        yield "window", rule.window_ms, "at most 6 hours"
    if rule.kind in _COUNTED and not rule.threshold:
        yield "threshold", rule.threshold, f"a threshold above 0 for a rule of kind {rule.kind}"
    if rule.kind == "share" and rule.threshold >= 1:
        yield "threshold", rule.threshold, "a share of sessions below 1"
    if rule.kind in {"new_error", "regression"} and "error" not in rule.dimensions:
        yield "dimensions", list(rule.dimensions), '["error"]'
    yield from _within_steps(rule)


def _within_steps(rule: Rule) -> Iterator[tuple[str, object, str]]:
    for page_key, event_key in _STEPS:
        page, event = getattr(rule, page_key), getattr(rule, event_key)
        if rule.kind != "abandoned" and (page or event):
            yield page_key if page else event_key, page or event, "nothing: only rules of kind abandoned have one"
        elif page and event:
            yield event_key, event, f"nothing, where there is a {page_key}"
        elif rule.kind == "abandoned" and not (page or event):
            yield page_key, "", f"the address of a page, folded (docs/alerts.md), or an event in {event_key}"
    if rule.kind == "abandoned":
        for key, goal_key in zip(*_STEPS, strict=True):
            if getattr(rule, key) and getattr(rule, key) == getattr(rule, goal_key):
                yield goal_key, getattr(rule, goal_key), f"another than {key}"
