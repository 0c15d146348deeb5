"""The declaration of `[summary]`: a language model of one's own that says summaries in other words."""

from typing import Annotated

from msgspec import Meta, Struct, field

from engine.settings._types import Count, Duration
from engine.settings._units import SECOND_MS


class SummarySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How sessions are told."""

    model: Annotated[
        str,
        Meta(
            description="The entry point of the group `wince.summaries` that says summaries in other words; without "
            "one they are told in their own."
        ),
    ] = ""
    model_options: Annotated[dict[str, str], Meta(description="What that plugin is given as options, as texts.")] = {}
    model_timeout_ms: Annotated[
        Duration, Meta(description="A model that takes longer is not waited for; the summary's own words are given.")
    ] = field(default=10 * SECOND_MS, name="model_timeout")
    model_max_chars: Annotated[Count, Meta(description="A longer text of the model is not taken.")] = 4_000
