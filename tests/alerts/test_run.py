"""`wince alerts run` with real servers: from signals to alerts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.alerts.core import Item
from tests.alerts.site import AlertSite, now_ms
from tests.engine.alerts.site import Site
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis

PAGE = "https://shop.example/cart"


@pytest.fixture
def site(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> Iterator[AlertSite]:
    made = AlertSite(kafka, redis_server.url, tmp_path)
    yield made
    made.stop_all()


def complaints(visitors: Site, count: int, t: int) -> list[Item]:
    items: list[Item] = []
    for number in range(count):
        session_id, activities = visitors.visit(t + number, PAGE)
        items += [*activities, visitors.complaint(session_id, t + number, PAGE)]
    return items


async def test_what_hurts_is_told(site: AlertSite) -> None:
    await site.create()
    alerter = site.alerter()
    alerter.start()
    await site.send(complaints(Site(), 6, now_ms()))
    (alert,) = await site.told(1, alerter)
    assert (alert.rule, alert.key.value, alert.numbers.sessions) == ("many", PAGE, 5)
    await site.has_judged_all(alerter)
    assert alerter.stop() == 0, alerter.said()
    assert "shop-1" not in alerter.said(100_000)
