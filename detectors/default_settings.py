"""What can be set about the default's detectors of troubled visits: waiting, losing one's way, giving up."""

from typing import Annotated

from msgspec import Meta, Struct

from detectors.bounds import Enabled, Few, Quiet, Window


class NetworkErrorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a failed request is reported."""

    enabled: Enabled = True
    retry_ms: Annotated[
        Quiet, Meta(description="Time in which the page may try a failed request again before it is reported.")
    ] = 2_000


class SlowResponseSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an answer to a click is slow."""

    enabled: Enabled = True
    slow_ms: Annotated[Window, Meta(description="Time after a click from which on its answer is slow.")] = 3_000


class ThrashedCursorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the pointer is shaken."""

    enabled: Enabled = True
    turns: Annotated[Few, Meta(description="Turns on one axis that make shaking.")] = 8
    window_ms: Annotated[Window, Meta(description="Time in which that many turns are shaking.")] = 2_000
    leg_px: Annotated[int, Meta(ge=1, le=10_000, description="Shortest way between two turns.")] = 30


class QuickBackSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When pages are left at once."""

    enabled: Enabled = True
    stay_ms: Annotated[Window, Meta(description="Longest stay on a page that is left at once.")] = 3_000
    times: Annotated[int, Meta(ge=1, le=100, description="Such pages in a row that make a signal.")] = 2


class FormAbandonmentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a form that was left is reported."""

    enabled: Enabled = True
    fields: Annotated[int, Meta(ge=1, le=64, description="Fields typed into that make it a form worth a signal.")] = 2


class FormErrorLoopSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a form that is refused over and over is reported."""

    enabled: Enabled = True
    refusals: Annotated[Few, Meta(description="Refusals of one form in a row that make a loop.")] = 3


class RapidReloadSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a page is loaded again and again."""

    enabled: Enabled = True
    reloads: Annotated[Few, Meta(description="Reloads in a row that make a signal.")] = 3
    window_ms: Annotated[Window, Meta(description="Time in which that many reloads are rapid.")] = 10_000


class ScrollThrashSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a page is scrolled to and fro."""

    enabled: Enabled = True
    turns: Annotated[Few, Meta(description="Turns that make thrashing.")] = 5
    window_ms: Annotated[Window, Meta(description="Time in which that many turns are thrashing.")] = 4_000
    leg_px: Annotated[int, Meta(ge=1, le=10_000, description="Shortest way between two turns.")] = 150


class IdleSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a silence of the visitor is reported."""

    enabled: Enabled = True
    after_ms: Annotated[
        int, Meta(ge=1_000, le=86_400_000, description="Time without any activity of the visitor that is idle.")
    ] = 30_000
