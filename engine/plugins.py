"""Finds the plugins that settings name among the installed packages: entry points of the group `wince.detectors`.

Nothing is loaded that no setting names: what happens to be installed changes no results.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Final

from detectors.plugins import MakeDetector, Plugin
from detectors.registry import RULES

GROUP: Final = "wince.detectors"


class PluginError(ValueError):
    """A plugin that settings name can't be used; the message says why."""


def load_plugins(wanted: Mapping[str, Mapping[str, str]]) -> tuple[Plugin, ...]:
    """Load the plugins of these names, with their options; each is made once to see that those are right.

    Raises PluginError.
    """
    return tuple(_load(name, options) for name, options in sorted(wanted.items()))


def _load(name: str, options: Mapping[str, str]) -> Plugin:
    if name in RULES:
        raise PluginError(f"{name}: there is a detector of this name already")
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if len(found) != 1:
        count = "no installed package" if not found else f"more than one installed package ({len(found)})"
        raise PluginError(f"{name}: {count} provides it as an entry point of {GROUP}")
    try:
        make: MakeDetector = found[0].load()
        make(options, lambda _finding: None)
    except Exception as error:
        # Somebody else's code may raise anything, and only its words tell the operator what is wrong.
        raise PluginError(f"{name}: {type(error).__name__}: {error}") from error
    return Plugin(name, make, options)
