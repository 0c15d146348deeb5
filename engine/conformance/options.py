"""Vendors' options as cases write them, fitted to our settings: the same names, tables where vendors take either."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.inspect import Field, LiteralType, Metadata, StructType, Type, VarTupleType, type_info

from detectors.settings import DetectorSettings
from engine.conformance.cases import Case

WRAPPERS: Final = frozenset(
    {
        "frustrationinteractions", "frustrationsignals", "instrumentations", "interactions", "rageclicksettings",
        "integrations", "replay", "options", "config",
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

DEFINITION: Final = "definition"


class OptionError(ValueError):
    """A case has an option that this vendor's preset does not know, or a value that it cannot have."""


def settings_of(case: Case) -> DetectorSettings:
    """Give the settings under which a case is judged.

    A vendor's faults are reproduced unless the case is about the definition; its option `strict_quirks` decides.
    Raises OptionError if there is no such preset or option.
    """
    options = dict(case.options)
    strict = options.pop("strict_quirks", case.fidelity != DEFINITION)
    tables = {field.name: field for field in _fields(type_info(DetectorSettings))}
    if case.vendor not in tables or case.vendor == "wince":
        raise OptionError(f"there is no preset named {case.vendor!r}")
    table = _fit_table(case.vendor, options, tables[case.vendor].type, case.vendor)
    tree = {"preset": case.vendor, "strict_quirks": strict, case.vendor: table}
    try:
        return msgspec.convert(tree, DetectorSettings)
    except msgspec.ValidationError as error:
        raise OptionError(str(error)) from error


def _fields(declared: Type) -> tuple[Field, ...]:
    plain = declared.type if isinstance(declared, Metadata) else declared
    return plain.fields if isinstance(plain, StructType) else ()


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _fit_table(vendor: str, given: Mapping[str, object], declared: Type, path: str) -> dict[str, object]:
    fields = {_plain(field.encode_name): field for field in _fields(declared)}
    fitted: dict[str, object] = {}
    for name, value in given.items():
        plain = _plain(name)
        plain = _plain(ALIASES.get(vendor, {}).get(plain, plain))
        if plain not in fields and plain.removeprefix("experimental") in fields:
            plain = plain.removeprefix("experimental")
        if plain in fields:
            fitted.update(_fit(vendor, fields[plain], value, f"{path}.{name}"))
        elif plain in WRAPPERS and isinstance(value, dict):
            fitted.update(_fit_table(vendor, value, declared, path))
        elif plain == "autocapture" and isinstance(value, dict | bool):
            fitted.update(_fit_table(vendor, value, declared, path) if isinstance(value, dict) else {})
        else:
            raise OptionError(f"{path} has no option {name!r}")
    return fitted


def _fit(vendor: str, field: Field, value: object, path: str) -> dict[str, object]:
    declared = field.type.type if isinstance(field.type, Metadata) else field.type
    name = field.encode_name
    if isinstance(declared, StructType):
        return {name: _fit_struct(vendor, value, declared, path)}
    if isinstance(declared, LiteralType) and "on" in declared.values:
        return _fit_choice(name, value)
    if isinstance(declared, VarTupleType) and isinstance(value, str):
        return {name: [value]}
    return {name: value}


def _fit_struct(vendor: str, value: object, declared: StructType, path: str) -> dict[str, object]:
    """Fit what is a flag or an object with vendors: an object turns a feature on."""
    if value is None or isinstance(value, bool):
        table: dict[str, object] = {"enabled": bool(value)}
        choices = value
    elif isinstance(value, dict):
        table = {"enabled": True, **_fit_table(vendor, value, declared, path)}
        choices = True
    else:
        raise OptionError(f"{path} is {value!r}, expected an object, true or false")
    known = {field.encode_name: field for field in declared.fields}
    if "enabled" not in known:
        table.pop("enabled")
    if choices:  # what is not said in an object, or with a mere `true`, is off, whatever the defaults of the day are
        for name, field in known.items():
            plain = field.type.type if isinstance(field.type, Metadata) else field.type
            if isinstance(plain, LiteralType) and "off" in plain.values:
                table.setdefault(name, "off")
    return table


def _fit_choice(name: str, value: object) -> dict[str, object]:
    if isinstance(value, list):
        return {name: "on", "content_words": value}
    return {name: "on" if value else "off"}
