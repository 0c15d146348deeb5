"""Messages in the forms of Prometheus' Alertmanager.

Either as it posts them itself to its receivers, version 4
(https://prometheus.io/docs/alerting/latest/configuration/#webhook_config), or as it is told of alerts
(https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml, `POST /alerts`).
"""

import hashlib
from typing import Final

import msgspec

from engine.alerts.delivery.told import News, plain_text, told_key, told_numbers, written_time
from engine.settings._units import DAY_MS

NOT_OVER: Final = "0001-01-01T00:00:00Z"
"""How Alertmanager writes the end of what goes on."""

STAYS_MS: Final = 2 * DAY_MS
"""An alert is told once, not again and again as by Prometheus: so long it stays there if its end is lost."""


def alertmanager_body(news: News) -> bytes:
    """Write what a receiver of Alertmanager is posted."""
    labels, annotations = _labels(news), _annotations(news)
    alert = {
        "status": news.state,
        "labels": labels,
        "annotations": annotations,
        "startsAt": written_time(news.alert.fired_at),
        "endsAt": NOT_OVER if news.alert.resolved_at is None else written_time(_end_ms(news)),
        "generatorURL": news.public_url,
        "fingerprint": _fingerprint(labels),
    }
    grouped_by = {name: labels[name] for name in ("alertname", "project") if name in labels}
    told = ", ".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in grouped_by.items())
    body = {
        "version": "4",
        "groupKey": f"{{}}:{{{told}}}",
        "truncatedAlerts": 0,
        "status": news.state,
        "receiver": news.route,
        "groupLabels": grouped_by,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": news.public_url,
        "alerts": [alert],
    }
    return msgspec.json.encode(body)


def alertmanager_api_body(news: News) -> bytes:
    """Write what Alertmanager itself is posted."""
    alert = {
        "labels": _labels(news),
        "annotations": _annotations(news),
        "startsAt": written_time(news.alert.fired_at),
        "endsAt": written_time(_end_ms(news)),
        # It has to be an address, if it is there.
        **({"generatorURL": news.public_url} if news.public_url else {}),
    }
    return msgspec.json.encode([alert])


def _end_ms(news: News) -> int:
    end_ms = news.alert.resolved_at
    return news.alert.fired_at + STAYS_MS if end_ms is None else max(end_ms, news.alert.fired_at + 1)


def _labels(news: News) -> dict[str, str]:
    """Write labels that are the same as long as the alert lasts: by them Alertmanager knows it again."""
    alert = news.alert
    labels = {
        "alertname": alert.rule,
        "severity": alert.severity,
        "project": plain_text(alert.project_id),
        "detector": plain_text(alert.key.detector),
        "dimension": alert.key.dimension,
        "value": plain_text(alert.key.value),
        "alert_id": plain_text(alert.id),
    }
    return {name: value for name, value in labels.items() if value}


def _annotations(news: News) -> dict[str, str]:
    alert = news.alert
    said = {
        "summary": plain_text(alert.title),
        "description": f"{told_key(alert.key)}: {told_numbers(alert.numbers, alert.key.dimension, alert.key.detector)}",
    }
    said |= {f"watch_{number}": link.url for number, link in enumerate(news.links, 1)}
    if news.messages_left_out:
        said["messages_left_out"] = str(news.messages_left_out)
    return said


def _fingerprint(labels: dict[str, str]) -> str:
    text = "\0".join(f"{name}\1{value}" for name, value in sorted(labels.items()))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
