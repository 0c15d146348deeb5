"""Reading files beside the settings, each a TOML document of a kind of its own, with the same care and words."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from engine.settings._kinds import Kind
from engine.settings._problems import SettingsError
from engine.settings._reader import Reader

Tree = dict[str, object]


def read_text(path: Path) -> str:
    """Read a file. Raises SettingsError if it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _unreadable(str(path), error)


def read_tree(kind: Kind, text: str, source: str, prepare: Callable[[Tree], Tree] = lambda tree: tree) -> Tree:
    """Read the text of a document, made ready by `prepare`; `source` names it in problems.

    Raises:
        SettingsError: It is no TOML, or a key or value is wrong. It lists all problems.
    """
    reader = Reader()
    try:
        tree = reader.read_as(kind, source, prepare(tomllib.loads(text)))
    except (ValueError, RecursionError) as error:  # tomllib raises ValueError itself for a number too long
        _unreadable(source, error)
    if reader.problems:
        raise SettingsError(reader.problems)
    return tree


def _unreadable(source: str, error: Exception) -> NoReturn:
    reader = Reader()
    reader.add_problem(source, ("file",), source, f"a readable TOML file ({error})")
    raise SettingsError(reader.problems) from None
