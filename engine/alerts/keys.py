"""What a signal counts for: the project, its page and element, the error, and what the session runs on."""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.alerts import AlertKey, Dimension
from schemas.page_paths import fold_page
from schemas.signals import Signal

OTHER: Final = "(other)"
"""Stands for all values of a dimension beyond those that are told apart."""

ATTRIBUTES: Final[tuple[Dimension, ...]] = ("release", "device", "country")
MAX_VALUE_CHARACTERS: Final = 500

SPECIFIC: Final[Mapping[Dimension, int]] = {
    "error": 6, "element": 5, "page": 4, "release": 3, "country": 2, "device": 1, "project": 0,
}  # fmt: skip
"""Which of several causes that explain the same sessions is the one to name: the most specific."""


def keys_of(signal: Signal) -> Iterator[AlertKey]:
    """List the keys that a signal counts for."""
    detector = signal.detector
    yield AlertKey(detector, "project")
    page = fold_page(signal.page)[:MAX_VALUE_CHARACTERS]
    if page:
        yield AlertKey(detector, "page", page)
        if signal.target is not None:
            yield AlertKey(detector, "element", f"{page} {signal.target.selector}"[:MAX_VALUE_CHARACTERS])
    fingerprint = error_of(signal)
    if fingerprint:
        yield AlertKey(detector, "error", fingerprint)
    for name in ATTRIBUTES:
        value = signal.attributes.get(name)
        if value:
            yield AlertKey(detector, name, value[:MAX_VALUE_CHARACTERS])


def error_of(signal: Signal) -> str:
    """Return the fingerprint of the error that a signal is about; empty if it is about none."""
    fingerprint = signal.evidence.get("fingerprint")
    return fingerprint[:MAX_VALUE_CHARACTERS] if isinstance(fingerprint, str) else ""


def base_of(key: AlertKey) -> tuple[Dimension, str]:
    """Say which sessions could have been concerned: those of the page, of the release, ..., or all of the project."""
    match key.dimension:
        case "element":
            return "page", key.value.partition(" ")[0]
        case "error":
            return "project", ""
        case _:
            return key.dimension, key.value
