"""The types that settings of detectors are made of, with the bounds that keep their state small."""

from typing import Annotated, TypeAlias

from msgspec import Meta

Enabled: TypeAlias = Annotated[bool, Meta(description="Whether this detector runs.")]

MAX_WINDOW_MS = 60_000
"""Longest window of a detector: every open session holds state for that long, and a later answer is no answer."""

Window: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_WINDOW_MS)]
Quiet: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_WINDOW_MS)]
Few: TypeAlias = Annotated[int, Meta(ge=2, le=100)]
"""How often something has to happen; detectors remember each time."""
