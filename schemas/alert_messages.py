"""What a webhook is told of an alert."""

from typing import Literal

import msgspec

from schemas.alerts import Alert


class AlertLink(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A moment to watch: in which session, when (epoch ms), and the address of the replay there.

    With `expires_at` (epoch ms) anyone who has the address can watch until then; else one has to sign in.
    """

    session_id: str
    t: int
    url: str
    expires_at: int | None = None


class LeftOut(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """How much of an alert is not in its message because it would be too long."""

    moments: int = 0
    grouped: int = 0
    characters: int = 0


class AlertNews(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An alert, the route it was sent on, links to moments that show it, and what is not said.

    `messages_left_out` is how many messages were too many for the route since the last one that arrived.
    """

    route: str
    alert: Alert
    links: list[AlertLink] = []
    left_out: LeftOut | None = None
    messages_left_out: int = 0


class AlertMessage(msgspec.Struct, frozen=True, gc=False):
    """The body of a webhook, as Standard Webhooks recommends it; at most 20 KB.

    `timestamp` is when the alert fired or ended (RFC 3339). The header `webhook-id` is the same whenever the same
    message is sent again; messages about the same alert have the same `data.alert.id`.
    """

    type: Literal["alert.firing", "alert.resolved"]
    timestamp: str
    data: AlertNews
