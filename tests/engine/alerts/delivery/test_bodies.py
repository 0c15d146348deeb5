"""What receivers are posted: at most 20 KB, in the form each takes, and nothing in it that strangers can forge."""

import json
import re
from datetime import datetime
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.alerts.delivery.bodies import MAX_BYTES, body_of
from engine.alerts.delivery.told import News
from engine.alerts.routes import RouteKind
from engine.alerts.routing import messages
from schemas.alert_messages import AlertLink, AlertMessage
from schemas.alerts import Alert, AlertKey, AlertNumbers, Moment
from tests.engine.alerts.delivery.alerts import ALERT, OVER, T0, alert, rules

KINDS: tuple[RouteKind, ...] = get_args(RouteKind)
PUBLIC = "https://replay.example"
LINKS = [
    AlertLink(moment.session_id, moment.t, f"{PUBLIC}/p/abc.{moment.session_id}?t=1", T0) for moment in ALERT.moments
]
ROUTE = rules('[[routes]]\nname = "a"\nkind = "slack"\nurl = "env:A"\n')

TIMESTAMP = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}, "propertyNames": {"pattern": "^[a-zA-Z_]\\w*$"}}
V4_ALERT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"],
    "properties": {
        "status": {"enum": ["firing", "resolved"]},
        "labels": {**TEXTS, "required": ["alertname"]},
        "annotations": TEXTS,
        "startsAt": TIMESTAMP,
        "endsAt": TIMESTAMP,
        "generatorURL": {"type": "string"},
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    },
}
V4 = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
        "commonAnnotations", "externalURL", "alerts",
    ],
    "properties": {
        "version": {"const": "4"},
        "groupKey": {"type": "string"},
        "truncatedAlerts": {"type": "integer"},
        "status": {"enum": ["firing", "resolved"]},
        "receiver": {"type": "string"},
        "groupLabels": TEXTS,
        "commonLabels": TEXTS,
        "commonAnnotations": TEXTS,
        "externalURL": {"type": "string"},
        "alerts": {"type": "array", "minItems": 1, "items": V4_ALERT},
    },
}  # fmt: skip
"""By https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""

OF_ALERTMANAGER = """
{"receiver":"hook","status":"firing","alerts":[{"status":"firing","labels":{"alert_id":"test-1795343034415",
"alertname":"test","detector":"rage_click","dimension":"page","project":"test","severity":"info",
"value":"https://shop.example/cart"},"annotations":{"summary":"This is a test","watch_1":"https://replay.example/"},
"startsAt":"2026-11-22T10:22:54.415Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://replay.example",
"fingerprint":"cfc91bce7e51a328"}],"groupLabels":{"alert_id":"test-1795343034415","alertname":"test"},
"commonLabels":{"alert_id":"test-1795343034415","alertname":"test","detector":"rage_click","dimension":"page",
"project":"test","severity":"info","value":"https://shop.example/cart"},"commonAnnotations":{
"summary":"This is a test","watch_1":"https://replay.example/"},"externalURL":"http://alertmanager:9093","version":"4",
"groupKey":"{}:{alert_id=\\"test-1795343034415\\", alertname=\\"test\\"}","truncatedAlerts":0}
"""
"""What Alertmanager 0.25.0 posted after `wince alerts test` told it of a sample."""

POSTABLE = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["labels"],
        "properties": {
            "labels": {**TEXTS, "required": ["alertname"]},
            "annotations": TEXTS,
            "startsAt": TIMESTAMP,
            "endsAt": TIMESTAMP,
            "generatorURL": {"type": "string"},
        },
    },
}
"""`postableAlerts` of Alertmanager's API, version 2."""


def _plain(most: int) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "text"],
        "properties": {
            "type": {"const": "plain_text"},
            "text": {"type": "string", "minLength": 1, "maxLength": most},
            "emoji": {"type": "boolean"},
        },
    }


def _block(kind: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", *properties],
        "properties": {"type": {"const": kind}, **properties},
    }


RICH_TEXT = _block("text", text={"type": "string", "minLength": 1})
RICH_TEXT["properties"]["style"] = {"type": "object"}
SLACK = {
    "type": "object",
    "required": ["text", "blocks"],
    "properties": {
        "text": {"type": "string"},
        "mrkdwn": {"const": False},
        "blocks": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "oneOf": [
                    _block("header", text=_plain(150)),
                    _block("section", fields={"type": "array", "maxItems": 10, "items": _plain(2_000)}),
                    _block("context", elements={"type": "array", "maxItems": 10, "items": _plain(2_000)}),
                    _block(
                        "rich_text",
                        elements={
                            "type": "array",
                            "items": _block("rich_text_section", elements={"type": "array", "items": RICH_TEXT}),
                        },
                    ),
                    _block(
                        "actions",
                        elements={
                            "type": "array",
                            "maxItems": 25,
                            "items": _block(
                                "button",
                                text=_plain(75),
                                url={"type": "string", "maxLength": 3_000, "pattern": f"^{re.escape(PUBLIC)}/"},
                                action_id={"type": "string", "maxLength": 255},
                            ),
                        },
                    ),
                ]
            },
        },
    },
}
"""By https://api.slack.com/reference/block-kit/blocks: only kinds whose texts are shown as they are."""

SCHEMAS: dict[str, Any] = {"slack": SLACK, "alertmanager": V4, "alertmanager_api": POSTABLE}

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LONG_TEXT = st.builds(lambda text, times: (text * times)[:1_000], ANY_TEXT, st.sampled_from([1, 25]))
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
KEYS = st.builds(AlertKey, LONG_TEXT, st.sampled_from(["page", "element", "error", "project"]), LONG_TEXT)
NUMBERS = st.builds(
    AlertNumbers, *[st.integers(0, 10**9)] * 3, st.integers(1, 10**9), *[st.floats(0, 1e9, allow_nan=False)] * 2
)  # fmt: skip
TIMES = st.integers(-(2**53), 2**53)
ALERTS = st.builds(
    Alert, id=IDS, rule=st.just("spike"), project_id=IDS, key=KEYS,
    severity=st.sampled_from(["info", "warning", "critical"]), title=LONG_TEXT, fired_at=TIMES, numbers=NUMBERS,
    moments=st.lists(st.builds(Moment, IDS, TIMES, IDS, ANY_TEXT, LONG_TEXT, LONG_TEXT), max_size=4),
    grouped=st.lists(KEYS, max_size=25), resolved_at=st.none() | TIMES,
)  # fmt: skip


def _news(alert: Alert, *, links: list[AlertLink] | None = None, **changes: Any) -> News:
    news = News("a", "firing" if alert.resolved_at is None else "resolved", alert, links or [], public_url=PUBLIC)
    return news._replace(**changes)


@given(ALERTS)
def test_whatever_is_in_an_alert_bodies_are_valid_and_short(alert: Alert) -> None:
    for message in messages(alert, ROUTE, T0):
        links = [
            AlertLink(moment.session_id, moment.t, f"{PUBLIC}/p/{'x' * 1_200}?t={moment.t}")
            for moment in message.alert.moments
        ]
        for kind in KINDS:
            body = body_of(kind, _news(message.alert, links=links, messages_left_out=3))
            assert len(body) <= MAX_BYTES
            if kind == "webhook":
                assert msgspec.json.decode(body, type=AlertMessage).data.alert.id == alert.id
            else:
                Draft202012Validator(SCHEMAS[kind]).validate(json.loads(body))


def test_a_webhook_is_told_all() -> None:
    message = msgspec.json.decode(body_of("webhook", _news(ALERT, links=LINKS)), type=AlertMessage)
    assert (message.type, message.timestamp) == ("alert.firing", "2026-11-18T11:06:40.000Z")
    assert (message.data.alert, message.data.links, message.data.left_out) == (ALERT, LINKS, None)
    over = msgspec.json.decode(body_of("webhook", _news(OVER)), type=AlertMessage)
    assert (over.type, over.timestamp) == ("alert.resolved", "2026-11-18T11:16:40.000Z")


def test_what_is_too_long_is_cut_in_this_order_and_said() -> None:
    text = "💣" * 500
    moments = [msgspec.structs.replace(moment, page=text, text=text) for moment in ALERT.moments]
    keys = [AlertKey("rage_click", "page", f"{number}{text[:499]}") for number in range(20)]

    def told(alert: Alert, links: list[AlertLink] = LINKS) -> Any:
        return msgspec.json.decode(body_of("webhook", _news(alert, links=links)), type=AlertMessage).data

    several = told(alert(grouped=keys))
    assert (len(several.alert.grouped), several.left_out.grouped, several.alert.moments) == (5, 15, ALERT.moments)
    none = told(alert(grouped=keys, moments=moments))
    assert (len(none.alert.grouped), none.left_out.grouped, none.left_out.characters) == (0, 20, 0)
    long_links = [msgspec.structs.replace(link, url=f"{PUBLIC}/p/{'x' * 2_500}") for link in LINKS]
    shortened = told(alert(grouped=keys, moments=moments), long_links)
    assert (len(shortened.alert.moments), shortened.left_out.characters) == (3, 6 * 400)
    too_long = [msgspec.structs.replace(link, url=f"{PUBLIC}/p/{'x' * 9_000}") for link in LINKS]
    first = told(alert(grouped=keys, moments=moments), too_long)
    assert (len(first.alert.moments), len(first.links), first.left_out.moments) == (1, 1, 2)


HOSTILE = "<!channel> <@U123> <https://evil.example|click> & *bold* `x` @here \x1b[31m\u202egnp.exe"


@pytest.mark.parametrize("text", [HOSTILE, "]]>\n> quoted\n```", "<!subteam^S1>"])
def test_slack_shows_texts_of_strangers_as_they_are(text: str) -> None:
    hostile = alert(
        title=text, project_id=text, key=AlertKey("rage_click", "page", text), grouped=[AlertKey("d", "page", text)],
        moments=[Moment("s1", T0, "w", "rage_click", text, text)],
    )  # fmt: skip
    body = json.loads(body_of("slack", _news(hostile, links=[AlertLink("s1", T0, f"{PUBLIC}/s/s1?t=1")])))
    Draft202012Validator(SLACK).validate(body)
    assert not re.search("[<>]", body["text"])
    assert "mrkdwn" not in {element.get("type") for element in _elements(body)}
    everything = json.dumps(body, ensure_ascii=False)
    assert "\\u001b" not in everything
    assert "\u202e" not in everything


def _elements(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(found for each in value.values() for found in _elements(each))]
    return [found for each in value for found in _elements(each)] if isinstance(value, list) else []


def test_slack_has_a_button_for_each_moment() -> None:
    body = json.loads(body_of("slack", _news(ALERT, links=LINKS, messages_left_out=7)))
    buttons = [element for element in _elements(body) if element.get("type") == "button"]
    assert [button["url"] for button in buttons] == [link.url for link in LINKS]
    assert body["text"] == "🔴 Critical: spike in shop"
    shown = json.dumps(body)
    assert "12 of 40 sessions in 10 min (30.00%, usually 2.00%)" in shown
    assert "7 messages before this one were left out" in shown
    assert "lasted 10 min" in json.dumps(json.loads(body_of("slack", _news(OVER))))


def test_we_post_what_alertmanager_posts() -> None:
    theirs, ours = json.loads(OF_ALERTMANAGER), json.loads(body_of("alertmanager", _news(ALERT, links=LINKS)))
    Draft202012Validator(V4).validate(theirs)
    assert ours.keys() == theirs.keys()
    assert ours["alerts"][0].keys() == theirs["alerts"][0].keys()


def test_alertmanager_knows_an_alert_again_when_it_is_over() -> None:
    firing, over = (json.loads(body_of("alertmanager", _news(each, links=LINKS))) for each in (ALERT, OVER))
    assert firing["alerts"][0]["labels"] == over["alerts"][0]["labels"]
    assert firing["alerts"][0]["fingerprint"] == over["alerts"][0]["fingerprint"]
    assert firing["groupKey"] == over["groupKey"] == '{}:{alertname="spike", project="shop"}'
    assert (firing["status"], firing["alerts"][0]["endsAt"]) == ("firing", "0001-01-01T00:00:00Z")
    assert (over["status"], over["alerts"][0]["endsAt"]) == ("resolved", "2026-11-18T11:16:40.000Z")
    assert firing["commonAnnotations"]["watch_2"] == LINKS[1].url


def test_alertmanagers_api_is_told_until_when_an_alert_stays() -> None:
    (firing,), (over,) = (json.loads(body_of("alertmanager_api", _news(each))) for each in (ALERT, OVER))
    assert firing["labels"] == over["labels"]
    stays = datetime.fromisoformat(firing["endsAt"]) - datetime.fromisoformat(firing["startsAt"])
    assert stays.days == 2
    assert over["endsAt"] == "2026-11-18T11:16:40.000Z"


def test_vanished_traffic_is_told_in_sessions_an_hour() -> None:
    gone = alert(key=AlertKey("", "project"), numbers=AlertNumbers(0, 0, 0, 600_000, 3.0, 120.0))
    body = json.loads(body_of("alertmanager_api", _news(gone)))
    assert body[0]["annotations"]["description"] == "project: 3 sessions an hour, usually 120"
