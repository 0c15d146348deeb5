"""Vendors' options as cases write them, fitted to our settings: the same names, tables where vendors take either."""

import math
from collections.abc import Mapping
from typing import Final, cast

import msgspec
from msgspec.inspect import Field, IntType, LiteralType, Metadata, StructType, Type, VarTupleType, type_info

from detectors.registry import make_detectors
from detectors.settings import DetectorSettings
from engine.conformance.cases import DEFINITION, Case

WRAPPERS: Final = frozenset(
    {
        "frustrationinteractions", "frustrationsignals", "instrumentations", "interactions", "rageclicksettings",
        "integrations", "replay", "replayintegration", "options", "config", "autocapture", "rageclick",
    }
)  # fmt: skip
"""Objects around options that have no table here: what is in them is taken for the option itself."""

ALIASES: Final = {
    "highlight": {
        "window": "rage_click_window_seconds", "windowseconds": "rage_click_window_seconds",
        "radius": "rage_click_radius_pixels", "radiuspixels": "rage_click_radius_pixels", "count": "rage_click_count",
    },
}  # fmt: skip
"""Names that a vendor's code and its settings have for the same option."""


DEFAULTED: Final = {
    "posthog": frozenset({"rageclick"}),
    "mixpanel": frozenset({"rageclick"}),
    "splunk": frozenset({"rageclick", "deadclick", "errorclick"}),
}
"""Tables in which a vendor takes its default for a number that is not above zero."""


TABLES: Final = {field.name: field for field in cast("StructType", type_info(DetectorSettings)).fields}
"""What is declared of each vendor's options."""


class OptionError(ValueError):
    """A case names no preset, or an option of it has a value that it cannot have."""


class Fitted(msgspec.Struct, frozen=True):
    """The settings under which a case is judged, and the options that were left out because nobody knows them."""

    settings: DetectorSettings
    left_out: list[str]


def fit_options(case: Case) -> Fitted:
    """Give the settings under which a case is judged.

    A vendor's faults are reproduced unless the case is about the definition; its option `strict_quirks` decides.
    Raises OptionError if there is no such preset, or an option cannot have its value.
    """
    left_out: list[str] = []
    options = dict(case.options or {})
    strict = options.pop("strict_quirks", case.fidelity != DEFINITION)
    if case.vendor not in TABLES or case.vendor == "wince":
        raise OptionError(f"there is no preset named {case.vendor!r}")
    table = _Fitter(case.vendor, left_out).table(options, TABLES[case.vendor].type, case.vendor)
    tree = {"preset": case.vendor, "strict_quirks": strict, case.vendor: table}
    try:
        settings = msgspec.convert(tree, DetectorSettings)
        make_detectors(settings, lambda _finding: None)  # selectors are looked at when they are needed
        return Fitted(settings, left_out)
    except ValueError as error:
        raise OptionError(str(error)) from error


def _fields(declared: Type) -> tuple[Field, ...]:
    plain = declared.type if isinstance(declared, Metadata) else declared
    return plain.fields if isinstance(plain, StructType) else ()


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


class _Fitter:
    """Fits one vendor's options; those that nothing here has a place for are noted."""

    def __init__(self, vendor: str, left_out: list[str]) -> None:
        self._aliases = ALIASES.get(vendor, {})
        self._defaulted = DEFAULTED.get(vendor, frozenset())
        self._left_out = left_out

    def table(self, given: Mapping[str, object], declared: Type, path: str) -> dict[str, object]:
        fields = {_plain(field.encode_name): field for field in _fields(declared)}
        fitted: dict[str, object] = {}
        for name, value in given.items():
            plain = _plain(self._aliases.get(_plain(name), name)).removeprefix("experimental")
            field = fields.get(plain) or fields.get(f"experimental{plain}")
            if field is not None and isinstance(value, int | float) and self._is_default(value, path):
                continue
            if field is not None:
                fitted.update(self._value(field, value, f"{path}.{name}"))
            elif plain in WRAPPERS and isinstance(value, dict):
                fitted.update(self.table(value, declared, path))
            elif (inner := _only_table_with(plain, fields)) is not None:
                fitted.setdefault(inner, {})
                table = fitted[inner]
                if isinstance(table, dict):
                    table.update(self.table({name: value}, fields[_plain(inner)].type, path))
            else:
                self._left_out.append(f"{path}.{name}")
        return fitted

    def _is_default(self, value: float, path: str) -> bool:
        """Tell whether a number stands for the vendor's own (a flag is none)."""
        return not isinstance(value, bool) and value <= 0 and _plain(path.rpartition(".")[2]) in self._defaulted

    def _value(self, field: Field, value: object, path: str) -> dict[str, object]:
        declared = field.type.type if isinstance(field.type, Metadata) else field.type
        name = field.encode_name
        if isinstance(declared, StructType):
            return {name: self._struct(value, declared, path)}
        if isinstance(declared, LiteralType) and "on" in declared.values:
            return _choice(name, value)
        if isinstance(declared, VarTupleType) and isinstance(value, str):
            return {name: [value]}
        if isinstance(declared, IntType) and isinstance(value, float):
            return {name: math.floor(value)}
        return {name: value}

    def _struct(self, value: object, declared: StructType, path: str) -> dict[str, object]:
        """Fit what is a flag or an object with vendors: an object turns a feature on."""
        if value is None or isinstance(value, bool):
            table: dict[str, object] = {}
        elif isinstance(value, dict):
            table = self.table(value, declared, path)
        else:
            raise OptionError(f"{path} is {value!r}, expected an object, true or false")
        is_on = value is not None and value is not False
        for field in declared.fields:
            plain = field.type.type if isinstance(field.type, Metadata) else field.type
            if field.encode_name == "enabled":
                table.setdefault("enabled", is_on)
            elif is_on and isinstance(plain, LiteralType) and "off" in plain.values:
                # What is not said in an object, or with a mere `true`, is off, whatever the defaults of the day are.
                table.setdefault(field.encode_name, "off")
        return table


def _only_table_with(option: str, fields: Mapping[str, Field]) -> str | None:
    """Name the one inner table that has an option which a case writes without its table."""
    inner = [field.encode_name for field in fields.values() if option in map(_plain, _names(field.type))]
    return inner[0] if len(inner) == 1 else None


def _names(declared: Type) -> list[str]:
    return [field.encode_name for field in _fields(declared)]


def _choice(name: str, value: object) -> dict[str, object]:
    if isinstance(value, list) and value:
        return {name: "on", "content_words": value}
    return {name: "on" if value else "off"}
