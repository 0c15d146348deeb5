"""Numbers, names and addresses in words: bounded, printable, and never more than is known."""

from collections.abc import Sequence
from typing import Final

from schemas.page_paths import page_of
from schemas.signals import EvidenceValue, Target

TOLD_MS: Final = 100
"""The shortest duration that is told."""

MAX_LABEL_CHARS: Final = 60
MAX_PATH_CHARS: Final = 80
MAX_MESSAGE_CHARS: Final = 120

_NOUNS: Final = {
    "a": "link",
    "button": "button",
    "form": "form",
    "img": "image",
    "input": "field",
    "select": "list",
    "summary": "summary",
    "textarea": "field",
}


def printable(text: str, max_chars: int) -> str:
    """Write control and formatting characters (escapes, text direction) as escapes, white space as single blanks.

    What is longer than `max_chars` is cut, and ends with an ellipsis.
    """
    # No more of a text than can be shown is looked at: a label may be as long as a page.
    words = " ".join(text[: 4 * max_chars].split())
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in words)
    return shown if len(shown) <= max_chars else shown[: max_chars - 1] + "…"


def duration(milliseconds: int) -> str:
    """Write a duration, rounded down: `0.4 s`, `9.9 s`, `59 s`, `3 min 20 s`, `2 h 5 min`; negative ones are 0 s."""
    tenths = max(milliseconds, 0) // 100
    seconds, tenth = divmod(tenths, 10)
    if seconds < 10:  # noqa: PLR2004 - below ten seconds a tenth matters
        return f"{seconds}.{tenth} s" if tenth else f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if not minutes:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def times(count: int, span_ms: int = 0) -> str:
    """Write ` 7 times in 4 s`, with a blank in front; nothing for once, no span where there is none."""
    if count <= 1:
        return ""
    return f" {count} times" + (f" in {duration(span_ms)}" if span_ms >= TOLD_MS else "")


def capital(text: str) -> str:
    """Begin a sentence with a capital."""
    return text[:1].upper() + text[1:]


def counted(count: int, noun: str) -> str:
    """Write `1 click`, `2 clicks`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(parts: Sequence[str]) -> str:
    """Write `a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def path_of(url: str) -> str:
    """Name a page: the path of its URL, without host, query and fragment; what is no URL is named as it is."""
    page = page_of(url[:4_096])
    _, is_url, rest = page.partition("://")
    if is_url:
        _, slash, path = rest.partition("/")
        page = f"/{path}" if slash else "/"
    return printable(page, MAX_PATH_CHARS) or "an unnamed page"


def thing(target: Target) -> str:
    """Name an element: `the button “Pay”`, or by its selector where it has no label that tells anything."""
    noun = _NOUNS.get(target.tag) or f"`{printable(target.tag, 20)}` element"
    label = printable(target.text or "", MAX_LABEL_CHARS)
    if label.strip("* "):
        return f"the {noun} “{label}”"
    return f"the {noun} `{printable(target.selector, MAX_LABEL_CHARS)}`"


def error_words(evidence: dict[str, EvidenceValue]) -> str:
    """Name an error by its class and masked message."""
    parts = [evidence.get("error_type"), evidence.get("message")]
    words = [part for part in parts if isinstance(part, str) and part.strip("* ")]
    return f"the error “{printable(': '.join(words), MAX_MESSAGE_CHARS)}”" if words else "an error"


def integer(value: EvidenceValue) -> int | None:
    """Read a number of evidence, whole; anything else is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 2**53 else None
