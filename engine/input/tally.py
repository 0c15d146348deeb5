"""What happened to the events of one batch while they were decoded."""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from engine.input.snapshots import UnopenedSnapshot
from engine.reasons import Reason
from engine.settings import LimitSettings
from schemas.interaction_events import InteractionEvent
from schemas.rrweb_events import RrwebEvent

Event = RrwebEvent | UnopenedSnapshot | InteractionEvent
"""One event of either kind of input."""


class EventRefusedError(Exception):
    """This event is dropped for `reason`; its neighbours are not. It may have been a page, or have changed one."""

    def __init__(self, reason: Reason, *, may_change_page: bool = True) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.may_change_page = may_change_page


class Kept(NamedTuple):
    """What could be decoded of an event.

    `timed` tells whether its timestamp is its own (it is 0 otherwise), `whole` whether all that it says of the page is
    still there.
    """

    event: Event
    timed: bool = True
    whole: bool = True


class Tally:
    """Counts by reason of one batch, and the limits it is decoded under."""

    __slots__ = ("dropped", "limits", "repaired")

    def __init__(self, limits: LimitSettings) -> None:
        self.limits = limits
        self.dropped: defaultdict[Reason, int] = defaultdict(int)
        self.repaired: defaultdict[Reason, int] = defaultdict(int)

    def add_repairs(self, repaired: Mapping[Reason, int]) -> None:
        """Count changes that were counted elsewhere."""
        for reason, count in repaired.items():
            self.repaired[reason] += count
