"""Sentry: `replay-internal` at commit f7a6cc0c221c, the backend's `event_parser.py` at 0027e3aa725b, its grouping."""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from detectors.elements import Element
from detectors.interactions import Failure
from detectors.machine import Report
from detectors.machines.gestures import closest_tag
from detectors.machines.grouping import ErrorGroups, Frame, GroupRule
from detectors.machines.records import ClickRecords, RecordRule
from detectors.machines.selectors import Selectors
from detectors.presets.options import UNCAUGHT, MillisecondsOrZero, Selector
from detectors.protocol import Detector

INTERACTIVE: Final = frozenset({"a", "button"})
DEAD_TAGS: Final = frozenset({"a", "button", "input"})
ACTING_INPUTS: Final = frozenset({"button", "submit"})
THRESHOLD_MS: Final = 3_000
PARAMETERS: Final = (
    (re.compile(r"[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+"), "<email>"),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"]+"), "<url>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "<ip>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?\b"), "<date>"),
    (re.compile(r"\b(?:0[xX][0-9a-fA-F]+|(?=[0-9a-f]*[0-9])[0-9a-f]{8,})\b"), "<hex>"),
    (re.compile(r"-?\b\d+(?:\.\d+)?\b"), "<int>"),
)
"""Volatile parts of messages, and what stands for them."""


class SentrySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sentry's options of `replayIntegration`."""

    slow_click_timeout: Annotated[
        MillisecondsOrZero, Meta(description="Time until a click is judged (ms); 0 looks at no clicks.")
    ] = field(default=7_000, name="slowClickTimeout")
    slow_click_ignore_selectors: Annotated[
        tuple[Selector, ...], Meta(description="CSS selectors of elements that are left out.")
    ] = field(default=(), name="slowClickIgnoreSelectors")


def make(settings: SentrySettings, report: Report, *, strict_quirks: bool) -> list[Detector]:
    """Make the detectors for one window. Raises ValueError for selectors that cannot be used.

    With the vendor's fault clicks with a modifier key, which open no record, count in those that are open.
    """
    ignored = Selectors(settings.slow_click_ignore_selectors)
    rule = RecordRule(
        preset="sentry",
        version=1,
        threshold_ms=min(THRESHOLD_MS, settings.slow_click_timeout),
        timeout_ms=settings.slow_click_timeout,
        scroll_ms=300,
        rage_count=5,
        dead_tags=DEAD_TAGS,
        counts_modified=strict_quirks,
        find=lambda element: closest_tag(element, INTERACTIVE) or element,
        is_eligible=lambda element: _is_eligible(element) and not ignored.matches(element),
    )
    groups = GroupRule(rule="sentry/js_error@1", sources=UNCAUGHT, keys=_keys)
    clicks: list[Detector] = [ClickRecords(rule, report)] if settings.slow_click_timeout else []
    return [*clicks, ErrorGroups(groups, report)]


def _is_eligible(element: Element) -> bool:
    attributes = element.attributes
    if element.tag == "input":
        return attributes.get("type", "") in ACTING_INPUTS
    if element.tag == "a":
        return "download" not in attributes and attributes.get("target", "_self") == "_self"
    return element.tag == "button"


def _keys(failure: Failure, frames: list[Frame]) -> tuple[str, ...]:
    own = [frame for frame in frames if frame.is_own]
    if own:
        # A recording has no source lines; their numbers stand for them.
        return ("\n".join(f"{frame.file} {frame.function} {frame.line}" for frame in own),)
    message = failure.message
    for pattern, placeholder in PARAMETERS:
        message = pattern.sub(placeholder, message)
    return (f"{failure.error_type}\n{message}",)
