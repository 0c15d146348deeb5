"""The careful way for one event that its types refuse: parse it untyped, keep what fits, say why if nothing does."""

import json
from typing import Final

from engine.input.fitting import EVENT_TYPES, KINDS, SOURCES, Misfit, fit_interaction_event, fit_rrweb_event, is_tag
from engine.input.json_text import is_deeper, repair_text
from engine.input.tally import Event, EventRefusedError, Kept, Tally
from engine.reasons import Reason
from schemas.numbers import LARGEST_INTEGER
from schemas.rrweb_events import IncrementalSnapshot
from schemas.rrweb_sources import MutationData

MAX_CONTAINERS: Final = 500_000
"""Arrays and objects in a text that is parsed untyped: Python spends 56 to 72 bytes on each, JSON only 3. A page of
100,000 nodes has 300,000."""

_FULL_SNAPSHOT: Final = 2
_INCREMENTAL: Final = 3
_META: Final = 4
_MUTATION: Final = 0
_LEFT_OUT: Final = frozenset({Reason.FIELD_DROPPED, Reason.ATTRIBUTE_DROPPED, Reason.NODE_DROPPED})
_MUTATION_LISTS: Final = ("texts", "attributes", "removes", "adds")

_Parsed = dict[str, object]


def repair_event(text: bytes, tally: Tally) -> Kept:
    """Return what can be kept of an event.

    Raises EventRefusedError if nothing can be kept; then nothing is counted as repaired.
    """
    attempt = Tally(tally.limits)
    value = _parse(text, attempt)
    _refuse_packed(value)
    timed = _mend_timestamp(value, "timestamp" if "type" in value else "t")
    event = _fit(value, attempt)
    tally.add_repairs(attempt.repaired)
    return Kept(event, timed, whole=_is_whole(value, event, attempt))


def _is_whole(value: _Parsed, event: Event, attempt: Tally) -> bool:
    """Whether nothing was left out that may have changed the page's tree: a text that names no node does not."""
    if not (isinstance(event, IncrementalSnapshot) and isinstance(event.data, MutationData)):
        return True
    data = value.get("data")
    sent = data.get("texts", []) if type(data) is dict else []
    texts = len(sent) - len(event.data.texts) if type(sent) is list else 1
    return sum(attempt.repaired[reason] for reason in _LEFT_OUT) == texts


def is_dense(text: bytes) -> bool:
    """Whether parsing the text untyped would cost too much memory."""
    return text.count(b"[") + text.count(b"{") > MAX_CONTAINERS


def _parse(text: bytes, attempt: Tally) -> _Parsed:
    text, repaired = repair_text(text)
    attempt.add_repairs(repaired)
    if is_deeper(text, attempt.limits.max_depth):
        raise EventRefusedError(Reason.EVENT_TOO_DEEP)
    if is_dense(text):
        raise EventRefusedError(Reason.EVENT_TOO_DENSE)
    try:
        # The standard library's parser takes what msgspec refuses as out of range: 1e400, and even NaN.
        value = json.loads(text.decode())
    except (ValueError, RecursionError):
        value = None
    if type(value) is not dict:
        raise EventRefusedError(Reason.INVALID_EVENT)
    return value


def _refuse_packed(value: _Parsed) -> None:
    """Refuse events that PostHog compressed in part: `data`, or lists in it, are text then."""
    data = value.get("data")
    if type(data) is str or (type(data) is dict and any(type(data.get(name)) is str for name in _MUTATION_LISTS)):
        raise EventRefusedError(Reason.PACKED_EVENT)


def _mend_timestamp(value: _Parsed, key: str) -> bool:
    timestamp = value.get(key)
    if type(timestamp) in (int, float) and 0 <= timestamp <= LARGEST_INTEGER:  # type: ignore[operator]  # just tested
        return True
    value[key] = 0
    return False


def _fit(value: _Parsed, attempt: Tally) -> Event:
    fit = fit_rrweb_event if "type" in value else fit_interaction_event
    try:
        return fit(value, attempt)  # type: ignore[return-value]  # fits are made from the very types
    except Misfit:
        raise EventRefusedError(_why_unfit(value), may_change_page=_may_change_page(value)) from None
    except RecursionError:
        raise EventRefusedError(Reason.EVENT_TOO_DEEP) from None


def _why_unfit(value: _Parsed) -> Reason:
    if "type" in value:
        if not is_tag(value["type"], EVENT_TYPES):
            return Reason.UNKNOWN_EVENT_TYPE
        data = value.get("data")
        if value["type"] == _INCREMENTAL and type(data) is dict and not is_tag(data.get("source"), SOURCES):
            return Reason.UNKNOWN_SOURCE
    elif "kind" in value and not is_tag(value["kind"], KINDS):
        return Reason.UNKNOWN_EVENT_TYPE
    return Reason.INVALID_EVENT


def _may_change_page(value: _Parsed) -> bool:
    """Whether an event that does not fit may be one after which the page is another: in doubt, yes.

    A number that is no known type or source is that of a newer recorder, and none of these.
    """
    kind = value.get("type")
    if type(kind) is not int:
        return kind is not None or "kind" not in value
    if kind != _INCREMENTAL:
        return kind in (_FULL_SNAPSHOT, _META)
    data = value.get("data")
    source = data.get("source") if type(data) is dict else None
    return type(source) is not int or source == _MUTATION
