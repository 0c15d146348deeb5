"""A recorded visit, moved to another time: what the demo sends to show a session while it happens."""

from collections.abc import Iterable

import msgspec

from schemas.envelope import Envelope


class Sending(msgspec.Struct, frozen=True):
    """A message and when it is sent (epoch ms)."""

    at_ms: int
    value: bytes


def revisit(messages: Iterable[bytes], session_id: str, start_ms: int) -> list[Sending]:
    """Let a visit happen again under another id, its first event at `start_ms` (epoch ms).

    Args:
        messages: The envelopes of one recorded visit as JSON, plain, with rrweb events whose only times are
            their `timestamp`.
        session_id: The id of the new session.
        start_ms: When it begins.

    Returns:
        The messages in the order in which they are sent; after the last one the visit is over.
    """
    envelopes = sorted((msgspec.json.decode(message, type=Envelope) for message in messages), key=_sent_at)
    events = [msgspec.json.decode(envelope.events, type=list[dict[str, object]]) for envelope in envelopes]
    shift_ms = start_ms - min(_time(event) for batch in events for event in batch)
    last = _number(envelopes[-1])
    sendings = []
    for envelope, batch in zip(envelopes, events, strict=True):
        at_ms = _sent_at(envelope) + shift_ms
        moved = msgspec.structs.replace(
            envelope,
            session_id=session_id,
            sent_at=at_ms,
            events=msgspec.Raw(msgspec.json.encode([{**each, "timestamp": _time(each) + shift_ms} for each in batch])),
            ended=_number(envelope) == last,
        )
        sendings.append(Sending(at_ms, msgspec.json.encode(moved)))
    return sendings


def _number(envelope: Envelope) -> tuple[str, int]:
    """Return what is the same for a batch that was sent twice."""
    return envelope.window_id, envelope.seq


def _sent_at(envelope: Envelope) -> int:
    return int(envelope.sent_at)


def _time(event: dict[str, object]) -> int:
    return msgspec.convert(event["timestamp"], int)
