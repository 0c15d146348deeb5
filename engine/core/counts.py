"""What became of everything that was read: the numbers behind `report.json`."""

from collections import Counter

import msgspec

from engine.reasons import Reason


class Counts(msgspec.Struct):
    """Sums over everything since the start. For batches and events alike: read = used + dropped by reason + held.

    `batches_used` went into their session, `events_published` into its bundle. `events_dropped` names each event that
    is not published once, also those of dropped batches as far as the batch could be opened. `repaired` counts
    changes inside events and batches that were used.
    """

    batches_read: int = 0
    batches_used: int = 0
    bytes_read: int = 0
    events_read: int = 0
    events_published: int = 0
    signals: int = 0
    batches_dropped: Counter[Reason] = msgspec.field(default_factory=Counter)
    events_dropped: Counter[Reason] = msgspec.field(default_factory=Counter)
    repaired: Counter[Reason] = msgspec.field(default_factory=Counter)
