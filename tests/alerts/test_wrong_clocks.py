"""A clock that was wrong for a while does not silence anybody once it is right again."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest_asyncio

from engine.operate.meters import Count
from tests.alerts.inside import running
from tests.alerts.site import AlertSite, now_ms
from tests.alerts.test_run import MINUTE_MS, OTHER, complaints
from tests.engine.alerts.site import DAY_MS, Site
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis


@pytest_asyncio.fixture
async def site(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> AsyncIterator[AlertSite]:
    made = AlertSite(kafka, redis_server.url, tmp_path)
    await made.create()
    yield made
    made.stop_all()


async def test_an_event_from_the_future_is_told_and_moves_nothing(site: AlertSite) -> None:
    visitors = Site()
    async with running(site) as inside:
        await site.send([msgspec.structs.replace(item, t=item.t + 3_650 * DAY_MS) for item in complaints(visitors, 1)])
        await inside.counts(Count.ALERT_TIMES_REPAIRED, 3, what="item")
        await site.send(complaints(visitors, 5))
        await inside.counts(Count.ALERTS, state="fired")
        assert inside.meters.value(Count.ALERT_DROPPED, reason="late") == 0
        assert (await site.stored()).state.now < now_ms() + MINUTE_MS


async def test_the_alerters_own_clock_was_ahead(site: AlertSite) -> None:
    visitors = Site()
    async with running(site) as inside:
        await site.send(complaints(visitors, 3))
        await inside.counts(Count.ALERT_ITEMS, 9)
        inside.skipped_ms = 3 * DAY_MS

        async def is_ahead() -> bool:
            return (await site.stored()).state.now > now_ms() + 2 * DAY_MS

        await inside.until(is_ahead, "a project that is days ahead")
        inside.skipped_ms = 0
        await site.send(complaints(visitors, 6, OTHER))
        await inside.counts(Count.ALERTS, state="fired")
        assert inside.meters.value(Count.ALERT_DROPPED, reason="late") == 0
        assert inside.meters.value(Count.ALERT_TIMES_REPAIRED, what="project") == 1
        assert (await site.stored()).state.now < now_ms() + MINUTE_MS


async def test_what_was_stored_by_a_clock_ahead_is_set_back_by_who_takes_over(site: AlertSite) -> None:
    visitors = Site()
    async with running(site) as inside:
        inside.skipped_ms = 3 * DAY_MS
        await site.send(complaints(visitors, 3))
        await inside.counts(Count.ALERT_ITEMS, 9)

        async def is_ahead() -> bool:
            return (await site.stored()).state.now > now_ms() + 2 * DAY_MS

        await inside.until(is_ahead, "a project that is days ahead")
    async with running(site) as inside:
        await site.send(complaints(visitors, 6, OTHER))
        await inside.counts(Count.ALERTS, state="fired")
        assert inside.meters.value(Count.ALERT_DROPPED, reason="late") == 0


async def test_a_clock_that_is_behind_sets_nothing_back(site: AlertSite) -> None:
    visitors = Site()
    async with running(site) as inside:
        await site.send(complaints(visitors, 3))
        await inside.counts(Count.ALERT_ITEMS, 9)
    now = (await site.stored()).state.now
    async with running(site) as inside:
        inside.skipped_ms = -300 * DAY_MS
        await site.send(complaints(visitors, 6, OTHER))
        await inside.counts(Count.ALERT_ITEMS, 18)
        assert inside.meters.value(Count.ALERT_TIMES_REPAIRED, what="project") == 0
    assert (await site.stored()).state.now >= now
