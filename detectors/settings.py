"""What can be set about the detectors: each threshold with its default, its bounds and its meaning.

The types are plain values; reading them from files and variables, and reporting wrong ones, is for the caller.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from detectors.bounds import Enabled, Quiet, Window
from detectors.default_settings import (
    FormAbandonmentSettings,
    FormErrorLoopSettings,
    IdleSettings,
    NetworkErrorSettings,
    QuickBackSettings,
    RapidReloadSettings,
    ScrollThrashSettings,
    SlowResponseSettings,
    ThrashedCursorSettings,
)
from detectors.presets.amplitude_options import AmplitudeSettings
from detectors.presets.datadog import DatadogSettings
from detectors.presets.highlight import HighlightSettings
from detectors.presets.mixpanel import MixpanelSettings
from detectors.presets.newrelic import NewrelicSettings
from detectors.presets.openreplay import OpenreplaySettings
from detectors.presets.posthog_options import PosthogSettings
from detectors.presets.sentry import SentrySettings
from detectors.presets.splunk import SplunkSettings
from detectors.tuning import ElementRule

PresetName: TypeAlias = Literal[
    "wince",
    "amplitude",
    "datadog",
    "posthog",
    "sentry",
    "highlight",
    "openreplay",
    "mixpanel",
    "newrelic",
    "splunk",
]
"""Rule sets that can be chosen: our own, and vendors' definitions."""


class RageClickSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When several clicks on one spot are rage."""

    enabled: Enabled = True
    count: Annotated[int, Meta(ge=2, le=100, description="Clicks that make rage.")] = 4
    window_ms: Annotated[Window, Meta(description="Time in which that many unanswered clicks are rage.")] = 1_000
    unanswered_window_ms: Annotated[
        Window,
        Meta(description="Time in which that many clicks are rage if the page answered none of the burst before."),
    ] = 4_000
    max_spread_px: Annotated[
        int, Meta(ge=0, le=10_000, description="Largest width and height of the area that a burst covers.")
    ] = 50
    quiet_ms: Annotated[Quiet, Meta(description="Time without another click after which a burst is over.")] = 1_000


class DeadClickSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a click that nothing answered is dead."""

    enabled: Enabled = True
    wait_ms: Annotated[Window, Meta(description="Time that the page has to answer a click.")] = 3_000


class ErrorClickSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an error is blamed on a click."""

    enabled: Enabled = True
    window_ms: Annotated[Window, Meta(description="Time after a click in which an error is blamed on it.")] = 1_000


class JsErrorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When JavaScript errors are reported."""

    enabled: Enabled = True
    quiet_ms: Annotated[
        Quiet,
        Meta(description="Time without the same error after which its repetitions are one signal."),
    ] = 1_000


class DetectorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set about the detectors of a project."""

    preset: Annotated[
        PresetName,
        Meta(description="Rule set that the detectors follow; their tables change single numbers of it."),
    ] = "wince"
    presets: Annotated[
        tuple[PresetName, ...],
        Meta(
            description="Rule sets that run side by side, in place of `preset`. Tags and score of a session come from "
            "the signals of `preset` if it is one of them, else of the first's."
        ),
    ] = ()
    strict_quirks: Annotated[
        bool, Meta(description="Whether vendors' presets have their faults as well, where these are known.")
    ] = False
    plugins: Annotated[
        dict[str, dict[str, str]],
        Meta(
            description="Detectors of other packages, beside every preset: a table `[detectors.plugins.NAME]` switches "
            "on the entry point NAME of the group `wince.detectors`; what is in it are its options, as texts."
        ),
    ] = {}
    rules: Annotated[
        tuple[ElementRule, ...],
        Meta(
            description="What is special about single elements of the site, by selector; the first rule that says "
            "something of a matter decides.",
        ),
    ] = ()
    rage_click: RageClickSettings = RageClickSettings()
    dead_click: DeadClickSettings = DeadClickSettings()
    error_click: ErrorClickSettings = ErrorClickSettings()
    js_error: JsErrorSettings = JsErrorSettings()
    network_error: NetworkErrorSettings = NetworkErrorSettings()
    slow_response: SlowResponseSettings = SlowResponseSettings()
    thrashed_cursor: ThrashedCursorSettings = ThrashedCursorSettings()
    quick_back: QuickBackSettings = QuickBackSettings()
    form_abandonment: FormAbandonmentSettings = FormAbandonmentSettings()
    form_error_loop: FormErrorLoopSettings = FormErrorLoopSettings()
    rapid_reload: RapidReloadSettings = RapidReloadSettings()
    scroll_thrash: ScrollThrashSettings = ScrollThrashSettings()
    idle: IdleSettings = IdleSettings()
    amplitude: AmplitudeSettings = AmplitudeSettings()
    datadog: DatadogSettings = DatadogSettings()
    posthog: PosthogSettings = PosthogSettings()
    sentry: SentrySettings = SentrySettings()
    highlight: HighlightSettings = HighlightSettings()
    openreplay: OpenreplaySettings = OpenreplaySettings()
    mixpanel: MixpanelSettings = MixpanelSettings()
    newrelic: NewrelicSettings = NewrelicSettings()
    splunk: SplunkSettings = SplunkSettings()

    @property
    def chosen_presets(self) -> tuple[PresetName, ...]:
        """The rule sets that run, each once."""
        return tuple(dict.fromkeys(self.presets)) or (self.preset,)

    @property
    def main_preset(self) -> PresetName:
        """The rule set whose signals make tags and score."""
        return self.preset if self.preset in self.chosen_presets else self.chosen_presets[0]
