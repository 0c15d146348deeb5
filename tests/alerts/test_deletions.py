"""`wince delete --no-kafka` reaches alerters: those at work, and those that are started later."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from engine.cli import main
from engine.operate.meters import Count
from engine.runtime.stores import redis_client, store_settings
from replay.redis_store import RedisStore
from schemas.activity import Activity
from tests.alerts.inside import Inside, running
from tests.alerts.receiver import SECRET
from tests.alerts.site import MANY, AlertSite
from tests.alerts.test_run import complaints, found_in_redis
from tests.engine.alerts.site import Site
from tests.replay.samples import write
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_server import FoundRedis

PROJECT = "bank-4711"


@pytest_asyncio.fixture
async def site(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> AsyncIterator[AlertSite]:
    (tmp_path / "secret").write_text(SECRET)
    route = (
        '[[routes]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:1900/"\nallow_hosts = ["127.0.0.1"]\n'
        f'secrets = ["file:{tmp_path}/secret"]\n'
    )
    made = AlertSite(kafka, redis_server.url, tmp_path, MANY + route)
    await made.create()
    yield made
    made.stop_all()


async def known(site: AlertSite, inside: Inside) -> list[str]:
    """Have an alert about some sessions, which are stored as well; give their ids."""
    items = complaints(Site(5, PROJECT), 6)
    ids = list(dict.fromkeys(item.session_id for item in items if isinstance(item, Activity)))
    client = redis_client(site.settings)
    try:
        store = RedisStore(client, store_settings(site.settings))
        for id_ in ids:
            await store.apply(write(id_, project_id=PROJECT))
    finally:
        await client.close()
    await site.send(items)
    await inside.counts(Count.ALERTS, state="fired")
    assert await of_alerts(site, ids) == set(ids)
    return ids


async def of_alerts(site: AlertSite, ids: list[str]) -> set[str]:
    """Say which sessions are anywhere in what alerters keep."""
    return await found_in_redis(site, set(ids), PROJECT, f"{site.name}:{{alerts:*")


async def delete(site: AlertSite, ids: list[str]) -> None:
    command = [
        "delete",
        *(part for id_ in ids for part in ("--session", id_)),
        "--yes",
        "--no-kafka",
        "--config",
        str(site.config),
    ]
    assert await asyncio.to_thread(main, command) == 0


async def is_forgotten(site: AlertSite, inside: Inside, ids: list[str]) -> None:
    async def ask() -> bool:
        return not await of_alerts(site, ids)

    await inside.until(ask, "nothing of the sessions in what alerters keep")
    (alert,) = await site.alerts(PROJECT)
    assert (alert.moments, alert.numbers.sessions) == ([], 5)


async def test_an_alerter_at_work_forgets(site: AlertSite) -> None:
    async with running(site) as inside:
        ids = await known(site, inside)
        await delete(site, ids)
        await is_forgotten(site, inside, ids)
        again = complaints(Site(5, PROJECT), 6)
        await site.send(again)
        await inside.counts(Count.ALERT_DROPPED, len(again), reason="withdrawn")


async def test_one_that_starts_later_forgets(site: AlertSite) -> None:
    async with running(site) as inside:
        ids = await known(site, inside)
    await delete(site, ids)
    assert await of_alerts(site, ids)
    async with running(site) as inside:
        await is_forgotten(site, inside, ids)
