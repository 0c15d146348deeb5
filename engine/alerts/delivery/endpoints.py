"""Routes with all that is needed to send on them: URL and secrets, read from where the rules file says they are."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from engine.alerts.route_problems import url_problem
from engine.alerts.routes import Route
from engine.alerts.rules import RulesFile
from engine.delivery.addresses import AllowList, read_allow_list
from engine.delivery.webhook import read_secret
from engine.settings._problems import SettingsError
from engine.settings._reader import Reader

_MAX_SECRET_BYTES: Final = 8_192


class Endpoint(msgspec.Struct, frozen=True):
    """A route that can be sent on."""

    route: Route
    url: str
    secrets: tuple[bytes, ...]
    authorization: str
    allow: AllowList

    @property
    def url_hash(self) -> str:
        """Know the URL again, without keeping what may be a secret."""
        return hashlib.sha256(self.url.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def __repr__(self) -> str:
        """Show nothing: this may end up in a log."""
        return "Endpoint(...)"


def open_routes(file: RulesFile, environ: Mapping[str, str], source: str) -> dict[str, Endpoint]:
    """Read what the routes of a rules file need, by name; `source` names the file in problems.

    Raises:
        SettingsError: A variable or file is not there, or what it holds is of no use. It lists all of them, and what
            they hold is never shown.
    """
    reader = Reader()
    endpoints = {}
    for place, route in enumerate(file.routes):
        opened = _Opening(reader, source, place, environ)
        endpoint = opened.endpoint(route)
        if endpoint is not None:
            endpoints[route.name] = endpoint
    if reader.problems:
        raise SettingsError(reader.problems)
    return endpoints


class _Opening:
    def __init__(self, reader: Reader, source: str, place: int, environ: Mapping[str, str]) -> None:
        self._reader = reader
        self._source = source
        self._place = place
        self._environ = environ

    def endpoint(self, route: Route) -> Endpoint | None:
        url = route.url
        if url.startswith(("env:", "file:")):
            found = self._found("url", url)
            wrong = url_problem(found, route) if found else None
            if wrong is not None:
                self._wrong("url", url, f"there {wrong}")
            url = found or ""
        secrets = [self._secret(where) for where in route.secrets]
        authorization = self._found("authorization", route.authorization) if route.authorization else ""
        if authorization and not (authorization.isprintable() and authorization.isascii()):
            self._wrong("authorization", route.authorization, "there one line of plain characters")
        if not url or authorization is None or None in secrets:
            return None
        kept = tuple(secret for secret in secrets if secret is not None)
        return Endpoint(route, url, kept, authorization, read_allow_list(route.allow_hosts))

    def _secret(self, where: str) -> bytes | None:
        text = self._found("secrets", where)
        if text is None:
            return None
        try:
            return read_secret(text)
        except ValueError:
            self._wrong("secrets", where, "there whsec_ and 24 to 64 bytes in Base64")
            return None

    def _found(self, key: str, where: str) -> str | None:
        kind, _, name = where.partition(":")
        text = self._environ.get(name) if kind == "env" else _read(name)
        if not text:
            self._wrong(key, where, "a variable that is set" if kind == "env" else "a file that can be read")
            return None
        return text

    def _wrong(self, key: str, where: str, expected: str) -> None:
        # Where it is may be told, of a file only that it is one: settings hide what is called a secret, and so do we.
        self._reader.add_problem(self._source, ("routes", self._place, key), where, f"{expected} ({where})")


def _read(name: str) -> str | None:
    try:
        with Path(name).open("rb") as file:
            return file.read(_MAX_SECRET_BYTES).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError):
        return None
