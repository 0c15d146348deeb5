"""What a value of a setting may be: how it is checked, read from text, written, and named in messages.

Everything here is derived from the declared type, so that a declaration is the only place that knows a setting.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec.inspect import (
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    LiteralType,
    Metadata,
    StrType,
    StructType,
    Type,
    VarTupleType,
)

from engine.settings._toml import read_toml, write_key, write_toml
from engine.settings._units import format_duration, format_size, parse_duration_ms, parse_size_bytes

_PARSE: Final = {"duration": parse_duration_ms, "size": parse_size_bytes}
_FORMAT: Final = {"duration": format_duration, "size": format_size}
_EXPECTED_UNITS: Final = {
    "duration": 'such as "30m" (ms, s, m, h, d) or a whole number of milliseconds',
    "size": 'such as "50MiB" (B, KiB, MiB, GiB) or a whole number of bytes',
}
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


class Kind(msgspec.Struct, frozen=True):
    """A declared type together with what its declaration adds to it."""

    type: Type
    extra: Mapping[str, object] = {}
    meaning: str = ""

    @property
    def unit(self) -> str | None:
        """Return "duration" or "size" for numbers that are written with a unit."""
        unit = self.extra.get("unit")
        return unit if isinstance(unit, str) else None

    @property
    def expected(self) -> str:
        """Say in a message what a value must be."""
        declared = self.extra.get("expected")
        return declared if isinstance(declared, str) else _expected(self)

    @property
    def name(self) -> str:
        """Say in a table what kind of value this is."""
        match self.type:
            case IntType():
                return self.unit or "whole number"
            case LiteralType(values=values):
                return " / ".join(f"`{value}`" for value in values)
            case VarTupleType(item_type=item):
                return "list of tables" if isinstance(kind_of(item).type, StructType) else "list of text"
            case DictType(value_type=item):
                value = kind_of(item)
                return "tables" if isinstance(value.type, StructType) else f"table of {value.name}s"
            case BoolType():
                return "`true` / `false`"
            case _:
                return "number" if isinstance(self.type, FloatType) else "text"

    def read(self, value: object) -> object:
        """Check a single value, turning "30m" into milliseconds and "50MiB" into bytes.

        Raises:
            ValueError: The value is not what is expected.
        """
        if self.unit and isinstance(value, str):
            value = _PARSE[self.unit](value)
        if not _fits(self.type, value):
            raise ValueError(value)
        return value

    def read_text(self, text: str) -> object:
        """Turn the text of a variable into the value that a file would hold; text that does not fit stays text."""
        match self.type:
            case IntType() if _WHOLE_NUMBER.fullmatch(text):
                return int(text)
            case FloatType() if _NUMBER.fullmatch(text):
                return float(text)
            case BoolType() if text in {"true", "false"}:
                return text == "true"
            case VarTupleType() | DictType():
                return read_toml(text)
            case _:
                return text

    def write(self, value: object) -> str:
        """Write a value as TOML, with its unit where it has one."""
        if self.unit and isinstance(value, int):
            return f'"{_FORMAT[self.unit](value)}"'
        if isinstance(self.type, DictType) and isinstance(value, dict) and value:
            item = kind_of(self.type.value_type)
            return f"{{ {', '.join(f'{write_key(key)} = {item.write(each)}' for key, each in value.items())} }}"
        return write_toml(value)


def kind_of(declared: Type) -> Kind:
    """Unpack a declared type."""
    if not isinstance(declared, Metadata):
        return Kind(declared)
    meaning = (declared.extra_json_schema or {}).get("description", "")
    return Kind(declared.type, declared.extra or {}, meaning)


def fields_of(declared: StructType) -> dict[str, Field]:
    """Return the fields of a table by the keys they have in a file."""
    return {field.encode_name: field for field in declared.fields}


def leaves(kind: Kind, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Kind]]:
    """List every key of a table and its inner tables that has a value, in the order of the declarations."""
    if not isinstance(kind.type, StructType):
        yield path, kind
        return
    for key, field in fields_of(kind.type).items():
        yield from leaves(kind_of(field.type), (*path, key))


def value_at(tree: object, path: tuple[str, ...]) -> object:
    """Look a value up in nested tables; `None` where there is none."""
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _fits(declared: Type, value: object) -> bool:
    match declared:
        case BoolType():
            return isinstance(value, bool)
        case IntType(ge=low, le=high):
            # A bool is an int to Python, never to a reader.
            return type(value) is int and (low is None or value >= low) and (high is None or value <= high)
        case FloatType(ge=low, gt=above, le=high):
            return (
                type(value) in (int, float)
                and isinstance(value, int | float)
                and (low is None or value >= low)
                and (above is None or value > above)
                and (high is None or value <= high)
            )
        case StrType(min_length=shortest, pattern=pattern):
            return (
                isinstance(value, str)
                and _is_text(value)
                and len(value) >= (shortest or 0)
                and re.search(pattern or "", value) is not None
            )
        case LiteralType(values=values):
            return isinstance(value, str) and value in values
        case _:
            return False


def _is_text(value: str) -> bool:
    # Bytes that are no UTF-8 reach a variable as lone surrogates, which nothing can store or print.
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expected(kind: Kind) -> str:
    match kind.type:
        case BoolType():
            return "true or false"
        case IntType(ge=low, le=high):
            bounds = f"from {kind.write(low)} to {kind.write(high)}"
            return f"a {kind.unit} {_EXPECTED_UNITS[kind.unit]}, {bounds}" if kind.unit else f"a whole number {bounds}"
        case FloatType(ge=low, gt=above, le=high):
            return f"a number from {low if low is not None else above} to {high}"
        case LiteralType(values=values):
            return "one of " + ", ".join(f'"{value}"' for value in values)
        case VarTupleType(item_type=item):
            return (
                "a list of tables" if isinstance(kind_of(item).type, StructType) else 'a list of text, such as ["..."]'
            )
        case _:
            return "a table"
