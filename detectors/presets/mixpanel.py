"""Mixpanel: `mixpanel-js` at commit 4ca40f4179b2."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from detectors.elements import Element
from detectors.interactions import Input, Mutation, Navigation, Scroll, Selection
from detectors.machine import Report
from detectors.machines.repeated import RepeatedClicks, RepeatRule
from detectors.machines.unanswered import Answer, UnansweredClicks, WaitRule
from detectors.presets.options import Count, Milliseconds, On, Pixels
from detectors.protocol import Detector

MAX_DEPTH: Final = 5
BEFORE_MS: Final = 100
SEEN_ATTRIBUTES: Final = frozenset(
    {"style", "class", "hidden", "checked", "selected", "value", "display", "visibility"}
)
INTERACTIVE_TAGS: Final = frozenset({"button", "input", "select", "textarea", "details", "dialog"})
SILENT_TAGS: Final = frozenset(
    {
        "base", "head", "html", "link", "meta", "script", "style", "title", "br", "hr", "wbr", "noscript", "picture",
        "source", "template", "track",
    }
)  # fmt: skip
TEXT_TAGS: Final = frozenset({"article", "div", "h1", "h2", "h3", "h4", "h5", "h6", "p", "section", "span"})
HANDLERS: Final = frozenset(
    {"onclick", "onmousedown", "onmouseup", "onpointerdown", "onpointerup", "ontouchend", "ontouchstart"}
)
ROLES: Final = frozenset(
    {
        "button", "checkbox", "combobox", "grid", "link", "listbox", "menu", "menubar", "menuitem", "menuitemcheckbox",
        "menuitemradio", "navigation", "option", "radio", "radiogroup", "searchbox", "slider", "spinbutton", "switch",
        "tab", "tablist", "textbox", "tree", "treegrid", "treeitem",
    }
)  # fmt: skip


class RageClick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rage clicks."""

    enabled: On = True
    click_count: Annotated[Count, Meta(description="Clicks that make rage.")] = 4
    threshold_px: Annotated[Pixels, Meta(description="Distance of two clicks.")] = 30
    timeout_ms: Annotated[Milliseconds, Meta(description="Time between two clicks.")] = 1_000
    interactive_elements_only: Annotated[bool, Meta(description="Whether other elements are left out.")] = False


class DeadClick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dead clicks."""

    enabled: On = True
    timeout_ms: Annotated[Milliseconds, Meta(description="Time the page has to change.")] = 500


class MixpanelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mixpanel's `autocapture` options."""

    rage_click: RageClick = RageClick()
    dead_click: DeadClick = DeadClick()


def make(settings: MixpanelSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:  # noqa: ARG001
    """Make the detectors for one window."""
    detectors: list[Detector] = []
    if settings.rage_click.enabled:
        detectors.append(RepeatedClicks(_rage(settings.rage_click), report))
    if settings.dead_click.enabled:
        detectors.append(UnansweredClicks(_dead(settings.dead_click), report))
    return detectors


def _rage(rage: RageClick) -> RepeatRule:
    return RepeatRule(
        rule="mixpanel/rage_click@1",
        count=rage.click_count,
        window_ms=rage.timeout_ms,
        window="before",
        distance="straight",
        max_px=rage.threshold_px,
        is_below=True,
        on_page=True,
        refires=True,
        identify=lambda _click, _element: 0,
        find=lambda _click, element: None if rage.interactive_elements_only and is_silent(element) else element,
    )


def _dead(dead: DeadClick) -> WaitRule:
    change = Answer(before_ms=BEFORE_MS)
    return WaitRule(
        rule="mixpanel/dead_click@1",
        wait_ms=dead.timeout_ms,
        examined="cycle",
        answers={
            Mutation: Answer(before_ms=BEFORE_MS, counts=_is_seen),
            Selection: Answer(before_ms=BEFORE_MS, counts=_is_selection),
            Navigation: Answer(before_ms=BEFORE_MS, counts=_is_hash_change),
            Input: change,
            Scroll: change,
        },
        find=lambda _click, element: None if is_silent(element) else element,
    )


def is_silent(element: Element) -> bool:
    """Tell whether the element is certainly not interactive."""
    if element.tag in SILENT_TAGS:
        return True
    node: Element | None = element
    for _ in range(MAX_DEPTH + 1):
        if node is None:
            break
        if _shows_interactivity(node):
            return False
        node = node.parent
    return element.tag in TEXT_TAGS


def _shows_interactivity(element: Element) -> bool:
    attributes = element.attributes
    role = attributes.get("role", "").split()
    return (
        element.tag in INTERACTIVE_TAGS
        or attributes.get("contenteditable", "false") != "false"
        or not HANDLERS.isdisjoint(attributes)
        or (bool(role) and role[0].lower() in ROLES)
        or (element.tag == "a" and "href" in attributes)
        or "tabindex" in attributes
    )


def _is_seen(mutation: object) -> bool:
    """Tell whether a change is one that is observed; of many changes not all are told."""
    if not isinstance(mutation, Mutation):
        return False
    changes = mutation.changes
    return mutation.total > len(changes) or any(
        change.kind != "attribute" or change.name in SEEN_ATTRIBUTES for change in changes
    )


def _is_selection(selection: object) -> bool:
    return isinstance(selection, Selection) and not selection.collapsed


def _is_hash_change(navigation: object) -> bool:
    return isinstance(navigation, Navigation) and navigation.nav == "hash"
