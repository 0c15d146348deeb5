"""What receivers get: events of coming and leaving, one by one or in batches, with ids that never change."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from engine.cohorts.membership import EventKind, Member, due_event


class Source(NamedTuple):
    """Which cohort of which project."""

    project_id: str
    cohort: str


class CohortEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user came into a cohort, or left it, noticed `at` (epoch ms).

    `id` is the same whenever the event is sent again. `sequence` grows with each change in the cohort: of two events
    about a user the larger one is right. `matched_at` is when the session began that made the user a member (epoch
    ms); an exit tells nothing but who left.
    """

    id: str
    event: EventKind
    cohort: str
    project_id: str
    user_id: str
    at: int
    sequence: int
    matched_at: int | None = None


class Batch(msgspec.Struct, frozen=True):
    """Events that are sent together; `id` stands for exactly these."""

    id: str
    source: Source
    events: tuple[CohortEvent, ...]


class _Data(msgspec.Struct, frozen=True):
    cohort: str
    project_id: str
    events: tuple[CohortEvent, ...]


class _Payload(msgspec.Struct, frozen=True):
    """The body of a webhook, in the form that Standard Webhooks recommends: type, timestamp, data."""

    type: str
    timestamp: str
    data: _Data


def event_of(source: Source, user_id: str, member: Member) -> CohortEvent | None:
    """Make the event that is due of a user, if there is one."""
    kind = due_event(member)
    if kind is None:
        return None
    return CohortEvent(
        id=_digest(source.project_id, source.cohort, user_id, kind, str(member.sequence)),
        event=kind,
        cohort=source.cohort,
        project_id=source.project_id,
        user_id=user_id,
        at=member.at,
        sequence=member.sequence,
        matched_at=member.matched_at if kind == "enter" else None,
    )


def batch_of(source: Source, events: Sequence[CohortEvent]) -> Batch:
    """Put events together."""
    return Batch(_digest(*(event.id for event in events)), source, tuple(events))


def webhook_body(batch: Batch) -> bytes:
    """Write a batch as the body of a webhook: the same bytes for the same batch."""
    latest_ms = max(event.at for event in batch.events)
    timestamp = datetime.fromtimestamp(latest_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = _Data(batch.source.cohort, batch.source.project_id, batch.events)
    return msgspec.json.encode(_Payload("cohort.changed", timestamp, data))


def lines(events: Sequence[CohortEvent]) -> bytes:
    """Write events as JSON lines."""
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)


def support_digest(session_id: str) -> str:
    """Name a session by something that tells nobody its id."""
    return _digest(session_id)


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest()
