"""Highlight: `backend/worker/worker.go` at commit 5099514e6288."""

from typing import Annotated

from msgspec import Meta, Struct

from detectors.interactions import Failure
from detectors.machine import Report
from detectors.machines.grouping import ErrorGroups, Frame, GroupRule
from detectors.machines.sets import ClickSets, SetRule
from detectors.presets.options import ALL_ERRORS, Count, Pixels
from detectors.protocol import Detector

FRAMES: int = 5


class HighlightSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Highlight's project settings."""

    rage_click_window_seconds: Annotated[Count, Meta(description="Time in which earlier clicks count (s).")] = 5
    rage_click_radius_pixels: Annotated[Pixels, Meta(description="Farthest distance of an earlier click.")] = 8
    rage_click_count: Annotated[Count, Meta(description="Earlier clicks that make rage.")] = 5


def make(settings: HighlightSettings, report: Report, *, strict_quirks: bool) -> list[Detector]:
    """Make the detectors for one window. With the vendor's fault the window is as many seconds as the count says."""
    seconds = settings.rage_click_count if strict_quirks else settings.rage_click_window_seconds
    rule = SetRule(
        rule="highlight/rage_click@1",
        earlier=settings.rage_click_count,
        window_ms=seconds * 1_000,
        radius_px=settings.rage_click_radius_pixels,
    )
    groups = GroupRule(rule="highlight/js_error@1", sources=ALL_ERRORS, keys=_keys)
    return [ClickSets(rule, report), ErrorGroups(groups, report)]


def _keys(failure: Failure, frames: list[Frame]) -> tuple[str, ...]:
    """Equal messages, or equal first frames: the first and up to four more."""
    keys = [f"message\n{failure.message}"] if failure.message else []
    if frames:
        places = (f"{frame.file} {frame.function} {frame.line} {frame.column}" for frame in frames[:FRAMES])
        keys.append("\n".join(("frames", *places)))
    return tuple(keys) or ("empty",)
