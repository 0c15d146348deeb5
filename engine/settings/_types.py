"""Kinds of numbers that settings of all sections are made of, with their units and outermost bounds."""

from typing import Annotated, TypeAlias

from msgspec import Meta

from engine.settings._units import DAY_MS, GIB

Duration: TypeAlias = Annotated[int, Meta(ge=1, le=3_650 * DAY_MS, extra={"unit": "duration"})]
DurationOrZero: TypeAlias = Annotated[int, Meta(ge=0, le=3_650 * DAY_MS, extra={"unit": "duration"})]
SizeOrZero: TypeAlias = Annotated[int, Meta(ge=0, le=1_024 * GIB, extra={"unit": "size"})]
Size: TypeAlias = Annotated[int, Meta(ge=1, le=1_024 * GIB, extra={"unit": "size"})]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
