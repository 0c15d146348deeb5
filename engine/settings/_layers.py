"""The two sources of settings, each as a tree of sections: a TOML file, and `WINCE_*` variables.

The name of a variable is `WINCE_`, the section, `_` and the key, in capitals: `WINCE_SESSION_IDLE_TIMEOUT`. A key in a
table inside a section has two underscores before the table and before the key: `WINCE_DETECTORS__RAGE_CLICK__COUNT`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Final

import msgspec

from engine.settings._kinds import leaves
from engine.settings._reader import SETTINGS, Path, Reader, did_you_mean

_PREFIX: Final = "WINCE_"

# Not ours: switches of the build and the test suite, and what Kubernetes and container links set in every container
# for a service whose name starts with "wince".
_FOREIGN: Final = re.compile(
    r"WINCE_(COMPILE|TEST_.+|(.+_)?SERVICE_(HOST|PORT(_.+)?)|(.+_)?PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)",
    re.ASCII,
)


class Layer(msgspec.Struct, frozen=True):
    """What one source set, by section and key, with the name by which a person knows the source."""

    source: str
    tree: dict[str, object]


def variable_of(path: tuple[str, ...]) -> str:
    """Name the environment variable of a key."""
    inside_section = 2
    return _PREFIX + ("_" if len(path) <= inside_section else "__").join(path).upper()


_VARIABLES: Final = {variable_of(path): (path, kind) for path, kind in leaves(SETTINGS)}


def read_file(path: FilePath, reader: Reader) -> Layer:
    """Read a TOML file; what makes it unreadable becomes a problem."""
    source = str(path)
    try:
        return Layer(source, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:  # tomllib raises ValueError itself for a number too long
        reader.add_problem("--config", ("file",), source, f"a readable TOML file ({error})")
    return Layer(source, {})


def read_variables(environ: Mapping[str, str], reader: Reader) -> Iterator[Layer]:
    """Make one layer of each variable that sets something; unknown names become problems."""
    for name in sorted(environ):
        if name in _VARIABLES:
            path, kind = _VARIABLES[name]
            yield Layer(name, _nest(path, kind.read_text(environ[name])))
        elif name.startswith(_PREFIX) and not _FOREIGN.fullmatch(name):
            reader.add_problem(
                "environment", (name,), environ[name], f"the name of a setting{did_you_mean(name, _VARIABLES)}"
            )


def _nest(path: Path, value: object) -> dict[str, object]:
    for part in reversed(path):
        value = {str(part): value}
    return dict(value) if isinstance(value, dict) else {}
