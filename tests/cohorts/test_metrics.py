"""What is measured of cohorts, and that it is served."""

import argparse
import re

import aiohttp
import pytest

from engine.cli._cohort_parts import receiver_of, watched
from engine.cohorts.jobs import Job, run_once
from engine.cohorts.watching import CohortMeters, CountedReceiver
from engine.delivery.posting import Poster
from engine.operate.meters import Count, Gauge
from engine.operate.programs import COHORT_METERS
from engine.operate.registry import Meters
from engine.settings import Settings, StoreSettings
from replay.errors import Saturated, Unavailable
from replay.redis_store import wall_clock_ms
from tests.cohorts.test_deletions import AWAY
from tests.cohorts.world import DAY, Notebook, World
from tests.servers.process import free_port
from tests.servers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_is_told_and_what_fails_is_counted(world: World) -> None:
    meters = Meters("test", COHORT_METERS)
    counted, notebook = CohortMeters(meters, world.clock_ms), Notebook()
    await world.visit("s1", "ada")
    await world.visit("s2", "bob")

    async def run() -> None:
        receiver = CountedReceiver(notebook, counted)
        job = Job(world.parts(world.declared(patience_ms=1)), receiver, world.clock_ms, 60_000, sleep=world.sleep)
        report = await run_once(job)
        counted.ran(report)
        counted.untold(report.untold)

    await run()
    world.now_ms += 8 * DAY
    notebook.answers = [AWAY]
    await run()
    notebook.answers = []
    counted.ran(None)
    counted.retried(Saturated("full"))
    counted.retried(Unavailable("away"))
    world.now_ms += DAY
    await run()
    values = {event: meters.value(Count.COHORT_EVENTS, event=event) for event in ("enter", "exit")}
    assert values == {"enter": 2, "exit": 2}
    outcomes = {name: meters.value(Count.COHORT_BATCHES, outcome=name) for name in ("accepted", "retry", "gone")}
    assert outcomes == {"accepted": 2, "retry": 1, "gone": 0}
    runs = {name: meters.value(Count.COHORT_RUNS, outcome=name) for name in ("done", "waiting", "failed")}
    assert runs == {"done": 2, "waiting": 1, "failed": 1}
    assert [meters.value(Count.RETRIES, kind=kind) for kind in ("saturated", "unavailable")] == [1, 1]


async def test_how_long_a_change_waits_grows_by_time_alone(world: World) -> None:
    meters = Meters("test", COHORT_METERS)
    counted = CohortMeters(meters, world.clock_ms)
    counted.measured("angry", 3, 2, world.now_ms)
    world.now_ms += 90_000
    meters.exposition()
    assert meters.value(Gauge.COHORT_LAG_SECONDS, cohort="angry") == 90
    counted.measured("angry", 3, 0, None)
    meters.exposition()
    assert meters.value(Gauge.COHORT_LAG_SECONDS, cohort="angry") == 0


async def test_it_is_served_with_members_and_lag(world: World) -> None:
    settings = Settings(store=StoreSettings(redis_url=world.url))
    world.now_ms = wall_clock_ms() - 60_000
    await world.visit("s1", "ada")
    await world.run(Notebook(AWAY), world.declared(patience_ms=1))
    port = free_port()
    args = argparse.Namespace(http=("127.0.0.1", port))
    async with watched(args, settings, [world.declared()], ("redis",)) as (meters, _), aiohttp.ClientSession() as http:
        assert isinstance(receiver_of(world.declared(), Poster(), meters), CountedReceiver)

        async def served() -> str | None:
            async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                text = await answer.text()
            return text if 'wince_cohort_waiting{cohort="angry"} 1.0' in text else None

        text = await until(served, 30, "how many are to be told")
        assert 'wince_cohort_members{cohort="angry"} 1.0' in text
        lag = re.search(r'wince_cohort_lag_seconds{cohort="angry"} (\S+)', text)
        assert lag is not None
        assert float(lag[1]) > 0
        assert "ada" not in text
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
