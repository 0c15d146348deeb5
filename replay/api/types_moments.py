"""What the API says of moments of sessions."""

import msgspec


class Moment(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """When a signal was (epoch ms), in which window, and what it is called: its detector, count and masked label."""

    t: int
    detector: str
    window_id: str
    count: int | None = None
    text: str | None = None


class SessionMoments(msgspec.Struct, frozen=True):
    """The first moments of a session in order of time, and how many there are in all."""

    session_id: str
    moments: list[Moment]
    total: int


class MomentsPage(msgspec.Struct, frozen=True):
    """Moments of each session that was asked for, in that order."""

    sessions: list[SessionMoments]
