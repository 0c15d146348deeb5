"""Alive, ready and measured: as seen over a real socket."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from engine.operate.health import Health, serve_health
from engine.operate.meters import Count
from engine.operate.registry import Meters


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock, beat_within_ms=5_000, reached_within_ms=10_000)


def make_ready(health: Health) -> None:
    health.joined(group=True)
    health.reached("kafka")
    health.reached("redis")


class TestAlive:
    def test_from_the_start_for_as_long_as_a_beat(self, health: Health, clock: Clock) -> None:
        assert health.alive().ok
        clock.now_ms += 5_000
        assert health.alive().ok
        clock.now_ms += 1
        assert not health.alive().ok
        assert health.alive().checks == {"main": "last seen 5 s ago"}

    def test_each_beat_counts_anew(self, health: Health, clock: Clock) -> None:
        clock.now_ms += 9_000
        health.beat()
        assert health.alive().ok

    def test_one_loop_that_hangs_is_enough(self, health: Health, clock: Clock) -> None:
        health.beat("partition 3")
        clock.now_ms += 9_000
        health.beat()
        assert health.alive().checks == {"main": "ok", "partition 3": "last seen 9 s ago"}
        assert not health.alive().ok

    def test_a_loop_that_ended_is_not_waited_for(self, health: Health, clock: Clock) -> None:
        health.beat("partition 3")
        health.end("partition 3")
        health.end("partition 3")
        clock.now_ms += 9_000
        health.beat()
        assert health.alive().ok

    def test_dependencies_have_no_say(self, health: Health) -> None:
        assert not health.ready().ok
        assert health.alive().ok


class TestReady:
    def test_when_joined_and_in_contact(self, health: Health) -> None:
        make_ready(health)
        assert health.ready().ok

    def test_not_before(self, health: Health) -> None:
        assert health.ready().checks == {
            "group": "not joined", "drain": "ok", "kafka": "never reached", "redis": "never reached",
        }  # fmt: skip

    @pytest.mark.parametrize("silent", ["kafka", "redis"])
    def test_not_when_one_is_silent(self, health: Health, clock: Clock, silent: str) -> None:
        make_ready(health)
        clock.now_ms += 10_001
        health.reached("redis" if silent == "kafka" else "kafka")
        assert [name for name, text in health.ready().checks.items() if text != "ok"] == [silent]
        assert not health.ready().ok

    def test_not_after_leaving_the_group(self, health: Health) -> None:
        make_ready(health)
        health.joined(group=False)
        assert not health.ready().ok

    def test_not_while_draining(self, health: Health) -> None:
        make_ready(health)
        health.draining()
        assert health.ready().checks["drain"] == "draining"
        assert health.alive().ok


@pytest.fixture
async def address(health: Health) -> AsyncIterator[str]:
    async with serve_health("127.0.0.1", 0, Meters("1.2.3"), health) as port:
        yield f"http://127.0.0.1:{port}"


async def get(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status, json.loads(await answer.read())


async def test_livez_over_http(address: str, clock: Clock) -> None:
    assert await get(f"{address}/livez") == (200, {"ok": True, "checks": {"main": "ok"}})
    clock.now_ms += 7_000
    assert await get(f"{address}/livez") == (503, {"ok": False, "checks": {"main": "last seen 7 s ago"}})


async def test_readyz_over_http(address: str, health: Health) -> None:
    assert (await get(f"{address}/readyz"))[0] == 503
    make_ready(health)
    assert (await get(f"{address}/readyz"))[0] == 200


async def test_metrics_over_http(health: Health) -> None:
    meters = Meters("1.2.3")
    async with serve_health("127.0.0.1", 0, meters, health) as port, aiohttp.ClientSession() as client:
        meters.count(Count.COMMITS, 3)
        async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert answer.headers["cache-control"] == "no-store"
            assert "server" not in answer.headers
            assert "wince_commits_total 3.0" in await answer.text()


async def test_there_is_nothing_else(address: str) -> None:
    async with aiohttp.ClientSession() as client:
        for method, path, status in [("GET", "/", 404), ("GET", "/livez/", 404), ("POST", "/livez", 405)]:
            async with client.request(method, address + path, allow_redirects=False) as answer:
                assert answer.status == status, path


async def test_many_probes_at_a_time_are_answered(address: str) -> None:
    statuses = await asyncio.gather(*(get(f"{address}/livez") for _ in range(20)))
    assert {status for status, _ in statuses} == {200}


async def test_an_address_in_use_is_an_error_before_anything_runs(health: Health) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        async with serve_health("127.0.0.1", taken.getsockname()[1], Meters("1"), health):
            pytest.fail("it ran")


async def test_it_ends_with_what_it_serves_and_hides_no_error(health: Health) -> None:
    port = 0
    with pytest.raises(LookupError, match="ours"):
        async with serve_health("127.0.0.1", 0, Meters("1"), health) as port:
            raise LookupError("ours")
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(f"http://127.0.0.1:{port}/livez")


async def test_signals_stay_with_the_program(health: Health) -> None:
    """Uvicorn takes SIGTERM for itself otherwise, and the worker would never drain."""
    heard = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, heard.set)
    try:
        async with serve_health("127.0.0.1", 0, Meters("1"), health) as port:
            await get(f"http://127.0.0.1:{port}/livez")
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(heard.wait(), 10)
            assert (await get(f"http://127.0.0.1:{port}/livez"))[0] == 200
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


async def test_ipv6_is_served(health: Health) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    async with serve_health("::1", 0, Meters("1"), health) as port:
        assert (await get(f"http://[::1]:{port}/livez"))[0] == 200
