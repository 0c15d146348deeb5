"""Rule i: what looks like a programmer's name is kept, everything else becomes a token.

A token is a keyed hash, stable within a session, so that a class and the style sheet that names it still fit
together. It consists of letters only, so that a token is itself a name that passes.
"""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import Final

from engine.masking.decisions import Decision, Deferred
from engine.masking.values import has_secret

MASKED_NAME: Final = "masked"

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_:.-]{0,63}")
_MADE_UP: Final = re.compile(r"[0-9_:.-]|[a-z][A-Z]")
"""What programmers' names have and words of a text have not."""
_SIX_DIGITS: Final = re.compile(r"\d{6}")
_SCOPED_STYLE: Final = re.compile(r"data-v-[0-9a-f]{8}")
_TOKEN_BYTES: Final = 6
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


@lru_cache(maxsize=20_000)
def passes_name(value: str) -> bool:
    """Tell whether a name may be kept: an identifier of at most 64 characters, no run of 6 digits, no detector."""
    return _NAME.fullmatch(value) is not None and _SIX_DIGITS.search(value) is None and not has_secret(value)


def passes_attribute_name(name: str) -> bool:
    """Tell whether an attribute's name may be kept; the hash of Vue's scoped styles may be all digits."""
    return passes_name(name) or _SCOPED_STYLE.fullmatch(name) is not None


def decide_names(value: str) -> Decision:
    """Apply the rule to each of the names in a list (class, for, aria-labelledby, ...)."""
    names = value.split()
    if all(map(passes_name, names)):
        return value
    parts: list[str] = []
    literal = ""
    for name in names:
        if passes_name(name):
            literal += f"{name} "
        else:
            parts += literal, name
            literal = " "
    return Deferred((*parts, literal.rstrip()))


def decide_references(value: str) -> Decision:
    """Apply the rule to a list of ids; words of a text, that a name of several parts would hold, are no ids."""
    names = value.split()
    return decide_names(value) if len(names) > 1 and all(map(_MADE_UP.search, names)) else decide_name(value.strip())


def decide_name(value: str) -> Decision:
    """Apply the rule to a value as a whole; empty stays empty."""
    return value if not value or passes_name(value) else Deferred(("", value, ""))


def name_token(key: bytes, value: str) -> str:
    """Make the token of a name that may not be kept: the same for the same key and name.

    A lone surrogate is hashed like any other character.
    """
    digest = hmac.digest(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"{MASKED_NAME}-{digest[:_TOKEN_BYTES].hex().translate(_LETTERS)}"
