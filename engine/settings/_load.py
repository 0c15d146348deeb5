"""Puts the sources together: defaults, then the file, then variables; and a project's own over what all have."""

from collections.abc import Collection, Mapping
from pathlib import Path as FilePath
from typing import Final, cast

import msgspec
from msgspec.inspect import StructType, type_info

from engine.settings._contradictions import note_contradictions
from engine.settings._kinds import fields_of, kind_of
from engine.settings._layers import read_file, read_variables
from engine.settings._problems import SettingsError
from engine.settings._reader import Path, Reader, SelectorCheck
from engine.settings._sections import ProjectSettings, Settings

Tree = Mapping[str, object]

_PROJECT_KEYS: Final = {
    section: frozenset(fields_of(declared))
    for section, field in fields_of(cast("StructType", type_info(ProjectSettings))).items()
    if isinstance(declared := kind_of(field.type).type, StructType)
}
"""What a project can have of its own: keys by section."""


class ResolvedSettings(msgspec.Struct, frozen=True):
    """Settings, and for each key that is not at its default the source that set it."""

    settings: Settings
    sources: Mapping[Path, str]


def load_settings(
    path: FilePath | None, environ: Mapping[str, str], *, validate_selectors: SelectorCheck | None = None
) -> Settings:
    """Load the settings of a process.

    Args:
        path: A TOML file, or nothing.
        environ: The environment; its `WINCE_*` variables are stronger than the file.
        validate_selectors: Takes each CSS selector; returns what is wrong with it, or nothing.

    Raises:
        SettingsError: Anything is wrong with any of the sources. It lists all problems.
    """
    return resolve_settings(path, environ, validate_selectors=validate_selectors).settings


def resolve_settings(
    path: FilePath | None, environ: Mapping[str, str], *, validate_selectors: SelectorCheck | None = None
) -> ResolvedSettings:
    """Load the settings of a process as `load_settings` does, and tell where each of them was set."""
    reader = Reader(validate_selectors)
    layers = [read_file(path, reader)] if path else []
    layers += read_variables(environ, reader)
    tree: Tree = {}
    for layer in layers:
        tree = _merge(tree, reader.read(layer.source, layer.tree))
    _raise_any(reader)
    settings = _build(tree)
    note_contradictions(settings, reader)
    _raise_any(reader)
    return ResolvedSettings(settings, reader.sources)


def _raise_any(reader: Reader) -> None:
    if reader.problems:
        raise SettingsError(reader.problems)


def _build(tree: Tree) -> Settings:
    common = {section: _only(values, keys) for section, keys in _PROJECT_KEYS.items() if (values := tree.get(section))}
    own = tree.get("projects", {})
    projects = {name: _merge(common, values) for name, values in own.items()} if isinstance(own, dict) else {}
    return msgspec.convert({**tree, "projects": projects}, Settings)


def _only(values: object, keys: Collection[str]) -> Tree:
    return {key: value for key, value in values.items() if key in keys} if isinstance(values, dict) else {}


def _merge(below: Tree, above: Tree) -> Tree:
    """Lay one tree over another: tables are joined key by key, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
