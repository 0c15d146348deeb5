"""Errors, console output and requests, found among the events of a bundle. Pure.

They are custom and plugin events of rrweb recorders (docs/integrate.md) and interaction events. Few events are any of
these, so lines are only looked into if they have one of their names in them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from replay.api.types_timeline import TimelineEntry
from schemas.bundle_index import BlockEntry

MAX_TEXT_CHARS: Final = 500
"""Characters kept of a message or an address; the event has all."""

MAX_REQUESTS: Final = 100
"""Requests taken of one event."""

_FAILED_STATUS: Final = 400

T = TypeVar("T")


class _Line(msgspec.Struct, gc=False):
    """Any event; those of rrweb have a type, the others a kind."""

    type: int = -1
    kind: str = ""
    timestamp: float = 0
    t: float = 0
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Named(msgspec.Struct, gc=False):
    """A custom or plugin event."""

    tag: str = ""
    plugin: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"null")


class _Failure(msgspec.Struct, gc=False):
    message: str | None = None
    error_type: str | None = None
    source: str | None = None
    line: int | None = None
    col: int | None = None


class _Call(msgspec.Struct, gc=False):
    """A request, by any of the names that recorders give its parts."""

    url: str | None = None
    name: str | None = None
    method: str | None = None
    status: int | None = None
    duration_ms: float | None = None
    duration: float | None = None
    error: str | None = None
    failed: bool = False


class _Calls(msgspec.Struct, gc=False):
    requests: list[_Call] = []


class _Console(msgspec.Struct, gc=False):
    level: str = "log"
    payload: list[str] = []


Found = Iterator[TimelineEntry]
Finder = Callable[[int, str, bytes], Found]
"""Makes entries of what was found: when (epoch ms), in which window, and the JSON that says what."""


def _failure(t: int, window_id: str, body: bytes) -> Found:
    failure = _decoded(body, _Failure)
    if failure is not None:
        yield TimelineEntry(
            t=t, kind="error", window_id=window_id, error_type=_text(failure.error_type),
            message=_text(failure.message), url=_text(failure.source), line=failure.line, column=failure.col,
        )  # fmt: skip


def _console_error(t: int, window_id: str, body: bytes) -> Found:
    failure = _decoded(body, _Failure)
    if failure is not None:
        yield TimelineEntry(t=t, kind="console", window_id=window_id, level="error", message=_text(failure.message))


def _console(t: int, window_id: str, body: bytes) -> Found:
    console = _decoded(body, _Console)
    if console is not None:
        message = _text(" ".join(_decoded(each.encode(), str) or each for each in console.payload))
        yield TimelineEntry(t=t, kind="console", window_id=window_id, level=_text(console.level), message=message)


def _call(t: int, window_id: str, body: bytes) -> Found:
    call = _decoded(body, _Call)
    if call is not None:
        yield _request(t, window_id, call)


def _calls(t: int, window_id: str, body: bytes) -> Found:
    calls = _decoded(body, _Calls)
    for call in calls.requests[:MAX_REQUESTS] if calls else ():
        yield _request(t, window_id, call)


def _request(t: int, window_id: str, call: _Call) -> TimelineEntry:
    refused = call.status is not None and not 0 < call.status < _FAILED_STATUS
    return TimelineEntry(
        t=t, kind="request", window_id=window_id, url=_text(call.url or call.name), method=_text(call.method),
        status=call.status, duration_ms=call.duration if call.duration_ms is None else call.duration_ms,
        failed=call.failed or call.error is not None or refused, message=_text(call.error),
    )  # fmt: skip


_TAGS: Final[Mapping[str, Finder]] = {"js_error": _failure, "network": _call, "fetch-request": _call}
_PLUGINS: Final[Mapping[str, Finder]] = {"rrweb/console@1": _console, "rrweb/network@1": _calls}
_KINDS: Final[Mapping[str, Finder]] = {
    "error": _failure, "unhandled_rejection": _failure, "console_error": _console_error, "request_end": _call,
}  # fmt: skip

_NAMES: Final = re.compile(b"|".join(b'"%s"' % re.escape(name.encode()) for name in (*_TAGS, *_PLUGINS, *_KINDS)))

_CUSTOM: Final = 5
_PLUGIN: Final = 6


def find_log(block: BlockEntry, lines: bytes) -> Found:
    """Find errors, console output and requests in the lines of a block, in their order."""
    end = 0
    while (name := _NAMES.search(lines, end)) is not None:
        begin = lines.rfind(b"\n", 0, name.start()) + 1
        end = lines.find(b"\n", name.end())
        end = len(lines) if end < 0 else end
        yield from _entries(block.window_id, lines[begin:end])


def _entries(window_id: str, line: bytes) -> Found:
    event = _decoded(line, _Line)
    if event is None:
        return
    if event.kind in _KINDS:
        yield from _KINDS[event.kind](int(event.t), window_id, line)
    elif event.type in {_CUSTOM, _PLUGIN}:
        named = _decoded(bytes(event.data), _Named)
        finder = (_TAGS.get(named.tag) or _PLUGINS.get(named.plugin)) if named else None
        if named is not None and finder is not None:
            yield from finder(int(event.timestamp), window_id, bytes(named.payload))


def _decoded(text: bytes, kind: type[T]) -> T | None:
    """Decode JSON; `None` if it is of other types than those recorders use."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _text(text: str | None) -> str:
    return (text or "")[:MAX_TEXT_CHARS]
