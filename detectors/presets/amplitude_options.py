"""Amplitude's options, under the vendor's names."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from detectors.presets.options import Count, Milliseconds, On, Patterns, Selector

CLICKABLE: Final = (
    'input[type="button"]', 'input[type="submit"]', 'input[type="reset"]', 'input[type="image"]', 'input[type="file"]',
    "a", "button", '[role="button"]', '[role="link"]', '[role="menuitem"]', '[role="menuitemcheckbox"]',
    '[role="menuitemradio"]', '[role="option"]', '[role="tab"]', '[role="treeitem"]', '[contenteditable="true" i]',
)  # fmt: skip

AllowList = Annotated[
    tuple[Selector, ...], Meta(description="CSS selectors of the only elements tracked, in place of the vendor's list.")
]


class RageClicks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rage clicks."""

    enabled: On = True
    css_selector_allowlist: AllowList = field(default=("*",), name="cssSelectorAllowlist")


class DeadClicks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dead clicks."""

    enabled: On = True
    css_selector_allowlist: AllowList = field(default=CLICKABLE, name="cssSelectorAllowlist")


class ErrorClicks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Error clicks."""

    enabled: On = False
    css_selector_allowlist: AllowList = field(default=CLICKABLE, name="cssSelectorAllowlist")


class ThrashedCursor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thrashed cursors."""

    enabled: On = False
    direction_changes: Annotated[Count, Meta(description="Reversals on one axis, at least 5.")] = field(
        default=20, name="directionChanges"
    )
    threshold: Annotated[Milliseconds, Meta(description="Time they lie in, at most 4000 ms.")] = 2_000


class AmplitudeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Amplitude's `frustrationInteractions`."""

    rage_clicks: RageClicks = field(default=RageClicks(), name="rageClicks")
    dead_clicks: DeadClicks = field(default=DeadClicks(), name="deadClicks")
    error_clicks: ErrorClicks = field(default=ErrorClicks(), name="errorClicks")
    thrashed_cursor: ThrashedCursor = field(default=ThrashedCursor(), name="thrashedCursor")
    page_url_allowlist: Patterns = field(default=(), name="pageUrlAllowlist")
    page_url_excludelist: Patterns = field(default=(), name="pageUrlExcludelist")
