"""The reference of all settings, made from their declarations."""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.inspect import StructType, VarTupleType

from engine.settings._kinds import Kind, fields_of, kind_of, leaves, value_at
from engine.settings._reader import SETTINGS
from engine.settings._sections import Settings
from engine.settings._toml import write_key

_PREAMBLE: Final = """\
# Settings

<!-- Made by `wince config --reference` from the declarations in engine/settings and detectors/settings.py. -->

Every command that works on sessions takes `--config FILE.toml`. Environment variables are stronger than the file:

- The variable of a key is `WINCE_`, the section, `_` and the key, in capitals: `session.idle_timeout` is
  `WINCE_SESSION_IDLE_TIMEOUT`.
- A key in a table inside a section has two underscores where there is a dot: `detectors.rage_click.count` is
  `WINCE_DETECTORS__RAGE_CLICK__COUNT`.
- Lists and tables are written as in the file: `WINCE_PRIVACY_MASK='[".card", "#iban"]'`. Other values have no quotes.
- Variables of that prefix that are no setting are an error, except `WINCE_COMPILE` and `WINCE_TEST_*` (switches of
  installs and of the test suite) and those that Kubernetes sets for a service whose name starts with `wince`.

A duration is a whole number with a unit (`"1500ms"`, `"10s"`, `"30m"`, `"24h"`, `"30d"`) or a bare number of
milliseconds. A size is a whole number with a unit (`"512B"`, `"64KiB"`, `"50MiB"`, `"1GiB"`) or a bare number of bytes.

A project can have its own privacy, detectors, session, activity and retention settings, under `[projects.ID]`. They are
laid over the common ones, wherever those were set: tables are joined key by key, a list replaces the whole list.

```toml
[privacy]
level = "medium"
mask = [".customer-name"]

[[privacy.rules]]
url = "https://shop.example/help/*"
level = "light"

[projects.checkout.privacy]
level = "conservative"
```

All problems are reported at once, and nothing starts with a wrong setting. `wince config` prints the settings in force
and where each was set; `wince config --check` only checks them.

| key | type | default | meaning |
| --- | --- | --- | --- |
"""


class SettingRow(msgspec.Struct, frozen=True):
    """One line of the reference. `default` is written as in a file; it is empty for a key that must be given."""

    key: str
    type: str
    default: str
    meaning: str


def describe() -> list[SettingRow]:
    """List all settings in the order of their declaration."""
    defaults = msgspec.to_builtins(Settings())
    return [row for path, kind in leaves(SETTINGS) for row in _rows(path, kind, value_at(defaults, path))]


def reference_document() -> str:
    """Write the reference as a page of Markdown: how settings are given, and a table of them all."""
    lines = (f"| `{row.key}` | {row.type} | {_code(row.default)} | {row.meaning} |\n" for row in describe())
    return _PREAMBLE + "".join(lines)


def _rows(path: tuple[str, ...], kind: Kind, default: object) -> Iterator[SettingRow]:
    yield SettingRow(write_key(*path), kind.name, kind.write(default), kind.meaning)
    if isinstance(kind.type, VarTupleType) and isinstance(item := kind_of(kind.type.item_type).type, StructType):
        for name, field in fields_of(item).items():
            inner = kind_of(field.type)
            written = "" if field.required else inner.write(msgspec.to_builtins(field.default))
            yield SettingRow(f"{write_key(*path)}[].{name}", inner.name, written, inner.meaning)


def _code(text: str) -> str:
    return f"`{text}`" if text else "required"
