"""Console output: level, number of arguments and error classes are kept; at the light level what is no secret too."""

import re
from typing import Final

import msgspec

from engine.masking.decisions import MASK
from engine.masking.errors import error_class, masked_error, scrub_words
from engine.masking.identifiers import passes_name

MAX_ARGUMENTS: Final = 50
MAX_ITEMS: Final = 50
MAX_DEPTH: Final = 6
_LARGEST_PLAIN_NUMBER: Final = 1_000_000

_LEVELS: Final = frozenset(
    "assert clear count countReset debug dir dirxml error group groupCollapsed groupEnd info log table time timeEnd "
    "timeLog trace warn".split()
)
_SECRET_KEY: Final = re.compile(
    r"pass|pwd|secret|token|auth|api.?key|cookie|session|card|cvv|cvc|ssn|iban|e.?mail|phone|mobile|address|name|birth",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"\s*<|=>|\bfunction\b|^\s*class\b")

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


def console_level(value: str) -> str:
    """Return the method of `console` that was called, `log` for unknown ones."""
    return value if value in _LEVELS else "log"


def mask_argument(argument: str) -> str:
    """Replace an argument (JSON text): an error keeps its class and frames, everything else becomes a constant."""
    value = _decoded(argument)
    name = error_class(value) if isinstance(value, str) else ""
    return _encoded(masked_error(value) if name and isinstance(value, str) else MASK)


def scrub_argument(argument: str) -> str:
    """Rebuild an argument (JSON text) without what is secret; what is too deep or looks like code is masked."""
    return _encoded(_scrubbed(_decoded(argument), 0))


def _decoded(argument: str) -> Json:
    try:
        value: Json = msgspec.json.decode(argument)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return MASK
    return value


def _encoded(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _scrubbed(value: Json, depth: int) -> Json:
    if depth > MAX_DEPTH:
        return MASK
    match value:
        case str():
            return _scrubbed_text(value)
        case list():
            return [_scrubbed(item, depth + 1) for item in value[:MAX_ITEMS]]
        case dict():
            items = list(value.items())[:MAX_ITEMS]
            return {name: _scrubbed_item(name, item, depth) for name, item in items if passes_name(name)}
        case bool() | None:
            return value
        case _:
            return value if abs(value) < _LARGEST_PLAIN_NUMBER else MASK


def _scrubbed_item(name: str, item: Json, depth: int) -> Json:
    return MASK if _SECRET_KEY.search(name) else _scrubbed(item, depth + 1)


def _scrubbed_text(value: str) -> str:
    if _CODE.search(value):
        return MASK
    return scrub_words(value) or MASK if value else ""
