"""Which detectors there are, and how a project's are made."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from detectors import dead_click, error_click, js_error, rage_click
from detectors.aim import Aims
from detectors.machine import Report
from detectors.presets import amplitude, datadog, highlight, mixpanel, newrelic, openreplay, posthog, sentry, splunk
from detectors.protocol import Detector
from detectors.reactions import Reactions
from detectors.settings import DetectorSettings, PresetName

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rage_click": rage_click.RULE,
        "dead_click": dead_click.RULE,
        "error_click": error_click.RULE,
        "js_error": js_error.RULE,
    }
)
"""Every detector that reports, with the rule and version in force."""


def make_detectors(settings: DetectorSettings, report: Report) -> list[Detector]:
    """Make fresh detectors for one window; each calls `report` with a finding at the moment it is decided.

    Feed every interaction to them in the order of the list, and keep and restore their snapshots together: the first
    may be a watcher that the others ask and that reports nothing. Disabled detectors are left out.
    """
    return [detector for name in settings.chosen_presets for detector in _PRESETS[name](settings, report)]


def _wince(settings: DetectorSettings, report: Report) -> list[Detector]:
    rage, dead = settings.rage_click, settings.dead_click
    aims = Aims()
    detectors: list[Detector] = []
    if rage.enabled or dead.enabled:
        reactions = Reactions(max(rage.quiet_ms, rage.unanswered_window_ms, rage.window_ms, dead.wait_ms), aims)
        detectors.append(reactions)
        if rage.enabled:
            detectors.append(rage_click.RageClick(rage, reactions, aims, report))
        if dead.enabled:
            detectors.append(dead_click.DeadClick(dead, reactions, aims, report))
    if settings.error_click.enabled:
        detectors.append(error_click.ErrorClick(settings.error_click, aims, report))
    if settings.js_error.enabled:
        detectors.append(js_error.JsError(settings.js_error, report))
    return detectors


_PRESETS: Final[Mapping[PresetName, Callable[[DetectorSettings, Report], list[Detector]]]] = {
    "wince": _wince,
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
