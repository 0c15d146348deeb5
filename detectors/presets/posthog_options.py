"""PostHog's options, under the vendor's names."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from detectors.presets.options import Count, Milliseconds, On, Pixels, Selector
from detectors.presets.posthog_capture import Autocapture

NO_RAGE: Final = (".ph-no-rageclick", ".ph-no-capture")
NO_DEAD: Final = (".ph-no-deadclick", ".ph-no-capture")

Choice = Literal["default", "on", "off"]
IgnoreList = Annotated[
    tuple[Selector, ...], Meta(description="CSS selectors of targets, and of what they lie in, that are left out.")
]


class Rageclick(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rage clicks."""

    enabled: On = True
    click_count: Annotated[Count, Meta(description="Clicks that make rage.")] = 3
    threshold_px: Annotated[Pixels, Meta(description="Distance, added over both axes, of two clicks.")] = 30
    timeout_ms: Annotated[Milliseconds, Meta(description="Time between two clicks.")] = 1_000
    css_selector_ignorelist: IgnoreList = NO_RAGE
    content_ignorelist: Annotated[
        Choice, Meta(description="Whether labels of pagers are left out; by default as `defaults` says.")
    ] = "default"
    content_words: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(description="Words in place of the vendor's (a list as `content_ignorelist`); over 10 are ignored."),
    ] = ()
    ignore_text_selection: Annotated[
        Choice, Meta(description="Whether text fields are left out; by default as `defaults` says.")
    ] = "default"


class DeadClicks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dead clicks and swipes."""

    enabled: On = True
    mutation_threshold_ms: Annotated[Milliseconds, Meta(description="Time the page has to change.")] = 2_500
    scroll_threshold_ms: Annotated[Milliseconds, Meta(description="Time it has to scroll.")] = 100
    selection_change_threshold_ms: Annotated[Milliseconds, Meta(description="Time to a selection.")] = 100
    capture_clicks_with_modifier_keys: Annotated[bool, Meta(description="Whether those count, too.")] = False
    css_selector_ignorelist: IgnoreList = NO_DEAD
    capture_dead_swipes: On = True
    swipe_threshold_px: Annotated[Pixels, Meta(description="Shortest way of a swipe.")] = 30
    max_dead_swipes_per_page_load: Annotated[Count, Meta(description="Most that are reported of a page.")] = 10


class PosthogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """PostHog's options."""

    defaults: Annotated[
        str,
        Meta(
            pattern=r"\A(\d{4}-\d\d-\d\d)?\Z",
            description="The date of the vendor's defaults that hold.",
            extra={"expected": "a date such as 2026-05-30, or nothing"},
        ),
    ] = ""
    rageclick: Rageclick = Rageclick()
    capture_dead_clicks: DeadClicks = DeadClicks()
    autocapture: Autocapture = Autocapture()
