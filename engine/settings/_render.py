"""The settings in force, as a TOML file that says where each value was set."""

from collections.abc import Iterator
from itertools import groupby

import msgspec

from engine.settings._kinds import Kind, leaves, value_at
from engine.settings._load import ResolvedSettings
from engine.settings._problems import hide_secrets
from engine.settings._reader import SETTINGS
from engine.settings._toml import write_key


class _Line(msgspec.Struct, frozen=True):
    table: tuple[str, ...]
    text: str


def render(resolved: ResolvedSettings) -> str:
    """Write settings as TOML: all common ones, and what projects have of their own.

    A secret, or a password in a URL, is replaced, so the text of settings with one cannot be used as they are.
    """
    tables = groupby([*_common(resolved), *_of_projects(resolved)], key=lambda line: line.table)
    return "\n".join(
        f"[{write_key(*table)}]\n" + "".join(f"{line.text}\n" for line in lines) for table, lines in tables
    )


def _common(resolved: ResolvedSettings) -> Iterator[_Line]:
    tree = msgspec.to_builtins(resolved.settings)
    for path, kind in leaves(SETTINGS):
        if path != ("projects",):
            yield _line(path, kind, value_at(tree, path), resolved.sources.get(path, "default"))


def _of_projects(resolved: ResolvedSettings) -> Iterator[_Line]:
    for name, project in resolved.settings.projects.items():
        tree = msgspec.to_builtins(project)
        for path, kind in leaves(SETTINGS):
            full_path = ("projects", name, *path)
            if full_path in resolved.sources:
                yield _line(full_path, kind, value_at(tree, path), resolved.sources[full_path])


def _line(path: tuple[str, ...], kind: Kind, value: object, source: str) -> _Line:
    shown = hide_secrets(path[-1], value) if isinstance(value, str) else value
    return _Line(path[:-1], f"{write_key(path[-1])} = {kind.write(shown)}  # {source}")
