"""An alert as it is told, and words that all kinds of messages share."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from engine.alerts.routing import State
from engine.settings._units import HOUR_MS, MINUTE_MS, SECOND_MS
from schemas.alert_messages import AlertLink, LeftOut
from schemas.alerts import Alert, AlertKey, AlertNumbers

_EARLIEST_MS: Final = -62_135_596_800_000
_LATEST_MS: Final = 253_402_300_799_000


class News(NamedTuple):
    """What is told on a route: an alert, if it fires or is over, links to its moments, and what is not said.

    `public_url` is where people find the viewer, or empty.
    """

    route: str
    state: State
    alert: Alert
    links: Sequence[AlertLink] = ()
    left_out: LeftOut | None = None
    messages_left_out: int = 0
    public_url: str = ""


def plain_text(text: str) -> str:
    """Make one line of a text of strangers: no control characters, and none that turn the direction of others."""
    return "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text).strip()


def written_time(at_ms: int) -> str:
    """Write a moment (epoch ms) by RFC 3339; what no calendar has becomes the nearest that it has."""
    at_ms = min(max(at_ms, _EARLIEST_MS), _LATEST_MS)
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told_key(key: AlertKey) -> str:
    """Say what an alert is about."""
    about = f"{key.dimension} {key.value}" if key.value else key.dimension
    return plain_text(f"{key.detector.replace('_', ' ')} on {about}" if key.detector else about)


def told_numbers(numbers: AlertNumbers, dimension: str, detector: str) -> str:
    """Say what an alert was decided on."""
    if not detector and dimension == "project":
        return f"{numbers.rate:.4g} sessions an hour, usually {numbers.baseline_rate:.4g}"
    usual = f", usually {numbers.baseline_rate:.2%}" if numbers.baseline_rate else ""
    base = f" of {numbers.base_sessions}" if numbers.base_sessions else ""
    return f"{numbers.sessions}{base} sessions in {told_span(numbers.window_ms)} ({numbers.rate:.2%}{usual})"


def told_span(span_ms: int) -> str:
    """Write a span of time in the largest unit that fits it."""
    for unit_ms, name in ((24 * HOUR_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if span_ms >= unit_ms:
            return f"{span_ms / unit_ms:.3g} {name}"
    return f"{span_ms / SECOND_MS:.3g} s"
