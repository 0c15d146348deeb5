"""New Relic: `newrelic-browser-agent` at commit df7260404dee."""

from typing import Final

from msgspec import Struct

from detectors.elements import Element
from detectors.machine import Report
from detectors.machines.gestures import path_of
from detectors.machines.runs import ActionRuns, RunRule
from detectors.protocol import Detector

SOURCES: Final = frozenset({"error"})
"""Window error events; calls of `noticeError` are in no recording."""


class NewrelicSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New Relic has no options for its rules."""


def make(_settings: NewrelicSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:  # noqa: ARG001
    """Make the detectors for one window."""
    rule = RunRule(
        preset="newrelic",
        version=1,
        count=4,
        window_ms=1_000,
        wait_ms=2_000,
        sources=SOURCES,
        path=_path,
        is_eligible=lambda element: any(_is_control(node) for node in path_of(element)),
    )
    return [ActionRuns(rule, report)]


def _path(element: Element) -> str:
    """Name the path of tags and ids; elements without an id of their own are told apart by their node."""
    names = [f"{node.tag}#{node.attributes.get('id', '')}" for node in path_of(element)]
    own = "" if element.attributes.get("id") else f":{element.node_id}"
    return ">".join(reversed(names))[:2_000] + own


def _is_control(element: Element) -> bool:
    is_button_input = element.tag == "input" and element.attributes.get("type", "").lower() == "button"
    return is_button_input or element.tag in {"a", "button"}
