"""Full snapshots whose tree is left undecoded: most of the bytes, and the same bytes again and again."""

import msgspec
from msgspec import UNSET, UnsetType

from schemas.numbers import Timestamp
from schemas.rrweb_events import (
    Annotation,
    Asset,
    Custom,
    DomContentLoaded,
    IncrementalSnapshot,
    Load,
    Meta,
    Offset,
    Plugin,
)


class UnopenedSnapshotData(msgspec.Struct, gc=False, rename="camel"):
    """`FullSnapshotData` with its document as JSON text."""

    node: msgspec.Raw
    initial_offset: Offset | UnsetType = UNSET


class UnopenedSnapshot(msgspec.Struct, gc=False, tag_field="type", tag=2, kw_only=True):
    """`FullSnapshot` before its document is looked at: it may not fit the types, or not even be sound UTF-8."""

    timestamp: Timestamp
    data: UnopenedSnapshotData
    delay: Timestamp | UnsetType = UNSET


UnopenedEvent = (
    DomContentLoaded | Load | UnopenedSnapshot | IncrementalSnapshot | Meta | Custom | Plugin | Asset | Annotation
)
"""`RrwebEvent` with unopened snapshots."""
