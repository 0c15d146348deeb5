"""Splunk: `splunk-otel-js-web` at commit 6c3a2240ef8a."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from detectors.elements import Element
from detectors.interactions import Mutation, RequestEnd, RequestStart
from detectors.machine import Report
from detectors.machines.blamed import BlamedClicks, BlameRule
from detectors.machines.cursors import ShakenCursors
from detectors.machines.gestures import Pointer
from detectors.machines.repeated import RepeatedClicks, RepeatRule
from detectors.machines.selectors import Selectors
from detectors.machines.unanswered import Answer, UnansweredClicks, WaitRule
from detectors.presets.options import (
    ALL_ERRORS,
    Count,
    Milliseconds,
    On,
    Patterns,
    Selector,
    node_of,
    start_of,
    tells_its_start,
    url_matcher,
)
from detectors.presets.splunk_cursor import ThrashedCursor, shake_rule
from detectors.protocol import Detector

BEFORE_MS: Final = 100
NO_LINKS: Final = ("", "javascript:")

IgnoreList = Annotated[tuple[Selector, ...], Meta(description="CSS selectors of targets that are left out.")]


class RageClick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rage clicks."""

    enabled: On = True
    count: Annotated[Count, Meta(description="Clicks that make rage.")] = 4
    timeframe_seconds: Annotated[float, Meta(gt=0, le=600, description="Time they lie in (s).")] = field(
        default=1.0, name="timeframeSeconds"
    )
    ignore_selectors: IgnoreList = field(default=(), name="ignoreSelectors")


class DeadClick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dead clicks."""

    enabled: On = True
    time_window_ms: Annotated[Milliseconds, Meta(description="Time the page has to react.")] = field(
        default=1_000, name="timeWindowMs"
    )
    ignore_urls: Patterns = field(default=(), name="ignoreUrls")


class ErrorClick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Error clicks."""

    enabled: On = True
    time_window_ms: Annotated[Milliseconds, Meta(description="Time in which an error is blamed on a click.")] = field(
        default=1_000, name="timeWindowMs"
    )
    ignore_urls: Patterns = field(default=(), name="ignoreUrls")
    ignore_selectors: IgnoreList = field(default=(), name="ignoreSelectors")


class SplunkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Splunk's `frustrationSignals`."""

    rage_click: RageClick = field(default=RageClick(), name="rageClick")
    dead_click: DeadClick = field(default=DeadClick(), name="deadClick")
    error_click: ErrorClick = field(default=ErrorClick(), name="errorClick")
    thrashed_cursor: ThrashedCursor = field(default=ThrashedCursor(), name="thrashedCursor")
    interactive_element_selectors: Annotated[
        tuple[Selector, ...], Meta(description="CSS selectors of further elements that owe an answer.")
    ] = field(default=(), name="experimental_interactiveElementSelectors")


def make(settings: SplunkSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:  # noqa: ARG001
    """Make the detectors for one window. Raises ValueError for selectors that cannot be used."""
    detectors: list[Detector] = []
    if settings.rage_click.enabled:
        detectors.append(RepeatedClicks(_rage(settings.rage_click), report))
    if settings.dead_click.enabled:
        detectors.append(UnansweredClicks(_dead(settings), report))
    if settings.error_click.enabled:
        detectors.append(BlamedClicks(_error(settings.error_click), report))
    if settings.thrashed_cursor.enabled:
        detectors.append(ShakenCursors(shake_rule(settings.thrashed_cursor), report))
    return detectors


def _rage(rage: RageClick) -> RepeatRule:
    ignored = Selectors(rage.ignore_selectors)
    return RepeatRule(
        rule="splunk/rage_click@1",
        count=rage.count,
        window_ms=round(rage.timeframe_seconds * 1_000),
        window="node",
        refires=True,
        identify=node_of,
        suppresses=lambda _click, element: ignored.matches(element),
    )


def _dead(settings: SplunkSettings) -> WaitRule:
    dead, further = settings.dead_click, Selectors(settings.interactive_element_selectors)
    is_ignored = url_matcher(dead.ignore_urls)

    def find(click: Pointer, element: Element) -> Element | None:
        if "disabled" in element.attributes or is_ignored(click.page):
            return None
        return element if _is_control(element) or further.matches(element) else None

    return WaitRule(
        rule="splunk/dead_click@1",
        wait_ms=dead.time_window_ms,
        examined="own",
        answers={
            Mutation: Answer(),
            RequestStart: Answer(before_ms=BEFORE_MS, at_end=True),
            RequestEnd: Answer(before_ms=BEFORE_MS, at_end=True, counts=tells_its_start, when=start_of),
        },
        find=find,
    )


def _is_control(element: Element) -> bool:
    attributes = element.attributes
    if element.tag == "a":
        return attributes.get("href", "").strip().lower().startswith("javascript:") or not attributes.get("href")
    is_submit = element.tag == "input" and attributes.get("type", "").lower() == "submit"
    return element.tag == "button" or is_submit or attributes.get("role") == "button"


def _error(error: ErrorClick) -> BlameRule:
    ignored, is_ignored = Selectors(error.ignore_selectors), url_matcher(error.ignore_urls)

    def find(click: Pointer, element: Element) -> Element | None:
        out = "disabled" in element.attributes or ignored.matches(element) or is_ignored(click.page)
        return None if out else element

    return BlameRule(
        rule="splunk/error_click@1",
        window_ms=error.time_window_ms,
        at_end=True,
        falls_back=True,
        sources=ALL_ERRORS,
        find=find,
    )
