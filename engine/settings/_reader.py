"""Checks what one source set against the declarations, and notes all that is wrong with it."""

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Final, TypeAlias

from msgspec.inspect import DictType, StructType, Type, VarTupleType, type_info

from engine.settings._kinds import Kind, fields_of, kind_of
from engine.settings._problems import SettingsProblem, shown
from engine.settings._sections import Settings
from engine.settings._toml import write_key

Path: TypeAlias = tuple[str | int, ...]
"""Names of tables and keys, and numbers of places in lists."""

SelectorCheck: TypeAlias = Callable[[str], str | None]
"""Takes a CSS selector; returns what is wrong with it, or nothing."""

SETTINGS: Final = kind_of(type_info(Settings))


class Reader:
    """Reads one source after another; collects their problems and which source set which key last."""

    def __init__(self, validate_selectors: SelectorCheck | None = None) -> None:
        self.problems: list[SettingsProblem] = []
        self.sources: dict[Path, str] = {}
        self._validate_selectors = validate_selectors
        self._source = ""

    def read(self, source: str, tree: Mapping[str, object]) -> dict[str, object]:
        """Return what is right in a tree of sections, with durations in milliseconds and sizes in bytes."""
        return self.read_as(SETTINGS, source, tree)

    def read_as(self, kind: Kind, source: str, tree: Mapping[str, object]) -> dict[str, object]:
        """Return what is right in a tree of another kind than the settings."""
        self._source = source
        read = self._value(kind, dict(tree), ())
        return read if isinstance(read, dict) else {}

    def add_problem(self, source: str, path: Path, value: object, expected: str) -> None:
        """Note that a value is wrong."""
        key = write_key(*path)
        self.problems.append(
            SettingsProblem(key=key, value=shown(value, key=key), expected=expected, source=source),
        )

    def _value(self, kind: Kind, value: object, path: Path) -> object | None:
        """Read a value of any kind; `None`, which no source can hold, stands for a value that is of no use."""
        match kind.type, value:
            case StructType() as declared, dict():
                return self._table(declared, value, path)
            case DictType(value_type=declared), dict():
                if not isinstance(kind_of(declared).type, StructType):
                    self._note_source(path)
                read = {name: self._value(kind_of(declared), item, (*path, name)) for name, item in value.items()}
                return {name: item for name, item in read.items() if item is not None}
            case VarTupleType(item_type=declared), list():
                self._note_source(path)
                return self._list(declared, value, path)
            case _:
                self._note_source(path)
                return self._single(kind, value, path)

    def _table(self, declared: StructType, values: Mapping[str, object], path: Path) -> dict[str, object]:
        fields = fields_of(declared)
        read: dict[str, object] = {}
        for key, value in values.items():
            if key not in fields:
                self.add_problem(self._source, (*path, key), value, expected_keys(key, fields, path))
            elif (item := self._value(kind_of(fields[key].type), value, (*path, key))) is not None:
                read[key] = item
        for key, field in fields.items():
            if field.required and key not in values:
                self.add_problem(self._source, (*path, key), None, kind_of(field.type).expected)
        return read

    def _list(self, declared: Type, values: list[object], path: Path) -> list[object]:
        read = (self._value(kind_of(declared), value, (*path, place)) for place, value in enumerate(values))
        return [item for item in read if item is not None]

    def _single(self, kind: Kind, value: object, path: Path) -> object | None:
        try:
            read = kind.read(value)
        except ValueError:
            self.add_problem(self._source, path, value, kind.expected)
            return None
        if kind.extra.get("selector"):
            self._check_selector(str(read), path)
        return read

    def _check_selector(self, selector: str, path: Path) -> None:
        wrong = self._validate_selectors(selector) if self._validate_selectors else None
        if wrong:
            self.add_problem(self._source, path, selector, f"a CSS selector ({wrong})")

    def _note_source(self, path: Path) -> None:
        # A list is set as a whole, so its items have no source of their own.
        if not any(isinstance(part, int) for part in path):
            self.sources[path] = self._source


def expected_keys(key: str, known: Collection[str], path: Path) -> str:
    """Say which keys there are, and which one was probably meant."""
    return f"one of the keys {', '.join(known)}{did_you_mean(key, known, path)}"


def did_you_mean(name: str, known: Collection[str], path: Path = ()) -> str:
    """Guess which known name was meant, as the end of a sentence; say nothing where none is close."""
    meant = get_close_matches(name, known, n=1)
    return f"; did you mean {write_key(*path, *meant)}?" if meant else ""
