"""User agents: family and major version are kept, nothing else."""

import re
from typing import Final

_FAMILIES: Final = tuple(
    (family, re.compile(pattern))
    for family, pattern in (
        ("Bot", r"(?i:bot|crawler|spider|slurp)\b()"),
        ("Edge", r"\bEdg(?:e|A|iOS)?/(\d{1,4})"),
        ("Opera", r"\b(?:OPR|OPX|Opera)/(\d{1,4})"),
        ("Samsung Internet", r"\bSamsungBrowser/(\d{1,4})"),
        ("Yandex", r"\bYaBrowser/(\d{1,4})"),
        ("Vivaldi", r"\bVivaldi/(\d{1,4})"),
        ("Firefox", r"\b(?:Firefox|FxiOS)/(\d{1,4})"),
        ("Chrome", r"\b(?:HeadlessChrome|Chrome|CriOS|Chromium)/(\d{1,4})"),
        ("Safari", r"\bVersion/(\d{1,4})\S*\s.{0,60}\bSafari/"),
    )
)
_MAX_CHARACTERS: Final = 1_000


def mask_user_agent(value: str) -> str:
    """Return such as `Chrome 156`; `Other` for what is not known."""
    for family, pattern in _FAMILIES:
        match = pattern.search(value[:_MAX_CHARACTERS])
        if match:
            return f"{family} {match[1]}".rstrip()
    return "Other"
