"""An alerter whose Redis is away does what a worker does: it waits with what it has, says so, and keeps its place."""

import asyncio
from pathlib import Path

from engine.alerts.app.desk import FULL_TIMES
from engine.operate.health import Health
from engine.operate.meters import Count, Gauge
from engine.settings import load_settings
from replay.redis_server import Binary
from tests.alerts.inside import running
from tests.alerts.load import Load, verify
from tests.alerts.site import AlertSite
from tests.servers.kafka_broker import Kafka
from tests.servers.redis_process import RedisProcess

MOST = 50


async def test_redis_is_away_for_long(kafka: Kafka, redis_binary: Binary, tmp_path: Path) -> None:
    async with RedisProcess(redis_binary, append_only=True) as redis:
        site = AlertSite(kafka, redis.url, tmp_path)
        with site.config.open("a") as config:
            config.write(f"save_max_items = {MOST}\n")
        site.settings = load_settings(site.config, {})
        await site.create()
        load = Load(site, 3, at_once=20)
        health = Health(reached_within_ms=1_500)
        visiting = asyncio.create_task(load.run())
        try:
            async with running(site, health) as inside:
                await inside.counts(Count.ALERT_ITEMS, 200)
                desk, joined = inside.alerter._desk, inside.meters.value(Count.REBALANCES)
                assert desk is not None
                redis.kill()

                async def is_full() -> bool:
                    return desk.is_full and not health.ready().ok

                await inside.until(is_full, "partitions from which nothing more is taken")
                tries = inside.meters.value(Count.RETRIES, kind="unavailable")
                await inside.counts(Count.RETRIES, tries + 3, kind="unavailable")
                assert all(lane.waiting <= FULL_TIMES * MOST for lane in desk.lanes.values())
                assert health.ready().checks["redis"] != "ok"
                assert health.ready().checks["group"] == "ok"
                assert health.alive().ok
                await redis.start()

                async def is_ready() -> bool:
                    return health.ready().ok

                await inside.until(is_ready, "an alerter that is ready again")
                load.stop()
                await visiting
                await site.has_judged_all()
                assert inside.meters.value(Count.REBALANCES) == joined
                assert inside.meters.value(Gauge.PARTITIONS_ASSIGNED) == 6
                await verify(site, load)
        finally:
            load.stop()
            await asyncio.gather(visiting, return_exceptions=True)
            site.stop_all()
