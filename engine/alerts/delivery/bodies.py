"""What is posted for an alert, in the form each kind of receiver takes: at most 20 KB, whatever is in the alert."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from engine.alerts.delivery.alertmanager import alertmanager_api_body, alertmanager_body
from engine.alerts.delivery.slack import slack_body
from engine.alerts.delivery.told import News, written_time
from engine.alerts.routes import RouteKind
from schemas.alert_messages import AlertLink, AlertMessage, AlertNews, LeftOut
from schemas.alerts import Alert, Moment

MAX_BYTES: Final = 20_000

_encode: Final = msgspec.json.encode

_FEW_GROUPED: Final = 5
_SHORT: Final = 100


class _Cut(NamedTuple):
    """How much of an alert is told: how many grouped keys and moments, and how many characters of each text."""

    grouped: int
    moments: int
    characters: int


_CUTS: Final = (
    _Cut(1_000, 3, 10_000),
    _Cut(_FEW_GROUPED, 3, 10_000),
    _Cut(0, 3, 10_000),
    _Cut(0, 3, _SHORT),
    _Cut(0, 1, _SHORT),
    _Cut(0, 0, _SHORT),
)
"""In this order: first other keys are left out, then ends of texts, then moments with their links.

Its own key is never cut: by it Alertmanager knows an alert again.
"""


def body_of(kind: RouteKind, news: News) -> bytes:
    """Write what is posted; what is too long is cut, and said to be."""
    write = _WRITERS[kind]
    body = b""
    for shorter in _shorter(news):
        body = write(shorter)
        if len(body) <= MAX_BYTES:
            break
    return body


def _shorter(news: News) -> Iterator[News]:
    for cut in _CUTS:
        alert = _cut_alert(news.alert, cut)
        yield news._replace(
            alert=alert, links=_links_of(alert.moments, news.links), left_out=_left_out(news.alert, alert)
        )


def _cut_alert(alert: Alert, cut: _Cut) -> Alert:
    most = cut.characters
    return msgspec.structs.replace(
        alert,
        title=alert.title[:most],
        grouped=alert.grouped[: cut.grouped],
        moments=[
            msgspec.structs.replace(moment, page=moment.page[:most], text=moment.text[:most])
            for moment in alert.moments[: cut.moments]
        ],
    )


def _links_of(moments: Sequence[Moment], links: Sequence[AlertLink]) -> list[AlertLink]:
    told = {(moment.session_id, moment.t) for moment in moments}
    return [link for link in links if (link.session_id, link.t) in told]


def _left_out(whole: Alert, told: Alert) -> LeftOut | None:
    characters = len(whole.title) - len(told.title)
    for moment, kept in zip(whole.moments, told.moments, strict=False):
        characters += _length(moment.page, moment.text) - _length(kept.page, kept.text)
    left_out = LeftOut(len(whole.moments) - len(told.moments), len(whole.grouped) - len(told.grouped), characters)
    return None if left_out == LeftOut() else left_out


def _length(*texts: str) -> int:
    return sum(map(len, texts))


def _webhook_body(news: News) -> bytes:
    at_ms = news.alert.resolved_at if news.state == "resolved" else news.alert.fired_at
    data = AlertNews(
        route=news.route, alert=news.alert, links=list(news.links), left_out=news.left_out,
        messages_left_out=news.messages_left_out,
    )  # fmt: skip
    kind: Literal["alert.firing", "alert.resolved"] = "alert.firing" if news.state == "firing" else "alert.resolved"
    return _encode(AlertMessage(kind, written_time(at_ms or news.alert.fired_at), data))


_WRITERS: Final[dict[RouteKind, Callable[[News], bytes]]] = {
    "webhook": _webhook_body,
    "slack": slack_body,
    "alertmanager": alertmanager_body,
    "alertmanager_api": alertmanager_api_body,
}
