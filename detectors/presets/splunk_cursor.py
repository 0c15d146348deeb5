"""Splunk's thrashed cursors."""

from typing import Annotated

from msgspec import Meta, Struct, field

from detectors.machines.cursors import ShakeRule
from detectors.presets.options import Count, Milliseconds, On, Patterns, Pixels, url_matcher

Share = Annotated[float, Meta(ge=0, le=1)]


class ThrashedCursor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Thrashed cursors; speeds in px a second."""

    enabled: On = True
    ignore_urls: Patterns = field(default=(), name="ignoreUrls")
    max_confined_area_size: Annotated[Pixels, Meta(description="Side of a place that counts as small.")] = field(
        default=200, name="maxConfinedAreaSize"
    )
    max_velocity: Annotated[Pixels, Meta(description="Faster steps are left out (px a second).")] = field(
        default=5_000, name="maxVelocity"
    )
    min_average_velocity: Annotated[Pixels, Meta(description="Slowest mean speed (px a second).")] = field(
        default=300, name="minAverageVelocity"
    )
    min_direction_change_degrees: Annotated[int, Meta(ge=1, le=180, description="Smallest turn.")] = field(
        default=45, name="minDirectionChangeDegrees"
    )
    min_direction_changes: Annotated[Count, Meta(description="Fewest turns.")] = field(
        default=4, name="minDirectionChanges"
    )
    min_movement_distance: Annotated[Pixels, Meta(description="Shorter steps have no direction.")] = field(
        default=5, name="minMovementDistance"
    )
    min_total_distance: Annotated[Pixels, Meta(description="Shortest path.")] = field(
        default=300, name="minTotalDistance"
    )
    score_weight_confined_area: Annotated[Share, Meta(description="Weight of the small place.")] = field(
        default=0.3, name="scoreWeightConfinedArea"
    )
    score_weight_direction_changes: Annotated[Share, Meta(description="Weight of the turns.")] = field(
        default=0.4, name="scoreWeightDirectionChanges"
    )
    score_weight_velocity: Annotated[Share, Meta(description="Weight of the speed.")] = field(
        default=0.3, name="scoreWeightVelocity"
    )
    thrashing_score_threshold: Annotated[Share, Meta(description="Smallest score.")] = field(
        default=0.65, name="thrashingScoreThreshold"
    )
    throttle_ms: Annotated[int, Meta(ge=16, le=10_000, description="Least time between samples.")] = field(
        default=16, name="throttleMs"
    )
    time_window_ms: Annotated[Milliseconds, Meta(description="Time looked at, and kept silent after a find.")] = field(
        default=2_000, name="timeWindowMs"
    )


def shake_rule(thrash: ThrashedCursor) -> ShakeRule:
    """Make the rule of these options."""
    return ShakeRule(
        rule="splunk/thrashed_cursor@1",
        window_ms=thrash.time_window_ms,
        sample_ms=thrash.throttle_ms,
        max_speed=thrash.max_velocity,
        min_path_px=thrash.min_total_distance,
        min_speed=max(thrash.min_average_velocity, 1),
        min_turns=thrash.min_direction_changes,
        turn_degrees=thrash.min_direction_change_degrees,
        min_step_px=thrash.min_movement_distance,
        place_px=max(thrash.max_confined_area_size, 1),
        turn_weight=thrash.score_weight_direction_changes,
        speed_weight=thrash.score_weight_velocity,
        place_weight=thrash.score_weight_confined_area,
        min_score=thrash.thrashing_score_threshold,
        is_ignored=url_matcher(thrash.ignore_urls),
    )
