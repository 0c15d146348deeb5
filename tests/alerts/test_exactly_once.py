"""Counts and alerts are exact whatever is killed: alerters in the middle of work, Redis, a whole log."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from replay.redis_server import Binary
from tests.alerts.load import Load, verify
from tests.alerts.site import AlertSite
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_process import RedisProcess
from tests.servers.redis_server import FoundRedis

SEED = int(os.environ.get("WINCE_TEST_ALERT_SEED", "7"))
KILLS = int(os.environ.get("WINCE_TEST_ALERT_KILLS", "3"))


@pytest.fixture
def site(kafka: Kafka, redis_server: FoundRedis, tmp_path: Path) -> Iterator[AlertSite]:
    made = AlertSite(kafka, redis_server.url, tmp_path)
    yield made
    made.stop_all()


@asynccontextmanager
async def loaded(site: AlertSite) -> AsyncIterator[Load]:
    """Have visitors come all the time; in the end all is judged by who is alive then, and compared."""
    await site.create()
    load = Load(site, SEED)
    task = asyncio.create_task(load.run())
    try:
        yield load
    finally:
        load.stop()
        await task
    await site.has_judged_all(*site.running)
    await verify(site, load)


async def test_killed_in_the_middle_of_work(site: AlertSite) -> None:
    rng = random.Random(SEED)
    async with loaded(site):
        alerter = site.alerter()
        alerter.start()
        for _ in range(KILLS):
            await site.has_judged_some(alerter)
            await asyncio.sleep(rng.uniform(0, 0.6))
            alerter.kill()
            assert await site.has_more_to_judge(), "it was struck while there was something to do"
            alerter.start()


async def test_two_share_partitions_one_is_killed_and_comes_back(site: AlertSite) -> None:
    async with loaded(site):
        first, second = site.alerter(), site.alerter()
        first.start()
        await site.has_judged_some(first)
        second.start()
        await site.share_partitions(first, second)
        await site.has_judged_some(first, second)
        first.kill()
        assert await site.has_more_to_judge()
        await site.has_judged_some(second)
        first.start()
        await site.share_partitions(first, second)


async def test_one_that_was_paused_writes_nothing_any_more(site: AlertSite) -> None:
    async with loaded(site):
        first, second = site.alerter(), site.alerter()
        first.start()
        await site.has_judged_some(first)
        first.pause()
        assert await site.has_more_to_judge()
        second.start()
        await site.has_judged_some(second)
        first.resume()
        await site.share_partitions(first, second)
        await site.has_judged_some(first, second)


async def test_killed_between_storing_and_committing_and_then_nothing_comes(site: AlertSite) -> None:
    async with loaded(site):
        first = site.alerter()
        first.start()
        await site.has_judged_some(first)
    first.kill()
    ends = await site.ends()
    assert not await site.has_more_to_judge()
    await site.commit(dict.fromkeys(ends, 0))
    assert await site.has_more_to_judge(), "others believe so"
    second = site.alerter()
    second.start()
    await site.has_judged_all(second)


async def test_redis_is_killed_and_then_an_older_one(kafka: Kafka, redis_binary: Binary, tmp_path: Path) -> None:
    async with RedisProcess(redis_binary, append_only=True) as redis:
        site = AlertSite(kafka, redis.url, tmp_path)
        try:
            async with loaded(site):
                alerter = site.alerter()
                alerter.start()
                await site.has_judged_some(alerter)
                redis.kill()
                await asyncio.sleep(1)
                assert await site.has_more_to_judge()
                await redis.start()
                await site.has_judged_some(alerter)
                dump = await redis.snapshot()
                await site.has_judged_some(alerter)
                await redis.roll_back(dump)
                await site.has_judged_some(alerter)
        finally:
            site.stop_all()
