"""Datadog: `browser-rum-core` at commit b2344e747e09; error grouping as documented."""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from detectors.elements import Element
from detectors.interactions import Failure, Mutation
from detectors.machine import Report
from detectors.machines.chain_parts import ChainRule
from detectors.machines.chains import ClickChains
from detectors.machines.gestures import path_of
from detectors.machines.grouping import ErrorGroups, Frame, GroupRule
from detectors.presets.options import ALL_ERRORS, Patterns, is_other_input, url_matcher
from detectors.protocol import Detector

EXCLUDED_MUTATIONS: Final = "data-dd-excluded-activity-mutations"
ACTING_INPUTS: Final = frozenset({"checkbox", "radio", "button", "submit", "reset", "range"})
EXEMPT_TAGS: Final = frozenset({"textarea", "select", "canvas"})
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\([^()]*\)")
_WORD: Final = re.compile(r"[A-Za-z]+")


class DatadogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Datadog's options of the RUM SDK."""

    track_user_interactions: Annotated[bool, Meta(description="Whether clicks are looked at.")] = field(
        default=True, name="trackUserInteractions"
    )
    excluded_activity_urls: Patterns = field(default=(), name="excludedActivityUrls")


def make(settings: DatadogSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:  # noqa: ARG001
    """Make the detectors for one window."""
    is_excluded = url_matcher(settings.excluded_activity_urls)
    rule = ChainRule(
        preset="datadog",
        version=1,
        count=3,
        gap_ms=1_000,
        span_ms=1_000,
        max_px=100,
        settle_ms=100,
        longest_ms=10_000,
        is_exempt=_is_exempt,
        is_activity=_is_activity,
        is_request=lambda url: not is_excluded(url),
    )
    groups = GroupRule(rule="datadog/js_error@1", sources=ALL_ERRORS, keys=_keys)
    clicks: list[Detector] = [ClickChains(rule, report)] if settings.track_user_interactions else []
    return [*clicks, ErrorGroups(groups, report)]


def _is_activity(mutation: Mutation) -> bool:
    target = mutation.target
    return target is None or not any(EXCLUDED_MUTATIONS in node.attributes for node in path_of(target))


def _is_exempt(element: Element) -> bool:
    judged: Element | None = element
    if element.tag == "label" and "for" in element.attributes:
        judged = element.control
    if judged is None:
        return False
    if judged.tag in EXEMPT_TAGS or is_other_input(judged, ACTING_INPUTS):
        return True
    return any("contenteditable" in node.attributes or _is_link(node) for node in path_of(judged))


def _is_link(element: Element) -> bool:
    return element.tag == "a" and "href" in element.attributes


def _keys(failure: Failure, frames: list[Frame]) -> tuple[str, ...]:
    words = " ".join(_WORD.findall(_QUOTED.sub(" ", failure.message)))
    own = next((frame for frame in frames if frame.is_own), None)
    top = "" if own is None else f"{own.file}\n{own.function}"
    return (f"{failure.error_type}\n{words}\n{top}",)
