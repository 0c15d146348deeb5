"""Single values and keys in the notation of TOML."""

import json
import re
import tomllib
from typing import Final

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def read_toml(text: str) -> object:
    """Read one value; text that is no single TOML value is returned as it is, to be reported by who knows the kind."""
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    # A line break could smuggle in another key.
    return table["value"] if len(table) == 1 else text


def write_key(*parts: str | int) -> str:
    """Write a key path as TOML does, quoting names where needed; a number is a place in a list."""
    written = (f"[{part}]" if isinstance(part, int) else f".{_write_name(part)}" for part in parts)
    return "".join(written).removeprefix(".")


def write_toml(value: object) -> str:
    """Write a value on one line of TOML: text, numbers, flags, and lists and tables of them."""
    match value:
        case str():
            return _write_text(value)
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return f"[{', '.join(write_toml(item) for item in value)}]"
        case dict():
            pairs = ", ".join(f"{write_key(key)} = {write_toml(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return str(value)


def _write_name(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _write_text(name)


def _write_text(text: str) -> str:
    # TOML escapes as JSON does, and DEL as well.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
