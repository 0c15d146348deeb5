"""Reading a file of cohorts: all that is wrong with it at once, or the cohorts."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec.inspect import type_info

from engine.cohorts.condition import read_condition
from engine.cohorts.declaration import NAME_PATTERN, Cohort, CohortsFile
from engine.cohorts.destinations import Webhook
from engine.cohorts.events import Source
from engine.delivery.addresses import read_allow_list
from engine.delivery.names import Refused, read_url
from engine.delivery.webhook import read_secret
from engine.settings import Settings
from engine.settings._documents import read_text, read_tree
from engine.settings._kinds import kind_of
from engine.settings._problems import SettingsError
from engine.settings._reader import Path as KeyPath
from engine.settings._reader import Reader
from engine.settings._units import format_duration
from replay.errors import Poison
from replay.search.filters import SessionFilter

_FILE: Final = kind_of(type_info(CohortsFile))
_T = TypeVar("_T")

_Problem = tuple[KeyPath, object, str]


class Declared(NamedTuple):
    """A cohort, which one it is, and its condition as it is asked for."""

    source: Source
    cohort: Cohort
    wanted: SessionFilter


def read_cohorts(path: Path, settings: Settings) -> dict[str, Declared]:
    """Read a file of cohorts, by their names.

    Raises:
        SettingsError: It can't be read, or anything in it is wrong. It lists all problems.
    """
    return parse_cohorts(read_text(path), str(path), settings)


def parse_cohorts(text: str, source: str, settings: Settings) -> dict[str, Declared]:
    """Read a file's text; `source` names it in problems. Raises SettingsError as `read_cohorts` does."""
    cohorts = msgspec.convert(read_tree(_FILE, text, source), CohortsFile).cohorts
    reader = Reader()
    if not cohorts:
        reader.add_problem(source, ("cohorts",), None, "at least one table [cohorts.NAME]")
    for name, cohort in cohorts.items():
        for path, value, expected in _wrong(name, cohort, settings):
            reader.add_problem(source, ("cohorts", name, *path), value, expected)
    if reader.problems:
        raise SettingsError(reader.problems)
    return {
        name: Declared(Source(cohort.project, name), cohort, read_condition(cohort.condition))
        for name, cohort in cohorts.items()
    }


def _wrong(name: str, cohort: Cohort, settings: Settings) -> Iterator[_Problem]:
    if not re.search(NAME_PATTERN, name):
        yield (), name, "a name of up to 64 of the characters a-z 0-9 _ -"
    try:
        read_condition(cohort.condition)
    except Poison as error:
        yield ("condition",), cohort.condition, f"filters of the list of sessions ({error})"
    store = settings.for_project(cohort.project).store
    kept_ms = min(store.retention_ms, store.max_retention_ms)
    if cohort.window_ms > kept_ms:
        expected = f"at most as long as sessions are kept (store.retention, {format_duration(kept_ms)})"
        yield ("window",), format_duration(cohort.window_ms), expected
    if bool(cohort.url) == bool(cohort.out):
        yield (), name, "either url (a webhook) or out (a file)"
    elif cohort.url:
        yield from _wrong_webhook(cohort)


def _wrong_webhook(cohort: Cohort) -> Iterator[_Problem]:
    if not _is_elsewhere(cohort.url):
        try:
            read_url(cohort.url)
        except Refused as error:
            # What is secret in a URL is not shown.
            yield ("url",), "***", f"the URL of a webhook ({error})"
    for key, where in _places(cohort):
        if where.startswith("env:WINCE_"):
            yield (key,), "***", "a variable whose name does not begin with WINCE_: those are settings"
    if not cohort.secrets:
        yield ("secrets",), [], 'where a secret is, such as ["env:CRM_SECRET"]'
    try:
        read_allow_list(cohort.allow_hosts)
    except ValueError as error:
        yield ("allow_hosts",), str(error), "names of hosts, addresses, networks"


def _places(cohort: Cohort) -> Iterator[tuple[str, str]]:
    yield "url", cohort.url
    yield from (("secrets", where) for where in cohort.secrets)
    yield "authorization", cohort.authorization


def webhook_of(declared: Declared, environ: Mapping[str, str] = os.environ) -> Webhook:
    """Read what a cohort's webhooks are signed with, and where they go.

    Raises:
        SettingsError: A secret is not there, or is none. It lists all of them; what they hold is never shown.
    """
    cohort, opening = declared.cohort, _Opening(declared.source.cohort, environ)
    secrets = [opening.read(("secrets", place), where, read_secret) for place, where in enumerate(cohort.secrets)]
    url = opening.read(("url",), cohort.url, _checked_url) if _is_elsewhere(cohort.url) else cohort.url
    authorization = opening.read(("authorization",), cohort.authorization, _one_line) if cohort.authorization else ""
    if opening.reader.problems:
        raise SettingsError(opening.reader.problems)
    kept = [secret for secret in secrets if secret is not None]
    allow = read_allow_list(cohort.allow_hosts)
    return Webhook(url or "", kept, allow, cohort.batch_users, cohort.batches_per_minute, authorization or "")


def _is_elsewhere(text: str) -> bool:
    return text.startswith(("env:", "file:"))


def _checked_url(text: str) -> str:
    try:
        read_url(text)
    except Refused as error:
        raise ValueError(str(error)) from None
    return text


def _one_line(text: str) -> str:
    if not (text.isprintable() and text.isascii()):
        raise ValueError("one line of plain characters")
    return text


class _Opening:
    """Reads what is in variables and files."""

    def __init__(self, cohort: str, environ: Mapping[str, str]) -> None:
        self.reader = Reader()
        self._cohort = cohort
        self._environ = environ

    def read(self, key: KeyPath, where: str, check: Callable[[str], _T]) -> _T | None:
        """Read a variable or a file; note a problem if it is not there, or of no use."""
        kind, _, name = where.partition(":")
        try:
            text = self._environ[name] if kind == "env" else Path(name).read_text(encoding="utf-8")
            return check(text.strip())
        except (OSError, KeyError, ValueError) as error:
            why = "it is not there" if isinstance(error, OSError | KeyError) else str(error)
            expected = f"what is of use, in {where} ({why})"
            self.reader.add_problem("file of cohorts", ("cohorts", self._cohort, *key), "***", expected)
            return None
