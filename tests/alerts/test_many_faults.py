"""Counts and alerts are exact whatever strikes, one after the other and in any order, while visitors come."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from replay.redis_server import Binary
from tests.alerts.load import Load, verify
from tests.alerts.site import AlertSite
from tests.servers.kafka_broker import Kafka
from tests.servers.process import ServerProcess
from tests.servers.redis_process import RedisProcess

SEED = int(os.environ.get("WINCE_TEST_ALERT_SEED", "7"))
FAULTS = int(os.environ.get("WINCE_TEST_ALERT_FAULTS", "6"))
ZOMBIE_SECONDS = 8.0
"""Longer than `alerts.session_timeout`: others have taken its projects over when it wakes."""


class Faults:
    """Two alerters and a Redis of their own, and what can happen to them."""

    def __init__(self, site: AlertSite, redis: RedisProcess, seed: int) -> None:
        self.rng = random.Random(seed)
        self._site = site
        self._redis = redis
        self.alerters = [site.alerter(), site.alerter()]
        self._spare = site.alerter()

    def all(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.killed, self.zombie, self.redis_killed, self.redis_older, self.one_more, self.left_in_good_order]

    def _one(self) -> ServerProcess:
        return self.rng.choice(self.alerters)

    async def killed(self) -> None:
        one = self._one()
        one.kill()
        one.start()

    async def zombie(self) -> None:
        one = self._one()
        one.pause()
        await asyncio.sleep(ZOMBIE_SECONDS)
        one.resume()

    async def redis_killed(self) -> None:
        self._redis.kill()
        await asyncio.sleep(self.rng.uniform(0, 3))
        await self._redis.start()

    async def redis_older(self) -> None:
        dump = await self._redis.snapshot()
        await self._site.has_judged_some()
        await self._redis.roll_back(dump)

    async def one_more(self) -> None:
        """Have the partitions dealt out anew, and again."""
        self._spare.start()
        await self._site.share_partitions(*self.alerters, self._spare)
        assert self._spare.stop() == 0, self._spare.said()

    async def left_in_good_order(self) -> None:
        # Who was started a moment ago has no ear for signals yet.
        await self._site.share_partitions(*self.alerters)
        one = self._one()
        assert one.stop() == 0, one.said()
        one.start()


async def test_whatever_strikes(kafka: Kafka, redis_binary: Binary, tmp_path: Path) -> None:
    async with RedisProcess(redis_binary, append_only=True) as redis:
        site = AlertSite(kafka, redis.url, tmp_path, partitions=3)
        await site.create()
        faults, load = Faults(site, redis, SEED), Load(site, SEED, at_once=15, pause_seconds=0.3)
        visiting = asyncio.create_task(load.run())
        try:
            for alerter in faults.alerters:
                alerter.start()
            await site.share_partitions(*faults.alerters)
            kinds = faults.all()
            for number in range(FAULTS):
                if number % len(kinds) == 0:
                    faults.rng.shuffle(kinds)
                await site.has_judged_some(*faults.alerters)
                await asyncio.sleep(faults.rng.uniform(0, 0.6))
                print(kinds[number % len(kinds)].__name__)  # noqa: T201 - shown if the test fails
                await kinds[number % len(kinds)]()
            load.stop()
            await visiting
            await site.has_judged_all(*faults.alerters)
            await verify(site, load)
        finally:
            load.stop()
            await asyncio.gather(visiting, return_exceptions=True)
            site.stop_all()
