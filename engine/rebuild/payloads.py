"""Custom and plugin payloads: what they tell detectors. Masking them for publication is the masker's work."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from detectors import interactions as told
from engine.masking.errors import UNSPECIFIC, error_type_of
from engine.rebuild.context import Context
from schemas.numbers import Number

CANCELLED: Final = re.compile(r"\b(?:AbortError|aborted|cancel(?:led|ed))\b", re.IGNORECASE)
"""What browsers and libraries say of a request that the page itself gave up."""
PAYLOAD_MAX_CHARACTERS: Final = 8_192
"""Of messages and stacks at most this much is looked at."""
REQUESTS_MAX: Final = 200
FAILED_STATUS: Final = 400


class JsErrorPayload(msgspec.Struct, gc=False):
    """Custom tag `js_error`."""

    kind: str = "error"
    message: str = ""
    stack: str | None = None


class NetworkPayload(msgspec.Struct, gc=False):
    """Custom tag `network`: one fetch call that ended."""

    method: str = "GET"
    url: str = ""
    status: int | None = None
    duration_ms: Number = 0
    error: str | None = None


class NavigationPayload(msgspec.Struct, gc=False, rename={"origin": "from"}):
    """Custom tags `navigation` (client-side routing), `$pageview` and `$url_changed`."""

    kind: str = "push"
    origin: str | None = None
    to: str | None = None
    href: str | None = None


class VisibilityPayload(msgspec.Struct, gc=False):
    """Custom tag `visibility`."""

    state: str = "visible"


class ConsolePayload(msgspec.Struct, gc=False):
    """Plugin `rrweb/console@1`."""

    level: str = "log"
    trace: list[str] = []
    payload: list[str] = []


class NetworkRequest(msgspec.Struct, gc=False, rename="camel"):
    """One request of plugin `rrweb/network@1`."""

    name: str = ""
    status: int | None = None
    duration: Number = 0


class NetworkPluginPayload(msgspec.Struct, gc=False):
    """Plugin `rrweb/network@1`."""

    requests: list[NetworkRequest] = []


def tell_failure(context: Context, source: str, message: str, stack: str) -> None:
    """Tell a JavaScript error, its texts masked."""
    masker = context.page.masker
    message, stack = message[:PAYLOAD_MAX_CHARACTERS], stack[:PAYLOAD_MAX_CHARACTERS]
    error_type = error_type_of(message, stack) or ("" if source == "console_error" else UNSPECIFIC)
    frames = masker.stack_frames(stack)
    context.emit(told.Failure(context.t, context.page.url, source, error_type, masker.error_message(message), frames))


def tell_console(context: Context, level: str, payload: Sequence[str], trace: Sequence[str]) -> None:
    """Tell console output of level `error`; other levels tell nothing."""
    if level == "error" and payload:
        text = payload[0][:PAYLOAD_MAX_CHARACTERS]
        try:
            message = msgspec.json.decode(text, type=str)
        except (msgspec.DecodeError, UnicodeEncodeError):
            message = text
        stack = "\n".join(trace[:50]) if "\n" not in message else message
        tell_failure(context, "console_error", message.split("\n", 1)[0], stack)


def _js_error(context: Context, payload: JsErrorPayload) -> None:
    source = "unhandled_rejection" if payload.kind == "unhandledrejection" else "error"
    tell_failure(context, source, payload.message, payload.stack or "")


def _network(context: Context, payload: NetworkPayload) -> None:
    if payload.error is not None and not payload.status and CANCELLED.search(payload.error[:PAYLOAD_MAX_CHARACTERS]):
        return  # nobody waits for it any more: it neither failed nor answered
    tell_request(context, payload.url, payload.status or 0, payload.duration_ms, failed=payload.error is not None)


def tell_request(context: Context, url: str, status: int, duration_ms: Number, *, failed: bool = False) -> None:
    """Tell a request that ended now and began `duration_ms` ago."""
    start_t = context.t - max(0, min(int(duration_ms), 3_600_000))
    failed = failed or not 0 < status < FAILED_STATUS
    masked = context.page.masker.url(url)
    context.emit(told.RequestEnd(context.t, context.page.url, start_t, masked, "", status, failed))


def _navigation(context: Context, payload: NavigationPayload) -> None:
    href = payload.to or payload.href
    if href is None:
        return
    before = context.page.url
    context.page.enter(href)
    if payload.to is not None or context.page.url != before:
        # Addresses that differ may be masked to be alike, so only the page itself can say that it is the same one.
        leads_nowhere = payload.to is not None and payload.to == payload.origin
        context.emit(told.Navigation(context.t, context.page.url, payload.kind, leads_nowhere))


def _visibility(context: Context, payload: VisibilityPayload) -> None:
    context.emit(told.Visibility(context.t, context.page.url, payload.state == "hidden"))


def _console(context: Context, payload: ConsolePayload) -> None:
    tell_console(context, payload.level, payload.payload, payload.trace)


def _requests(context: Context, payload: NetworkPluginPayload) -> None:
    for request in payload.requests[:REQUESTS_MAX]:
        tell_request(context, request.name, request.status or 0, request.duration)


Teller = tuple[type[msgspec.Struct], Callable[..., None]]

CUSTOM: Final[Mapping[str, Teller]] = {
    "js_error": (JsErrorPayload, _js_error),
    "network": (NetworkPayload, _network),
    "navigation": (NavigationPayload, _navigation),
    "$pageview": (NavigationPayload, _navigation),
    "$url_changed": (NavigationPayload, _navigation),
    "visibility": (VisibilityPayload, _visibility),
}
PLUGIN: Final[Mapping[str, Teller]] = {
    "rrweb/console@1": (ConsolePayload, _console),
    "rrweb/network@1": (NetworkPluginPayload, _requests),
}


def tell_payload(context: Context, tellers: Mapping[str, Teller], name: str, payload: bytes) -> None:
    """Tell what a known payload says; an unknown or malformed one says nothing."""
    teller = tellers.get(name)
    if teller is None:
        return
    try:
        decoded = msgspec.json.decode(payload, type=teller[0])
    except (msgspec.DecodeError, RecursionError):
        return
    teller[1](context, decoded)
