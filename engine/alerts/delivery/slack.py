"""Messages for incoming webhooks of Slack (https://api.slack.com/reference/block-kit/blocks).

Texts of pages go into elements that Slack shows as they are (`plain_text`, and `text` of `rich_text`): there
`<!channel>` calls nobody, and an address is no link. The one place where markup is read is the line for notifications,
which is escaped (https://api.slack.com/reference/surfaces/formatting#escaping).
"""

from typing import Final

import msgspec

from engine.alerts.delivery.told import News, plain_text, told_key, told_numbers, told_span
from schemas.alerts import Moment

Block = dict[str, object]

_HEADER_CHARACTERS: Final = 150
_FIELD_CHARACTERS: Final = 400
_SIGNS: Final = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
_OVER: Final = "🟢"


def slack_body(news: News) -> bytes:
    """Write the message."""
    text = _headline(news)
    blocks = [
        {"type": "header", "text": _plain(text, _HEADER_CHARACTERS)},
        _literal(plain_text(news.alert.title), is_bold=True),
        {"type": "section", "fields": [_plain(line, _FIELD_CHARACTERS) for line in _lines(news)]},
        *_moments(news),
        *_context(news),
    ]
    return msgspec.json.encode(
        {"text": _escaped(text), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}
    )


def _headline(news: News) -> str:
    alert = news.alert
    sign = _OVER if news.state == "resolved" else _SIGNS[alert.severity]
    said = "Over" if news.state == "resolved" else alert.severity.capitalize()
    return f"{sign} {said}: {alert.rule} in {plain_text(alert.project_id)}"[:_HEADER_CHARACTERS]


def _lines(news: News) -> list[str]:
    alert = news.alert
    lines = [told_key(alert.key), told_numbers(alert.numbers, alert.key.dimension, alert.key.detector)]
    if alert.resolved_at is not None:
        lines.append(f"lasted {told_span(max(alert.resolved_at - alert.fired_at, 0))}")
    lines += [f"also: {told_key(key)}" for key in alert.grouped[: 10 - len(lines)]]
    return lines


def _moments(news: News) -> list[Block]:
    blocks: list[Block] = []
    buttons: list[Block] = []
    links = {(link.session_id, link.t): link.url for link in news.links}
    for number, moment in enumerate(news.alert.moments, 1):
        blocks.append(_literal(f"{number}. {_told_moment(moment)}"))
        url = links.get((moment.session_id, moment.t))
        if url is not None:
            label = {"type": "plain_text", "text": f"Watch {number}"}
            buttons.append({"type": "button", "text": label, "url": url, "action_id": f"watch_{number}"})
    return [*blocks, {"type": "actions", "elements": buttons}] if buttons else blocks


def _told_moment(moment: Moment) -> str:
    parts = (moment.detector.replace("_", " "), moment.text, moment.page)
    return plain_text(" · ".join(part for part in parts if part)) or "a session"


def _context(news: News) -> list[Block]:
    told = []
    if news.messages_left_out:
        told.append(f"{news.messages_left_out} messages before this one were left out: there were too many.")
    if news.left_out is not None:
        told.append("This alert was too long to be told whole.")
    return [{"type": "context", "elements": [_plain(line, _FIELD_CHARACTERS) for line in told]}] if told else []


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": text[:most] or " ", "emoji": False}


def _literal(text: str, *, is_bold: bool = False) -> Block:
    element: Block = {"type": "text", "text": text or " "}
    if is_bold:
        element["style"] = {"bold": True}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [element]}]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
