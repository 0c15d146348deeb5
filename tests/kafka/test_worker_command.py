"""`wince worker` as its users start it: signals, exit statuses, several processes, what it says when it cannot run."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.core.batches import SESSION
from tests.kafka.test_worker import small
from tests.kafka.workers import Site, stored
from tests.servers.kafka_admin import members
from tests.servers.kafka_broker import Kafka
from tests.servers.process import ServerProcess
from tests.servers.redis_server import FoundRedis
from tests.servers.waiting import until

ROOT = Path(__file__).parents[2]
WORKER = (sys.executable, "-m", "engine.cli", "worker")
SECONDS = 60.0


@pytest.fixture
def site(kafka: Kafka, redis_server: FoundRedis) -> Site:
    return Site(kafka, redis_server)


@pytest.fixture
def config(site: Site, tmp_path: Path) -> Path:
    """The settings of the site in a file."""
    kafka, path = site.settings.kafka, tmp_path / "wince.toml"
    path.write_text(f"""
[kafka]
bootstrap_servers = "{kafka.bootstrap_servers}"
group_id = "{kafka.group_id}"
events_topic = "{kafka.events_topic}"
signals_topic = "{kafka.signals_topic}"
activity_topic = "{kafka.activity_topic}"
dead_letters_topic = "{kafka.dead_letters_topic}"
session_timeout = "3s"
heartbeat_interval = "200ms"
metadata_max_age = "1s"
replication_factor = 1

[store]
redis_url = "{site.settings.store.redis_url}"
key_prefix = "{site.settings.store.key_prefix}"

[worker]
http_address = "127.0.0.1:0"
max_poison_in_row = 20
""")
    return path


@pytest.fixture
def worker(config: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    """One that is not started yet; parameters are further arguments."""
    arguments = getattr(request, "param", ())
    made = ServerProcess((*WORKER, "--config", str(config), *arguments), tmp_path / "log", ROOT)
    yield made
    made.stop()


def children(process: ServerProcess) -> list[int]:
    found = subprocess.run(("pgrep", "-P", str(process.pid)), capture_output=True, text=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


async def has_read(site: Site, worker: ServerProcess, end: int) -> None:
    async def ask() -> bool:
        assert worker.is_running, worker.said()
        return (await site.commits()).get(0, 0) >= end

    await until(ask, SECONDS, "commits")


async def of_group(site: Site, count: int) -> None:
    async def ask() -> bool:
        return await members(site.bootstrap, site.name) == count

    await until(ask, SECONDS, f"a group of {count}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_drains_and_ends_well(site: Site, worker: ServerProcess, number: signal.Signals) -> None:
    await site.create()
    await site.send(small(range(5)))
    worker.start()
    await has_read(site, worker, 5)
    os.kill(worker.pid, number)
    worker._wait(SECONDS)
    assert worker.exit_status == 0, worker.said()
    async with stored(site) as redis:
        mark = await redis.mark()
        assert mark is not None
        assert mark.offset == 5, "nothing has to be read again"
    assert "seq" not in worker.said()
    assert SESSION not in worker.said()


@pytest.mark.parametrize("worker", [("--processes", "2")], indirect=True)
async def test_several_processes_share_partitions_and_are_replaced(site: Site, worker: ServerProcess) -> None:
    await site.create(partitions=2)
    worker.start()
    await of_group(site, 2)
    first = children(worker)
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)

    async def is_replaced() -> bool:
        return len(children(worker)) == 2 and set(children(worker)) != set(first)

    await until(is_replaced, SECONDS, "a process in its place")
    await site.send(small(range(5)))
    await has_read(site, worker, 5)
    assert worker.stop(SECONDS) == 0, worker.said()
    assert not children(worker)
    async with stored(site) as redis:
        assert (await redis.record(SESSION)).totals.batches == 5


@pytest.mark.parametrize("worker", [("--processes", "2")], indirect=True)
async def test_processes_end_with_the_one_that_started_them(site: Site, worker: ServerProcess) -> None:
    await site.create(partitions=2)
    worker.start()
    await of_group(site, 2)
    orphans = children(worker)
    worker.kill()

    async def are_gone() -> bool:
        return not any(map(_lives, orphans))

    await until(are_gone, SECONDS, "an end of orphans")


def _lives(pid: int) -> bool:
    """Whether a process does anything, and is not only waiting for somebody to ask how it ended."""
    state = subprocess.run(("ps", "-o", "stat=", "-p", str(pid)), capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


async def test_nothing_but_poison_ends_it_with_a_reason(site: Site, worker: ServerProcess) -> None:
    await site.create()
    await site.send([b"secret poison"] * 30)
    worker.start()
    worker._wait(SECONDS)
    assert worker.exit_status == 1, worker.said()
    assert "wince: nothing but poison was read for a long time" in worker.said()
    assert "secret" not in worker.said()


def run(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run one that ends by itself."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        (*WORKER, *arguments), capture_output=True, text=True, check=False, cwd=ROOT, env=kept | variables, timeout=60
    )
    return ended.returncode, ended.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = run(WINCE_WORKER_HTTP_ADDRESS=address)
    assert status == 1
    assert f"wince: Address already in use: {address}\n" in said


def test_wrong_settings_are_all_told_and_nothing_is_started() -> None:
    status, said = run(WINCE_WORKER_POLL_MAX_MESSAGES="none", WINCE_KAFKA_BOOTSTRAP_SERVERS="no port")
    assert status == 2
    assert "poll_max_messages" in said
    assert "bootstrap_servers" in said


@pytest.mark.parametrize("processes", ["0", "257", "two"])
def test_processes_are_counted(processes: str) -> None:
    status, said = run("--processes", processes)
    assert status == 2
    assert "--processes" in said
