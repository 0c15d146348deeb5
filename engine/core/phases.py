"""When a session is open, ended or closed: the table of its life."""

import enum
from collections.abc import Mapping
from typing import Final

from engine.errors import Broken


class Phase(enum.StrEnum):
    """Where a session is in its life."""

    OPEN = "open"
    ENDED = "ended"
    """Ended, but data within the grace period opens it again."""
    CAPPED = "capped"
    """Grew over a limit: what comes is counted and dropped."""
    CLOSED = "closed"
    """Over: data that still comes is too late."""


class Sign(enum.StrEnum):
    """What can happen to a session."""

    ACTIVITY = "activity"
    IDLED = "idled"
    ENDED_BY_SENDER = "ended_by_sender"
    INPUT_ENDED = "input_ended"
    CAPPED = "capped"
    EXPIRED = "expired"


TRANSITIONS: Final[Mapping[Phase, Mapping[Sign, Phase]]] = {
    Phase.OPEN: {
        Sign.ACTIVITY: Phase.OPEN,
        Sign.IDLED: Phase.ENDED,
        Sign.ENDED_BY_SENDER: Phase.ENDED,
        Sign.INPUT_ENDED: Phase.ENDED,
        Sign.CAPPED: Phase.CAPPED,
    },
    Phase.ENDED: {
        Sign.ACTIVITY: Phase.OPEN,
        Sign.ENDED_BY_SENDER: Phase.ENDED,
        Sign.INPUT_ENDED: Phase.ENDED,
        Sign.CAPPED: Phase.CAPPED,
        Sign.EXPIRED: Phase.CLOSED,
    },
    Phase.CAPPED: {
        Sign.ACTIVITY: Phase.CAPPED,
        Sign.IDLED: Phase.CLOSED,
        Sign.CAPPED: Phase.CAPPED,
        Sign.ENDED_BY_SENDER: Phase.CAPPED,
        Sign.INPUT_ENDED: Phase.CAPPED,
    },
    Phase.CLOSED: {},
}


def advance(phase: Phase, sign: Sign) -> Phase:
    """Look up the next phase. A missing cell is our bug, never the sender's: raises Broken."""
    try:
        return TRANSITIONS[phase][sign]
    except KeyError:
        message = f"no way on from {phase} by {sign}"
        raise Broken(message) from None
