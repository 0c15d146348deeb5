"""What all sessions of one process share: limits, decoders, sums, what was derived from settings."""

from typing import Final

import msgspec

from engine.core.attributes import AttributeReader
from engine.core.counts import Counts
from engine.core.packer import Packer
from engine.core.projects import Projects
from engine.input.events import MAX_VALUES, EventDecoder
from engine.input.messages import DecodedBatch
from engine.reasons import Reason
from engine.rebuild.context import RebuildTools
from engine.rebuild.page_cache import PageCache
from engine.settings import LimitSettings, OrderSettings, Settings
from replay.exclusions import Exclusions

JSON_LEVELS_AROUND_NODES: Final = 4
"""Objects and arrays around a snapshot's root node; each level of elements takes two more."""

_SEPARATE: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Shared:
    """Made once per process. Raises SelectorError or PolicyError if selectors or rules can't be used together.

    `exclusions` holds the users that are excluded besides those in the settings.
    """

    __slots__ = ("attributes", "counts", "decoder", "exclusions", "limits", "order", "packer", "projects", "tools")

    def __init__(self, settings: Settings) -> None:
        self.limits: LimitSettings = settings.limits
        self.order: OrderSettings = settings.order
        self.projects = Projects(settings)
        self.exclusions = Exclusions()
        self.counts = Counts()
        self.attributes = AttributeReader()
        self.decoder = EventDecoder(settings.limits)
        self.packer = Packer()
        self.tools = RebuildTools(
            max_depth=(settings.limits.max_depth - JSON_LEVELS_AROUND_NODES) // 2,
            max_nodes=settings.limits.max_nodes_per_page,
            decoder=self.decoder,
            known_pages=PageCache(settings.limits.max_known_pages_bytes),
        )

    def excludes(self, project_id: str, *user_ids: str | None) -> bool:
        """Say whether one of these is a user of the project about whom nothing may be stored."""
        excluded, exclusions = self.projects.of(project_id).excluded_users, self.exclusions
        return any(user_id in excluded or exclusions.has(project_id, user_id) for user_id in user_ids)

    def drop_batch(self, batch: DecodedBatch, reason: Reason) -> int:
        """Count a whole batch that is not used, and its events; return how many those are."""
        events = count_events(batch.envelope.events)
        counts = self.counts
        counts.batches_dropped[reason] += 1
        counts.events_read += events
        counts.events_dropped[reason] += events
        return events


def count_events(events: msgspec.Raw) -> int:
    """Count the entries of a JSON array; 0 if it can't be taken apart, or only with unreasonable effort."""
    if bytes(events).count(b",") > MAX_VALUES:
        return 0
    try:
        return len(_SEPARATE.decode(events))
    except (ValueError, RecursionError):
        return 0
