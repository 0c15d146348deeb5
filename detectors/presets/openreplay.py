"""OpenReplay: `backend/pkg/handlers/web` and `tracker/.../mouse.ts` at commit dbb68105e865."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from detectors.elements import Element
from detectors.interactions import Click, ElementFocus, Failure, Input, Mutation, Navigation, StyleChange
from detectors.machine import Report
from detectors.machines.cursors import JerkedCursors, JerkRule
from detectors.machines.gestures import Pointer, path_of
from detectors.machines.grouping import ErrorGroups, Frame, GroupRule
from detectors.machines.repeated import RepeatedClicks, RepeatRule
from detectors.machines.selectors import Selectors
from detectors.machines.unanswered import Answer, UnansweredClicks, WaitRule
from detectors.presets.options import UNCAUGHT, Selector, is_text_field
from detectors.protocol import Detector

INPUT_TYPES: Final = frozenset(
    {"text", "password", "email", "search", "number", "range", "date", "tel", "time", "url", "datetime-local"}
)
LABELLED_TAGS: Final = frozenset({"button", "a", "li", "select", "input"})


class OpenreplaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OpenReplay has no options for its rules; selectors can be marked as ignored."""

    ignored_selectors: Annotated[
        tuple[Selector, ...], Meta(description="CSS selectors of targets whose signals are dropped.")
    ] = ()


def make(settings: OpenreplaySettings, report: Report, *, strict_quirks: bool) -> list[Detector]:  # noqa: ARG001
    """Make the detectors for one window. Raises ValueError for selectors that cannot be used."""
    ignored = Selectors(settings.ignored_selectors)
    rage = RepeatRule(
        rule="openreplay/rage_click@1",
        count=3,
        window_ms=300,
        window="before",
        reported="closing",
        outlives_page=True,
        identify=lambda click, element: None if ignored.matches(element) else label_of(click, element),
    )
    dead = WaitRule(
        rule="openreplay/dead_click@1",
        wait_ms=1_234,
        examined="next",
        one_at_a_time=True,
        outlives_page=True,
        answers={
            Mutation: Answer(counts=_is_watched),
            StyleChange: Answer(),
            Input: Answer(),
            ElementFocus: Answer(),
            Navigation: Answer(
                counts=lambda navigation: isinstance(navigation, Navigation) and navigation.nav == "load"
            ),
        },
        find=lambda click, element: element if _owes_answer(click, element) and not ignored.matches(element) else None,
        ends=lambda click, element: label_of(click, element) is not None,
    )
    jerk = JerkRule(rule="openreplay/thrashed_cursor@1", period_ms=225, turns=4, acceleration=0.008)
    groups = GroupRule(rule="openreplay/js_error@1", sources=UNCAUGHT, keys=_keys)
    return [
        RepeatedClicks(rage, report),
        UnansweredClicks(dead, report),
        JerkedCursors(jerk, report),
        ErrorGroups(groups, report),
    ]


def label_of(click: Pointer, element: Element) -> str | None:
    """Give what the recorder calls the click, or what OpenReplay's own recorder would; `None` without a label."""
    if isinstance(click, Click) and click.label is not None:
        return click.label or None
    for node in path_of(element):
        if node.tag == "label":
            return None
        if node.tag in LABELLED_TAGS or node.attributes.get("role") == "button":
            return node.text or node.attributes.get("id") or node.attributes.get("class") or None
    return None


def _owes_answer(click: Pointer, element: Element) -> bool:
    return label_of(click, element) is not None and not (element.tag == "select" or is_text_field(element, INPUT_TYPES))


def _is_watched(mutation: object) -> bool:
    """Tell whether anything but text changed; of many changes not all are told."""
    if not isinstance(mutation, Mutation):
        return False
    return mutation.total > len(mutation.changes) or any(change.kind != "text" for change in mutation.changes)


def _keys(failure: Failure, frames: list[Frame]) -> tuple[str, ...]:
    first = frames[0] if frames else Frame("", "", "", "")
    return (f"{failure.error_type}\n{failure.message}\n{first.file}\n{first.line}\n{first.column}",)
