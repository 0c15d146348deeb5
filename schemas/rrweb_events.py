"""rrweb events, types 0 to 8 (rrweb 2.2: `packages/types/src/index.ts`)."""

import msgspec
from msgspec import UNSET, UnsetType

from schemas.numbers import Milliseconds, Number, Timestamp
from schemas.rrweb_nodes import DocumentNode
from schemas.rrweb_sources import IncrementalData


def _null() -> msgspec.Raw:
    # As a default value it would have to appear in the JSON Schema, which knows no undecoded JSON.
    return msgspec.Raw(b"null")


class Empty(msgspec.Struct, gc=False):
    """An object whose content is not read."""


class Offset(msgspec.Struct, gc=False):
    """A scroll offset in CSS pixels."""

    top: Number
    left: Number


class _Event(msgspec.Struct, gc=False, tag_field="type", kw_only=True):
    timestamp: Timestamp
    delay: Milliseconds | UnsetType = UNSET


class DomContentLoaded(_Event, tag=0, kw_only=True):
    """The document was parsed."""

    data: Empty


class Load(_Event, tag=1, kw_only=True):
    """The page was loaded."""

    data: Empty


class FullSnapshotData(msgspec.Struct, gc=False, rename="camel"):
    """The whole document, and where it was scrolled to."""

    node: DocumentNode
    initial_offset: Offset | UnsetType = UNSET


class FullSnapshot(_Event, tag=2, kw_only=True):
    """A full snapshot of the page."""

    data: FullSnapshotData


class IncrementalSnapshot(_Event, tag=3, kw_only=True):
    """One change or one act of the visitor."""

    data: IncrementalData


class MetaData(msgspec.Struct, gc=False):
    """The page's URL and the viewport's size in CSS pixels."""

    href: str
    width: Number
    height: Number


class Meta(_Event, tag=4, kw_only=True):
    """Sent right before every full snapshot."""

    data: MetaData


class CustomData(msgspec.Struct, gc=False):
    """What the site or its tools added; the payload stays undecoded until its tag's schema is known."""

    tag: str
    payload: msgspec.Raw = msgspec.field(default_factory=_null)


class Custom(_Event, tag=5, kw_only=True):
    """A custom event."""

    data: CustomData


class PluginData(msgspec.Struct, gc=False):
    """What a recorder plugin added."""

    plugin: str
    payload: msgspec.Raw = msgspec.field(default_factory=_null)


class Plugin(_Event, tag=6, kw_only=True):
    """A plugin event."""

    data: PluginData


class AssetFailure(msgspec.Struct, gc=False):
    """Why an asset is missing."""

    message: str = ""
    status: int | UnsetType = UNSET


class AssetData(msgspec.Struct, gc=False):
    """A resource of the page sent apart from its snapshot."""

    url: str
    payload: msgspec.Raw = msgspec.field(default_factory=_null)
    failed: AssetFailure | UnsetType = UNSET


class Asset(_Event, tag=7, kw_only=True):
    """An asset event."""

    data: AssetData


class AnnotationData(msgspec.Struct, gc=False):
    """A caption or timeline marker; `text` false or null ends a caption."""

    type: str
    text: str | bool | UnsetType = UNSET


class Annotation(_Event, tag=8, kw_only=True):
    """An annotation event (rrweb 2.2)."""

    data: AnnotationData


RrwebEvent = DomContentLoaded | Load | FullSnapshot | IncrementalSnapshot | Meta | Custom | Plugin | Asset | Annotation
