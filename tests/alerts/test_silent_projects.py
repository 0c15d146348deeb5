"""Projects that nothing is heard of any more are forgotten; those that somebody waits for are not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from engine.alerts.delivery.outbox import Outbox
from engine.alerts.names import AlertNames
from engine.alerts.parts import Changes
from engine.alerts.routing import Message
from engine.alerts.store import AlertStore, Forgetting, Outcome, ProjectWrite
from engine.operate.meters import Count
from engine.runtime.stores import redis_client
from engine.settings import load_settings
from replay.redis_client import Call
from tests.alerts.inside import running
from tests.alerts.site import AlertSite, now_ms
from tests.alerts.test_run import complaints
from tests.engine.alerts.delivery.alerts import alert
from tests.engine.alerts.site import DAY_MS, Site
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis


@pytest_asyncio.fixture
async def site(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> AsyncIterator[AlertSite]:
    made = AlertSite(kafka, redis_server.url, tmp_path)
    await made.create()
    yield made
    made.stop_all()


async def kept(site: AlertSite) -> dict[str, int]:
    """Return the keys of projects, and how long they last (ms); -1 is for good."""
    found = dict[str, int]()
    client = redis_client(site.settings)
    try:
        async for key in client.scan(f"{site.name}:{{alerts:*"):
            found[key.decode()] = int(str(await client.run(Call("PTTL", (key.decode(),)))))
    finally:
        await client.close()
    return found


async def test_a_project_is_forgotten_and_begins_anew(site: AlertSite) -> None:
    visitors = Site()
    patient = site.config.read_text()
    site.config.write_text(f'{patient}input_retention = "1s"\nforget_after = "2s"\n')
    site.settings = load_settings(site.config, {})
    async with running(site) as inside:
        await site.send(complaints(visitors, 3))
        await inside.counts(Count.ALERT_PROJECTS_FORGOTTEN)
        assert await kept(site) == {}
        assert await inside.tools.store.projects() == []
    # A busy machine may need more than two seconds for six visitors.
    site.config.write_text(patient)
    site.settings = load_settings(site.config, {})
    async with running(site) as inside:
        await site.send(complaints(visitors, 6))
        await inside.counts(Count.ALERTS, state="fired")
        assert await inside.tools.store.projects() == ["shop"]


async def test_one_wrong_clock_forgets_nobody(site: AlertSite) -> None:
    async with running(site) as inside:
        await site.send(complaints(Site(), 3))
        await inside.counts(Count.ALERT_ITEMS, 9)
        inside.skipped_ms = 40 * DAY_MS

        async def has_passed() -> bool:
            return (await site.stored()).state.now > now_ms() + 39 * DAY_MS

        await inside.until(has_passed, "40 days")
        assert inside.meters.value(Count.ALERT_PROJECTS_FORGOTTEN) == 0
        lasting = await kept(site)
        assert lasting
        assert all(0 < left <= 31 * DAY_MS for left in lasting.values())


async def test_messages_that_wait_keep_a_project(site: AlertSite) -> None:
    client = redis_client(site.settings)
    store, outbox = AlertStore(client, site.name), Outbox(client, AlertNames(site.name))
    try:
        message = Message("m1", "hook", "firing", alert(project_id="shop"), now_ms())
        write = ProjectWrite("shop", "", "t1", {}, Changes({}, []), messages=[message], now_ms=now_ms())
        await store.register(["shop"])
        assert await store.save([write]) == [Outcome.APPLIED]
        assert await store.forget("shop", "t1", 0, 1_000) is Forgetting.STAYS
        assert await store.forget("shop", "t1", now_ms(), DAY_MS) is Forgetting.STAYS
        assert await store.forget("shop", "another", 0, 1_000) is Forgetting.REFUSED
        (held,) = (await outbox.claim("shop", now_ms() + 1_000, 30_000, 10)).held
        await outbox.sent(held.entry, now_ms())
        assert await store.forget("shop", "t1", 0, 1_000) is Forgetting.GONE
        assert await store.projects() == []
        assert not [key for key in await kept(site) if ":claim:" not in key]
    finally:
        await client.close()
