"""What custom and plugin events may hold: typed allow-lists, one per tag.

Decoding into a type leaves out unknown keys; a key of the wrong type makes the event unreadable, and it is dropped.
Sources: the products' SDKs (`getsentry/sentry-javascript` packages/replay-internal, `PostHog/posthog-js`
packages/browser/src/extensions/replay, `rrweb-io/rrweb` packages/plugins) and the collector's own four tags.
"""

from typing import Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from schemas.numbers import Number


class _Payload(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    pass


class JavascriptError(_Payload, kw_only=True):
    """Tag `js_error`."""

    kind: str = ""
    message: str | None = None
    stack: str | None = None
    source: str | None = None
    line: int | None = None
    col: int | None = None


class NetworkCall(_Payload, kw_only=True):
    """Tag `network`."""

    method: str = ""
    url: str = ""
    status: int | None = None
    duration_ms: Number | None = None
    error: str | None = None


class Navigation(_Payload, kw_only=True, rename={"source": "from", "target": "to"}):
    """Tag `navigation`: client-side routing."""

    kind: str = ""
    source: str | None = None
    target: str | None = None


class Visibility(_Payload, kw_only=True):
    """Tag `visibility`."""

    state: Literal["hidden", "visible", "prerender"]


class BreadcrumbNode(_Payload, kw_only=True):
    """The element of a Sentry click breadcrumb; its text and attributes are a second copy of the page, so they go."""

    id: int | UnsetType = UNSET


class BreadcrumbData(_Payload, kw_only=True, rename={"source": "from", "target": "to"}):
    """Details of a Sentry breadcrumb."""

    node_id: int | UnsetType = msgspec.field(default=UNSET, name="nodeId")
    node: BreadcrumbNode | UnsetType = UNSET
    source: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    status_code: int | UnsetType = UNSET
    time_after_click_ms: Number | UnsetType = msgspec.field(default=UNSET, name="timeAfterClickMs")
    click_count: int | UnsetType = msgspec.field(default=UNSET, name="clickCount")


class Breadcrumb(_Payload, kw_only=True):
    """Sentry's tag `breadcrumb`; its message is a copy of page text or console output, so it goes."""

    type: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    level: str | UnsetType = UNSET
    timestamp: Number | UnsetType = UNSET
    data: BreadcrumbData | UnsetType | None = UNSET


class SpanData(_Payload, kw_only=True):
    """Details of a Sentry span."""

    method: str | UnsetType = UNSET
    status_code: int | UnsetType = msgspec.field(default=UNSET, name="statusCode")
    size: Number | UnsetType = UNSET
    value: Number | UnsetType = UNSET
    duration: Number | UnsetType = UNSET


class PerformanceSpan(_Payload, kw_only=True):
    """Sentry's tag `performanceSpan`."""

    op: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    started_at: Number | UnsetType = msgspec.field(default=UNSET, name="startTimestamp")
    ended_at: Number | UnsetType = msgspec.field(default=UNSET, name="endTimestamp")
    data: SpanData | UnsetType | None = UNSET


class PageAddress(_Payload, kw_only=True):
    """PostHog's tags `$pageview` and `$url_changed`."""

    href: str | UnsetType = UNSET


class Idle(_Payload, kw_only=True):
    """PostHog's tags `sessionIdle` and `sessionNoLongerIdle`."""

    event_timestamp: Number | UnsetType = msgspec.field(default=UNSET, name="eventTimestamp")
    last_activity_at: Number | UnsetType = msgspec.field(default=UNSET, name="lastActivityTimestamp")
    threshold: Number | UnsetType = UNSET
    buffer_length: Number | UnsetType = msgspec.field(default=UNSET, name="bufferLength")
    buffer_size: Number | UnsetType = msgspec.field(default=UNSET, name="bufferSize")


class Nothing(_Payload, kw_only=True):
    """A tag that is worth keeping without its payload."""


class FetchRequest(_Payload, kw_only=True):
    """Amplitude's tag `fetch-request`."""

    timestamp: Number | UnsetType = UNSET
    method: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    status: int | UnsetType = UNSET
    duration: Number | UnsetType = UNSET
    start_time: Number | UnsetType = msgspec.field(default=UNSET, name="startTime")
    end_time: Number | UnsetType = msgspec.field(default=UNSET, name="endTime")


class ConsoleCall(_Payload, kw_only=True):
    """Plugin `rrweb/console@1`, and the legacy incremental source 11."""

    level: str
    trace: list[str] = []
    payload: list[str] = []


class NetworkRequest(_Payload, kw_only=True):
    """One request of plugin `rrweb/network@1`; bodies are no part of it."""

    name: str
    initiator_type: str | UnsetType = msgspec.field(default=UNSET, name="initiatorType")
    entry_type: str | UnsetType = msgspec.field(default=UNSET, name="entryType")
    method: str | UnsetType = UNSET
    status: int | UnsetType = UNSET
    start_time: Number | UnsetType = msgspec.field(default=UNSET, name="startTime")
    end_time: Number | UnsetType = msgspec.field(default=UNSET, name="endTime")
    duration: Number | UnsetType = UNSET
    timestamp: Number | UnsetType = UNSET
    transfer_size: Number | UnsetType = msgspec.field(default=UNSET, name="transferSize")
    encoded_size: Number | UnsetType = msgspec.field(default=UNSET, name="encodedBodySize")
    decoded_size: Number | UnsetType = msgspec.field(default=UNSET, name="decodedBodySize")
    request_headers: dict[str, str] | UnsetType | None = msgspec.field(default=UNSET, name="requestHeaders")
    response_headers: dict[str, str] | UnsetType | None = msgspec.field(default=UNSET, name="responseHeaders")
    is_initial: bool | UnsetType = msgspec.field(default=UNSET, name="isInitial")


class NetworkRequests(_Payload, kw_only=True):
    """Plugin `rrweb/network@1`."""

    requests: list[NetworkRequest]
    is_initial: bool | UnsetType = msgspec.field(default=UNSET, name="isInitial")


class CssAsset(_Payload, kw_only=True):
    """A style sheet sent as an asset (`SerializedCssTextArg`)."""

    rr_type: Literal["CssText"]
    css_texts: list[str] = msgspec.field(default_factory=list, name="cssTexts")


Payload = (
    JavascriptError
    | NetworkCall
    | Navigation
    | Visibility
    | Breadcrumb
    | PerformanceSpan
    | PageAddress
    | Idle
    | Nothing
    | FetchRequest
)

OWN_TAGS: Final[dict[str, type[Payload]]] = {
    "js_error": JavascriptError,
    "network": NetworkCall,
    "navigation": Navigation,
    "visibility": Visibility,
}
"""The collector's own tags: kept at every level, each field by its rule."""

PRODUCT_TAGS: Final[dict[str, type[Payload]]] = {
    "breadcrumb": Breadcrumb,
    "performanceSpan": PerformanceSpan,
    "$pageview": PageAddress,
    "$url_changed": PageAddress,
    "$session_id_change": Nothing,
    "sessionIdle": Idle,
    "sessionNoLongerIdle": Idle,
    "fetch-request": FetchRequest,
}
"""Tags of other recorders: kept at medium and light, dropped at conservative."""

MAX_PAYLOAD_BYTES: Final = 4 << 20


T = TypeVar("T")


def decode_payload(payload: bytes, kind: type[T]) -> T | None:
    """Decode JSON into an allow-list type; `None` if it is none, too large, or of other types."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None
