"""Custom and plugin payloads, rebuilt field by field from their allow-list types."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from engine.masking import consoles
from engine.masking.decisions import MASK
from engine.masking.errors import error_template, frames, masked_stack, scrub_message
from engine.masking.identifiers import MASKED_NAME, passes_name
from engine.masking.levels import Level
from engine.masking.payloads import (
    Breadcrumb,
    BreadcrumbData,
    ConsoleCall,
    FetchRequest,
    Idle,
    JavascriptError,
    Navigation,
    NetworkCall,
    NetworkRequest,
    NetworkRequests,
    Nothing,
    PageAddress,
    Payload,
    PerformanceSpan,
    SpanData,
    Visibility,
)
from engine.masking.urls import mask_url

_METHODS: Final = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE".split())
_ERROR_KINDS: Final = frozenset({"error", "unhandledrejection"})
_ROUTE_KINDS: Final = frozenset({"push", "replace", "pop", "hash", "load", "traverse"})
_MAX_REQUESTS: Final = 1_000
_MAX_LINES: Final = 50

_MEDIA: Final = r"(?:application|audio|font|image|model|multipart|text|video|\*)/[a-z0-9.+*-]{1,60}"
_LANGUAGE: Final = r"(?:[a-z]{1,3}|\*)(?:-[a-z0-9]{2,4}){0,3}"
_QUALITY: Final = r"(?:\s*;\s*[qv]=[a-z0-9.]{1,5}){0,3}"
_DIRECTIVE: Final = (
    r"(?:max-age|s-maxage|no-cache|no-store|no-transform|must-revalidate|proxy-revalidate|must-understand|private|"
    r"public|immutable|stale-while-revalidate|stale-if-error|min-fresh|max-stale|only-if-cached|pre-check|post-check)"
    r"(?:=\d{1,10})?"
)
_CHARSET: Final = (
    r"(?:utf-?(?:8|16)|us-ascii|iso-8859-\d{1,2}|windows-\d{3,4}|shift_jis|euc-(?:jp|kr)|gb(?:k|2312|18030)|big5)"
)


def _list_of(item: str) -> re.Pattern[str]:
    return re.compile(rf"{item}(?:\s*,\s*{item}){{0,20}}", re.IGNORECASE)


_HEADERS: Final[dict[str, re.Pattern[str]]] = {
    "content-type": re.compile(rf"{_MEDIA}(?:\s*;\s*charset=\"?{_CHARSET}\"?)?", re.IGNORECASE),
    "content-length": re.compile(r"\d{1,12}"),
    "cache-control": _list_of(_DIRECTIVE),
    "accept": _list_of(_MEDIA + _QUALITY),
    "accept-language": _list_of(_LANGUAGE + _QUALITY),
}
"""The five headers that are kept, each in the words that its standard gives it."""


def method_name(value: str) -> str:
    """Keep the method of a request if it is one of HTTP's."""
    return _one_of(value.upper(), _METHODS)


class EventRules:
    """Rebuilds payloads at one level."""

    def __init__(self, level: Level) -> None:
        self._light = level is Level.LIGHT

    def message(self, text: str) -> str:
        """An error's message: class, known words and fingerprint; at the light level what no detector finds."""
        return scrub_message(text) if self._light else error_template(text)

    def rebuild(self, payload: Payload) -> Payload:  # noqa: PLR0911
        """Return a new payload, each field judged by its rule."""
        match payload:
            case JavascriptError():
                return self._error(payload)
            case NetworkCall():
                return self._call(payload)
            case Navigation(kind=kind, source=source, target=target):
                return Navigation(kind=_one_of(kind, _ROUTE_KINDS), source=_url(source), target=_url(target))
            case PageAddress(href=href):
                return PageAddress(href=_set_url(href))
            case Breadcrumb():
                return _breadcrumb(payload)
            case PerformanceSpan():
                return _span(payload)
            case FetchRequest():
                return _fetch(payload)
            case Visibility() | Idle() | Nothing():
                return payload

    def console(self, call: ConsoleCall) -> ConsoleCall:
        """Console output: level, frames, and the arguments as their level allows."""
        rule = consoles.scrub_argument if self._light else consoles.mask_argument
        return ConsoleCall(
            level=consoles.console_level(call.level),
            trace=list(frames("\n".join(call.trace[:_MAX_LINES]))),
            payload=[rule(argument) for argument in call.payload[: consoles.MAX_ARGUMENTS]],
        )

    def _error(self, error: JavascriptError) -> JavascriptError:
        return JavascriptError(
            kind=_one_of(error.kind, _ERROR_KINDS),
            message=None if error.message is None else self.message(error.message),
            stack=None if error.stack is None else masked_stack(error.stack, error.message or ""),
            source=_url(error.source),
            line=error.line,
            col=error.col,
        )

    def _call(self, call: NetworkCall) -> NetworkCall:
        return NetworkCall(
            method=_one_of(call.method.upper(), _METHODS),
            url=mask_url(call.url),
            status=call.status,
            duration_ms=call.duration_ms,
            error=None if call.error is None else self.message(call.error),
        )


def network_requests(payload: NetworkRequests) -> NetworkRequests:
    """Requests of the network plugin: the address by rule u, headers by allow-list, numbers."""
    requests = [_request(request) for request in payload.requests[:_MAX_REQUESTS]]
    return NetworkRequests(requests=requests, is_initial=payload.is_initial)


def _request(request: NetworkRequest) -> NetworkRequest:
    return msgspec.structs.replace(
        request,
        name=mask_url(request.name),
        initiator_type=_set_name(request.initiator_type),
        entry_type=_set_name(request.entry_type),
        method=_set_method(request.method),
        request_headers=_headers(request.request_headers),
        response_headers=_headers(request.response_headers),
    )


def _headers(headers: Mapping[str, str] | UnsetType | None) -> dict[str, str] | UnsetType:
    if not isinstance(headers, Mapping):
        return UNSET
    kept = {}
    for name, value in headers.items():
        shape = _HEADERS.get(name.lower())
        if shape is not None:
            kept[name.lower()] = value if shape.fullmatch(value) else MASK
    return kept


def _breadcrumb(crumb: Breadcrumb) -> Breadcrumb:
    return Breadcrumb(
        type=_set_name(crumb.type),
        category=_set_name(crumb.category),
        level=_set_name(crumb.level),
        timestamp=crumb.timestamp,
        data=_breadcrumb_data(crumb.data) if isinstance(crumb.data, BreadcrumbData) else UNSET,
    )


def _breadcrumb_data(data: BreadcrumbData) -> BreadcrumbData:
    return msgspec.structs.replace(
        data,
        source=_set_url(data.source),
        target=_set_url(data.target),
        url=_set_url(data.url),
        method=_set_method(data.method),
    )


def _span(span: PerformanceSpan) -> PerformanceSpan:
    data = span.data
    return PerformanceSpan(
        op=_set_name(span.op),
        description=_set_url(span.description),
        started_at=span.started_at,
        ended_at=span.ended_at,
        data=msgspec.structs.replace(data, method=_set_method(data.method)) if isinstance(data, SpanData) else UNSET,
    )


def _fetch(request: FetchRequest) -> FetchRequest:
    return msgspec.structs.replace(request, method=_set_method(request.method), url=_set_url(request.url))


def _url(value: str | None) -> str | None:
    return None if value is None else mask_url(value)


def _set_url(value: str | UnsetType) -> str | UnsetType:
    return mask_url(value) if isinstance(value, str) else UNSET


def _set_name(value: str | UnsetType) -> str | UnsetType:
    return (value if passes_name(value) else MASKED_NAME) if isinstance(value, str) else UNSET


def _set_method(value: str | UnsetType) -> str | UnsetType:
    return _one_of(value.upper(), _METHODS) if isinstance(value, str) else UNSET


def _one_of(value: str, known: Sequence[str] | frozenset[str]) -> str:
    return value if value in known or not value else "other"
