"""Value detectors: does a text hold something that must not be shown?

They only add to what structure (levels, allow-lists) guarantees. Each pattern is bounded, so that the time is linear
in the text's length whatever a hostile page sends.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from math import log2
from typing import Final

from stdnum import luhn

_INVISIBLE_RANGES: Final = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B,
    0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    (0xFFF9, 0xFFFB), (0xE0000, 0xE007F), (0xE0100, 0xE01EF),
)  # fmt: skip
_INVISIBLE: Final = {code: None for first, last in _INVISIBLE_RANGES for code in range(first, last + 1)}

_DASHES: Final = r"\-\u2010-\u2015\u2043\u207b\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_SEPARATORS: Final = rf"[\s{_DASHES}./()+]{{0,3}}"

_KEYS: Final = (
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk)_(?:live|test)_|A[KS]IA[0-9A-Z]{4}|gh[oprsu]_|github_pat_|glpat-|AIza|xox[a-z]-"
    r"|ya29\.|SG\.[\w-]{8}|shp(?:at|ss|ca|pa)_|npm_[A-Za-z0-9]{8}|sk-[A-Za-z0-9]{3,10}-?[A-Za-z0-9]{12})"
    r"|-----BEGIN|eyJ[\w-]{4}"
)
_IBAN: Final = r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){8}"
_SMALL_IBAN: Final = re.compile(
    r"(?<![a-z0-9])[a-z]{2}\d{2}(?=(?:[ -]?[a-z]){0,7}[ -]?\d)(?:[ -]?[a-z0-9]){8}", re.IGNORECASE
)
_SECRET: Final = re.compile(rf"[^\s@(]@|%40|\d(?:{_SEPARATORS}\d){{6}}|{_IBAN}|{_KEYS}")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{32,}")
_HEX_RUN: Final = re.compile(r"[0-9a-fA-F]{32}")

_CARD: Final = re.compile(rf"(?<!\d)\d(?:[\s{_DASHES}.]{{0,2}}\d){{12,}}")
_SCRUBBED: Final = re.compile(rf"(?:{_KEYS})[^\s\"'<>]*")
_SCRUB_GATE: Final = re.compile(rf"{_KEYS}|\d(?:[\s{_DASHES}.]{{0,2}}\d){{12}}")

_LOOKALIKE_LETTERS: Final = "OolI|\u041e\u043e\u039f\u03bf\u04cf\u0406\u0456"
_LOOKALIKES: Final = str.maketrans(_LOOKALIKE_LETTERS, "001110000111")
_LOOKALIKE_RUN: Final = re.compile(rf"(?<!\w)\d(?:{_SEPARATORS}[0-9{_LOOKALIKE_LETTERS}]){{5,40}}{_SEPARATORS}\d(?!\w)")
_MIN_TRUE_DIGITS: Final = 5
"""Letters that are drawn like digits: in a run that is mostly digits they are digits."""

_SHORTEST_SECRET: Final = 4
_FIRST_DIGIT: Final = re.compile("[0-9]")

_DIGIT_GROUP: Final = re.compile(r"\d+")
_CARD_DIGITS: Final = range(13, 20)
_MIN_KIND: Final = 3
_MIN_ENTROPY_BITS: Final = 3.5


def normalise(value: str) -> str:
    """Fold compatibility forms (NFKC: full-width digits, the full-width @) and remove invisible characters."""
    if value.isascii():
        return value
    return unicodedata.normalize("NFKC", value.translate(_INVISIBLE)).translate(_INVISIBLE)


def _folded(value: str) -> str:
    """Normalise for detection only: accents and other marks on top of characters go too, so that none parts digits."""
    plain = unicodedata.normalize("NFKD", value.translate(_INVISIBLE)).translate(_INVISIBLE)
    bare = "".join([character for character in plain if not unicodedata.category(character).startswith("M")])
    return unicodedata.normalize("NFC", bare)


def has_secret(value: str) -> bool:
    """Tell whether a detector fires.

    The detectors: a word before an @, seven or more digits with separators between them (so that a card is caught
    before its last digit; it covers phone numbers, SSN and Korean resident numbers), the start of an IBAN, a JSON web
    token, keys of well-known issuers, a PEM header, and long random runs.
    """
    plain = value if value.isascii() else _folded(value)
    return (
        _SECRET.search(plain) is not None
        or any(_is_random(run) for run in _LONG_RUN.findall(plain))
        or any(_is_disguised(match[0]) for match in _LOOKALIKE_RUN.finditer(plain))
    )


def _is_disguised(run: str) -> bool:
    return sum(map(str.isdigit, run)) >= _MIN_TRUE_DIGITS and _SECRET.search(run.translate(_LOOKALIKES)) is not None


def _is_random(run: str) -> bool:
    if _HEX_RUN.search(run):
        return True
    kinds = (sum(map(test, run)) for test in (str.isdigit, str.isupper, str.islower))
    return all(count >= _MIN_KIND for count in kinds) and _entropy_bits(run) >= _MIN_ENTROPY_BITS


def _entropy_bits(run: str) -> float:
    shares = [count / len(run) for count in Counter(run).values()]
    return -sum(share * log2(share) for share in shares)


def scrub(text: str) -> str:
    """Remove card numbers (Luhn), web tokens and keys from a text that is kept otherwise.

    This is a second line only: nobody may rely on it.
    """
    if text.isascii() and not _may_hold_secret(text):
        return text
    plain = normalise(text)
    if _SCRUB_GATE.search(plain) is None:
        return text
    scrubbed = _CARD.sub(_without_card, _SCRUBBED.sub("***", plain))
    # A text is kept exactly as it was sent unless something was found in it.
    return text if scrubbed == plain else scrubbed


def _may_hold_secret(text: str) -> bool:
    """Look for the few characters without which no pattern of `scrub` can match: most texts end here."""
    return len(text) >= _SHORTEST_SECRET and (
        _FIRST_DIGIT.search(text) is not None
        or "_" in text
        or "eyJ" in text
        or "A" in text
        or "-" in text
        or "SG." in text
    )


def _without_card(match: re.Match[str]) -> str:
    return "***" if _holds_card(match[0]) else match[0]


@lru_cache(maxsize=1_000)
def _holds_card(run: str) -> bool:
    """Look for a card number among neighbouring groups of digits; a longer run of digits counts as one."""
    groups = _DIGIT_GROUP.findall(run)
    if sum(map(len, groups)) >= _CARD_DIGITS.stop:
        return True
    spans = ((start, end) for start in range(len(groups)) for end in range(start + 1, len(groups) + 1))
    numbers = ("".join(groups[start:end]) for start, end in spans)
    return any(len(number) in _CARD_DIGITS and luhn.is_valid(number) for number in numbers)


def without_secrets(value: str) -> str:
    """The value, or the masking constant if a detector fires (rule p of the levels' table).

    Here an IBAN may be written in small letters; among names that would find classes (`pt16-col-2-wide`).
    """
    return "***" if has_secret(value) or _SMALL_IBAN.search(normalise(value)) else value
