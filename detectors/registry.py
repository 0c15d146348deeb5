"""Which detectors there are, and how a project's are made."""

from collections.abc import Callable, Mapping
from typing import Final

from detectors.machine import Report
from detectors.opt_out import OptOut
from detectors.presets import amplitude, datadog, highlight, mixpanel, newrelic, openreplay, posthog, sentry, splunk
from detectors.protocol import Detector
from detectors.settings import DetectorSettings, PresetName
from detectors.tuning import Tuning
from detectors.wince import RULES, default_detectors

__all__ = ["RULES", "SIGNALS", "make_detectors"]

SIGNALS: Final[Mapping[PresetName, frozenset[str]]] = {
    "wince": frozenset(RULES),
    "amplitude": frozenset({"rage_click", "dead_click"}),
    "datadog": frozenset({"rage_click", "dead_click", "error_click", "js_error"}),
    "posthog": frozenset({"rage_click", "dead_click", "dead_swipe", "js_error"}),
    "sentry": frozenset({"rage_click", "dead_click", "slow_click", "multi_click", "js_error"}),
    "highlight": frozenset({"rage_click", "js_error"}),
    "openreplay": frozenset({"rage_click", "dead_click", "thrashed_cursor", "js_error"}),
    "mixpanel": frozenset({"rage_click", "dead_click"}),
    "newrelic": frozenset({"rage_click", "dead_click", "error_click"}),
    "splunk": frozenset({"rage_click", "dead_click", "error_click", "thrashed_cursor"}),
}
"""What each preset looks for unless its settings say otherwise."""


def make_detectors(settings: DetectorSettings, report: Report) -> list[Detector]:
    """Make fresh detectors for one window; each calls `report` with a finding at the moment it is decided.

    Feed every interaction to them in the order of the list, and keep and restore their snapshots together: the first
    may be a watcher that the others ask and that reports nothing. Disabled detectors are left out. Raises SelectorError
    for selectors in the settings that cannot be used.
    """
    opt_out = OptOut(Tuning(settings.rules) if settings.rules else None)
    told = opt_out.guard(report)
    made = [detector for name in settings.chosen_presets for detector in _PRESETS[name](settings, told)]
    return [opt_out, *made] if made else []


_PRESETS: Final[Mapping[PresetName, Callable[[DetectorSettings, Report], list[Detector]]]] = {
    "wince": default_detectors,
    "amplitude": lambda chosen, report: amplitude.make(chosen.amplitude, report, strict_quirks=chosen.strict_quirks),
    "datadog": lambda chosen, report: datadog.make(chosen.datadog, report, strict_quirks=chosen.strict_quirks),
    "posthog": lambda chosen, report: posthog.make(chosen.posthog, report, strict_quirks=chosen.strict_quirks),
    "sentry": lambda chosen, report: sentry.make(chosen.sentry, report, strict_quirks=chosen.strict_quirks),
    "highlight": lambda chosen, report: highlight.make(chosen.highlight, report, strict_quirks=chosen.strict_quirks),
    "openreplay": lambda chosen, report: openreplay.make(chosen.openreplay, report, strict_quirks=chosen.strict_quirks),
    "mixpanel": lambda chosen, report: mixpanel.make(chosen.mixpanel, report, strict_quirks=chosen.strict_quirks),
    "newrelic": lambda chosen, report: newrelic.make(chosen.newrelic, report, strict_quirks=chosen.strict_quirks),
    "splunk": lambda chosen, report: splunk.make(chosen.splunk, report, strict_quirks=chosen.strict_quirks),
}
