"""PostHog: `posthog-js` at commit 9b2a1b18db64; error grouping as in its `cymbal` service."""

from typing import Final

from detectors.elements import Element
from detectors.interactions import Failure
from detectors.machine import Report
from detectors.machines.examined import ExaminedCandidates, ExamineRule
from detectors.machines.gestures import Pointer
from detectors.machines.grouping import ErrorGroups, Frame, GroupRule
from detectors.machines.repeated import RepeatedClicks, RepeatRule
from detectors.machines.selectors import Selectors
from detectors.presets.options import UNCAUGHT, inside, is_editable, is_text_field
from detectors.presets.posthog_capture import Captured, is_labelled
from detectors.presets.posthog_options import DeadClicks, PosthogSettings
from detectors.protocol import Detector

WORDS: Final = ("next", "previous", "prev", ">", "<")
STEPPERS: Final = ("+", "-", "−", "–")  # noqa: RUF001  # signs that stand on buttons
WORDS_SINCE: Final = "2025-11-30"
STEPPERS_SINCE: Final = "2026-05-30"
MAX_WORDS: Final = 10

TEXT_TYPES: Final = frozenset({"text", "search", "email", "password", "url", "tel", "number"})
UNSEEN_TAGS: Final = frozenset({"canvas", "video", "audio", "embed", "object"})


def make(settings: PosthogSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:
    """Make the detectors for one window. Raises ValueError for selectors that cannot be used."""
    detectors: list[Detector] = []
    if settings.rageclick.enabled:
        detectors.append(RepeatedClicks(_rage(settings), report))
    dead = settings.capture_dead_clicks
    if dead.enabled:
        detectors.append(ExaminedCandidates(_dead(dead, skips_scrolls=strict_quirks), report))
    groups = GroupRule(rule="posthog/js_error@1", sources=UNCAUGHT, keys=_keys)
    return [*detectors, ErrorGroups(groups, report)]


def _rage(settings: PosthogSettings) -> RepeatRule:
    rage, words = settings.rageclick, _words(settings)
    ignored = Selectors(rage.css_selector_ignorelist)
    skips_text = rage.ignore_text_selection == "on" or (
        rage.ignore_text_selection == "default" and settings.defaults >= STEPPERS_SINCE
    )
    is_captured = Captured(settings.autocapture)

    def suppresses(click: Pointer, element: Element) -> bool:
        return (
            not is_captured(click, element)
            or ignored.closest(element) is not None
            or inside(element, lambda node: is_labelled(node, words))
            or (skips_text and (is_text_field(element, TEXT_TYPES) or is_editable(element)))
        )

    return RepeatRule(
        rule="posthog/rage_click@1",
        count=rage.click_count,
        window_ms=rage.timeout_ms,
        window="before",
        distance="axes",
        max_px=rage.threshold_px,
        is_below=True,
        identify=lambda _click, _element: 0,
        suppresses=suppresses,
    )


def _words(settings: PosthogSettings) -> tuple[str, ...]:
    rage = settings.rageclick
    if rage.content_ignorelist == "off":
        return ()
    if rage.content_words:
        return tuple(word.lower() for word in rage.content_words) if len(rage.content_words) <= MAX_WORDS else ()
    if rage.content_ignorelist == "on":
        return WORDS
    if settings.defaults >= STEPPERS_SINCE:
        return WORDS + STEPPERS
    return WORDS if settings.defaults >= WORDS_SINCE else ()


def _dead(dead: DeadClicks, *, skips_scrolls: bool) -> ExamineRule:
    ignored = Selectors(dead.css_selector_ignorelist)

    def is_candidate(element: Element) -> bool:
        return element.tag != "html" and ignored.closest(element) is None

    return ExamineRule(
        preset="posthog",
        version=1,
        mutation_ms=dead.mutation_threshold_ms,
        scroll_ms=dead.scroll_threshold_ms,
        selection_ms=dead.selection_change_threshold_ms,
        swipe_px=dead.swipe_threshold_px,
        max_swipes=dead.max_dead_swipes_per_page_load,
        takes_clicks=True,
        takes_swipes=dead.capture_dead_swipes,
        takes_modified_clicks=dead.capture_clicks_with_modifier_keys,
        skips_scrolls=skips_scrolls,
        is_click=lambda element: is_candidate(element) and not inside(element, lambda node: node.tag == "a"),
        is_swipe=is_candidate,
        hides_answers=lambda element: inside(element, lambda node: node.tag in UNSEEN_TAGS),
    )


def _keys(failure: Failure, frames: list[Frame]) -> tuple[str, ...]:
    """Type and own frames (a browser's are not resolved, so with line and column); the message only without any."""
    if not frames:
        return (f"{failure.error_type}\n{failure.message}",)
    own = [frame for frame in frames if frame.is_own] or frames[:1]
    return ("\n".join((failure.error_type, *(f"{f.file} {f.function} {f.line} {f.column}" for f in own))),)
