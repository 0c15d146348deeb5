"""Who is in a cohort, and what of that its receiver was told: one small value a user, changed by pure functions.

A user is a member while a session of theirs that meets the condition began less than the window ago. What a receiver
may know is kept beside it; an event is due wherever the two differ. So there is no log that could grow or be lost: what
changed and changed back before it was sent is never sent.

    member, told   nothing      maybe in     in           maybe out
    in             enter        enter        -            enter
    out            (forgotten)  exit         exit         exit

"Maybe" is what an attempt leaves that was not confirmed.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

Told: TypeAlias = Literal["", "maybe in", "in", "maybe out"]
"""What the receiver knows, or may know, of a user: nothing, or that the user is in or out."""

EventKind: TypeAlias = Literal["enter", "exit"]

_ATTEMPTED: Final[dict[EventKind, Told]] = {"enter": "maybe in", "exit": "maybe out"}


class Match(NamedTuple):
    """A session that meets the condition: when it began (epoch ms), and a digest of its id."""

    started_at: int
    support: str


class Moment(NamedTuple):
    """When something changes (epoch ms), and the number of the change: each larger than the one before."""

    now_ms: int
    sequence: int


class Member(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One user.

    `until` is when membership ends if nothing else happens (epoch ms), 0 of who is no member. `matched_at` is the start
    of the session by which the user came, `support` the digest of the one that lasts longest. `sequence` and `at`
    (epoch ms) are of the last coming or leaving. `walk` is the number of the last look at all sessions that met the
    user.
    """

    until: int
    matched_at: int
    support: str
    told: Told
    sequence: int
    at: int
    walk: int


def observed(member: Member | None, match: Match, window_ms: int, moment: Moment, walk: int) -> Member | None:
    """Take note of a session that meets the condition, once more or for the first time."""
    until = match.started_at + window_ms
    if until <= moment.now_ms:
        return member
    if member is None or not member.until:
        told: Told = "" if member is None else member.told
        return Member(until, match.started_at, match.support, told, moment.sequence, moment.now_ms, walk)
    walk = max(walk, member.walk)
    if until <= member.until:
        return member if walk == member.walk else msgspec.structs.replace(member, walk=walk)
    return msgspec.structs.replace(member, until=until, support=match.support, walk=walk)


def narrowed(member: Member, match: Match, window_ms: int, moment: Moment) -> Member | None:
    """Put membership on another session, which may end sooner: the one it stood on is gone, or meets no more."""
    until = match.started_at + window_ms
    if until <= moment.now_ms or not member.until:
        return left(member, moment)
    # What may have been sent is not changed any more: the same event says the same.
    matched_at = member.matched_at if member.told else match.started_at
    return msgspec.structs.replace(member, until=until, matched_at=matched_at, support=match.support)


def left(member: Member, moment: Moment) -> Member | None:
    """End membership; nothing is left of a user of whom nothing was ever sent."""
    if not member.told:
        return None
    if not member.until:
        return member
    return msgspec.structs.replace(
        member, until=0, matched_at=0, support="", sequence=moment.sequence, at=moment.now_ms
    )


def due_event(member: Member | None) -> EventKind | None:
    """Say what is to be sent."""
    if member is None:
        return None
    if member.until:
        return None if member.told == "in" else "enter"
    return "exit" if member.told else None


def attempted(member: Member, kind: EventKind) -> Member:
    """Take note that an event is about to be sent: from now on it may have arrived."""
    return msgspec.structs.replace(member, told=_ATTEMPTED[kind])


def confirmed(member: Member, kind: EventKind) -> Member | None:
    """Take note that the receiver took an event; the user may have come or left since it was sent."""
    if kind == "enter":
        return msgspec.structs.replace(member, told="in")
    return msgspec.structs.replace(member, told="") if member.until else None
