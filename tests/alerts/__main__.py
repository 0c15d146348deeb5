"""Measures how long it takes from the signal that decides an alert until a webhook has it, through restarts.

    python -m tests.alerts [--alerts N] [--kill-every SECONDS]

A broker, a Redis, two alerters and a receiver, each a process or task of its own; visitors come all the time. Without
kills first, then with an alerter, the Redis or the broker killed and started again all the time. Prints a JSON object.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from engine.alerts.core import Item
from tests.alerts.load import Load
from tests.alerts.receiver import SECRET, Receiver, receiving
from tests.alerts.site import MANY, AlertSite, encoded, now_ms
from tests.engine.alerts.site import Site
from tests.kafka.groups import producer
from tests.servers.kafka_broker import Kafka
from tests.servers.kafka_cluster import KafkaCluster
from tests.servers.kafka_jars import kafka_jars
from tests.servers.process import ServerProcess
from tests.servers.redis_process import RedisProcess
from tests.servers.redis_server import find_redis_binary

SESSIONS = 5
LONGEST_SECONDS = 300.0
PAUSE_SECONDS = 0.4


class Delays:
    """Makes pages hurt, one after the other, and measures when that is heard of."""

    def __init__(self, site: AlertSite, receiver: Receiver) -> None:
        self._site = site
        self._receiver = receiver
        self._numbers = itertools.count()
        self._visitors = Site(1, "measured")

    async def measure(self, alerts: int) -> list[float]:
        """Return the delays of so many alerts (seconds)."""
        async with producer(self._site.bootstrap, linger_ms=0) as made, asyncio.TaskGroup() as group:
            tasks = []
            for _ in range(alerts):
                tasks.append(group.create_task(self._one(made)))
                await asyncio.sleep(PAUSE_SECONDS)
        return [task.result() for task in tasks]

    async def _one(self, made: AIOKafkaProducer) -> float:
        page = f"https://measured.example/{_letters(next(self._numbers))}"
        *before, last = self._complaints(page)
        for item in before:
            await made.send(self._site.topic_of(item), encoded(item), key=b"k")
        started_s = time.monotonic()
        await made.send_and_wait(self._site.topic_of(last), encoded(last), key=b"k")
        got = await self._receiver.hears(page, LONGEST_SECONDS)
        return got.at_s - started_s

    def _complaints(self, page: str) -> list[Item]:
        items: list[Item] = []
        for _ in range(SESSIONS):
            session_id, activities = self._visitors.visit(now_ms(), page)
            items += [*activities, self._visitors.complaint(session_id, now_ms(), page)]
        return items


def _letters(number: int) -> str:
    """Name a page so that it is not folded."""
    return "page-" + "".join("abcdefghij"[int(digit)] for digit in str(number))


async def visit_always(load: Load) -> None:
    """Have visitors come, also after the broker was away."""
    while not load.is_stopped:
        with suppress(KafkaError):
            await load.run()


async def kill_always(
    alerters: list[ServerProcess], redis: RedisProcess, kafka: KafkaCluster, every_seconds: float, kills: list[str]
) -> None:
    """Kill one after the other and start it again."""
    while True:
        for alerter in alerters:
            await asyncio.sleep(every_seconds)
            alerter.kill()
            alerter.start()
            kills.append("alerter")
        await asyncio.sleep(every_seconds)
        redis.kill()
        await redis.start()
        kills.append("redis")
        await asyncio.sleep(every_seconds)
        kafka.brokers[0].kill()
        kafka.start()
        await kafka.ready()
        kills.append("broker")


def told(delays: list[float]) -> dict[str, float]:
    return {
        "alerts": len(delays),
        "p50_s": round(statistics.median(delays), 2),
        "p95_s": round(statistics.quantiles(delays, n=20)[-1], 2),
        "max_s": round(max(delays), 2),
    }


async def measure(kafka: KafkaCluster, folder: Path, alerts: int, kill_every: float) -> dict[str, object]:
    async with RedisProcess(find_redis_binary(), append_only=True) as redis, receiving() as receiver:
        (folder / "secret").write_text(SECRET)
        site = AlertSite(
            Kafka(kafka.bootstrap, "a broker of our own"),
            redis.url,
            folder,
            MANY + receiver.rules() + f'secrets = ["file:{folder}/secret"]\n',
            4,
        )
        await site.create()
        load = Load(site, 1, at_once=10, pause_seconds=1.0)
        visiting = asyncio.create_task(visit_always(load))
        alerters = [site.alerter(), site.alerter()]
        try:
            for alerter in alerters:
                alerter.start()
            await site.share_partitions(*alerters)
            await site.has_judged_some(*alerters)
            delays = Delays(site, receiver)
            calm = await delays.measure(alerts)
            kills: list[str] = []
            killing = asyncio.create_task(kill_always(alerters, redis, kafka, kill_every, kills))
            rough = await delays.measure(alerts)
            killing.cancel()
            with suppress(asyncio.CancelledError):
                await killing
        finally:
            load.stop()
            await visiting
            site.stop_all()
    twice = len(receiver.got) - len({got.message_id for got in receiver.got})
    return {
        "calm": told(calm),
        "with_kills": told(rough),
        "kills": len(kills),
        "received": len(receiver.got),
        "twice": twice,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100, help="how many alerts to measure, twice (100)")
    parser.add_argument("--kill-every", type=float, default=20.0, help="seconds between two kills (20)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wince-alerts-") as folder:
        async with KafkaCluster(kafka_jars()) as kafka:
            found = await measure(kafka, Path(folder), args.alerts, args.kill_every)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
