"""Amplitude: `plugin-autocapture-browser` at commit 6deb0623b3d4."""

from typing import Final

from detectors.elements import Element
from detectors.interactions import Mutation, Navigation
from detectors.machine import Report
from detectors.machines.blamed import BlamedClicks, BlameRule
from detectors.machines.cursors import CursorReversals, ReversalRule
from detectors.machines.gestures import Pointer
from detectors.machines.repeated import RepeatedClicks, RepeatRule
from detectors.machines.selectors import Selectors
from detectors.machines.unanswered import Answer, UnansweredClicks, WaitRule
from detectors.presets.amplitude_options import AmplitudeSettings
from detectors.presets.options import ALL_ERRORS, node_of, url_matcher
from detectors.protocol import Detector

MIN_REVERSALS: Final = 5
MAX_REVERSAL_WINDOW_MS: Final = 4_000
OTHER_WINDOW: Final = Selectors(('a[target="_blank"]',))


class _Tracking:
    """Which element a press is about, as all signals of the plugin decide it together."""

    def __init__(self, settings: AmplitudeSettings) -> None:
        parts = (settings.rage_clicks, settings.dead_clicks, settings.error_clicks)
        self._all = Selectors([text for part in parts if part.enabled for text in part.css_selector_allowlist])
        self._allowed = url_matcher(settings.page_url_allowlist) if settings.page_url_allowlist else None
        self._excluded = url_matcher(settings.page_url_excludelist)

    def element(self, click: Pointer, element: Element, allowed: Selectors) -> Element | None:
        """Give the closest element that any signal tracks, if this signal's list has it."""
        if (self._allowed and not self._allowed(click.page)) or self._excluded(click.page):
            return None
        tracked = element if element.cursor else self._all.closest(element)
        if tracked is None or tracked.attributes.get("type", "").lower() in {"hidden", "password"}:
            return None
        return tracked if allowed.matches(tracked) else None

    def primary(self, click: Pointer, element: Element, allowed: Selectors) -> Element | None:
        """Give it for the primary button only, and not within links to other windows."""
        if click.button or OTHER_WINDOW.closest(element) is not None:
            return None
        return self.element(click, element, allowed)


def make(settings: AmplitudeSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:  # noqa: ARG001
    """Make the detectors for one window. Raises ValueError for selectors that cannot be used."""
    tracking = _Tracking(settings)
    detectors: list[Detector] = []
    if settings.rage_clicks.enabled:
        detectors.append(
            RepeatedClicks(_rage(tracking, Selectors(settings.rage_clicks.css_selector_allowlist)), report)
        )
    if settings.dead_clicks.enabled:
        detectors.append(
            UnansweredClicks(_dead(tracking, Selectors(settings.dead_clicks.css_selector_allowlist)), report)
        )
    if settings.error_clicks.enabled:
        detectors.append(
            BlamedClicks(_error(tracking, Selectors(settings.error_clicks.css_selector_allowlist)), report)
        )
    thrash = settings.thrashed_cursor
    if thrash.enabled:
        reversals = ReversalRule(
            rule="amplitude/thrashed_cursor@1",
            count=max(thrash.direction_changes, MIN_REVERSALS),
            window_ms=min(thrash.threshold, MAX_REVERSAL_WINDOW_MS),
        )
        detectors.append(CursorReversals(reversals, report))
    return detectors


def _rage(tracking: _Tracking, allowed: Selectors) -> RepeatRule:
    return RepeatRule(
        rule="amplitude/rage_click@1",
        count=4,
        window_ms=1_000,
        window="back",
        distance="box",
        max_px=50,
        on_page=True,
        counted="press",
        reported="closing",
        quiet_ms=1_000,
        is_voided_by_selection=True,
        find=lambda click, element: tracking.element(click, element, allowed),
        identify=node_of,
    )


def _dead(tracking: _Tracking, allowed: Selectors) -> WaitRule:
    return WaitRule(
        rule="amplitude/dead_click@1",
        wait_ms=3_000,
        examined="own",
        one_at_a_time=True,
        counted="press",
        answers={Mutation: Answer(), Navigation: Answer()},
        find=lambda click, element: tracking.primary(click, element, allowed),
    )


def _error(tracking: _Tracking, allowed: Selectors) -> BlameRule:
    return BlameRule(
        rule="amplitude/error_click@1",
        window_ms=2_000,
        by_press=True,
        sources=ALL_ERRORS,
        find=lambda click, element: tracking.primary(click, element, allowed),
    )
