"""What is wrong with the settings, told all at once."""

import json
import re
from collections.abc import Sequence
from typing import Final

import msgspec

_MAX_SHOWN_CHARACTERS: Final = 120

# Passwords reach the settings inside URLs, as `redis://user:password@host` or `?password=`; a mistyped URL counts too.
_URL_SECRET: Final = re.compile(r"(?<=:)(/*).*@", re.DOTALL)
_URL_PARAMETER: Final = re.compile(r"(?<=password=)[^&]*", re.IGNORECASE)
_SECRET_NAME: Final = re.compile(r"pass|secret|token|credential|authorization", re.IGNORECASE)


class SettingsProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One wrong setting: its key, the value as it may be shown, what was expected, and where it was set."""

    key: str
    value: str
    expected: str
    source: str

    def __str__(self) -> str:
        return _printable(f"{self.source}: {self.key} = {self.value}: expected {self.expected}")


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds everything that is wrong with them."""

    def __init__(self, problems: Sequence[SettingsProblem]) -> None:
        self.problems: Final = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        many = len(self.problems) > 1
        title = f"{len(self.problems)} settings are wrong:" if many else "a setting is wrong:"
        return "\n".join([title, *(f"  {problem}" for problem in self.problems)])


def shown(value: object, *, key: str = "") -> str:
    """Write a value for a message: one printable line of bounded length, without passwords."""
    if value is None:
        return "(missing)"
    if _SECRET_NAME.search(key):
        return '"***"'
    text = _printable(json.dumps(_without_secrets(value), ensure_ascii=False, default=str))
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}..."


def hide_secrets(key: str, text: str) -> str:
    """Replace a text that is a secret by its key, and the user part and any password parameter of a URL."""
    if text and _SECRET_NAME.search(key):
        return "***"
    return hide_passwords(text)


def hide_passwords(text: str) -> str:
    """Replace the user part and any password parameter of a URL."""
    return _URL_PARAMETER.sub("***", _URL_SECRET.sub(r"\1***@", text))


def _printable(text: str) -> str:
    # A message goes to terminals and logs, where control characters could forge lines.
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _without_secrets(value: object) -> object:
    match value:
        case str():
            return hide_passwords(value)
        case list():
            return [_without_secrets(item) for item in value]
        case dict():
            # What is wrong with a table is its shape; its content may be anything.
            return {"...": "..."} if value else {}
        case _:
            return value
