"""docs/api.md names every endpoint, and its examples work against a running server."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
from redis import Redis

from tests.docs.documents import ROOT, blocks, commands
from tests.replay.server.conftest import application
from tests.replay.server.test_contract import Running
from tests.servers.redis_server import FoundRedis

PAGE = ROOT / "docs" / "api.md"
SHORT = {"{project_id}": "P", "{session_id}": "S", "{filter_id}": "F", "{share_id}": "L"}
CURLS = [line for block in blocks(PAGE) if block.mark == "api" for line in commands(block)]
PROGRAMS = [block.text for block in blocks(PAGE) if block.language == "python"]


@pytest.fixture(scope="module")
def running(redis_server: FoundRedis) -> Iterator[Running]:
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
    with Running(redis_server.url) as server:
        yield server


def environment(running: Running) -> dict[str, str]:
    return {**os.environ, "URL": running.url, "TOKEN": running.token}


def test_every_endpoint_is_named() -> None:
    told = set(re.findall(r"`(GET|POST|DELETE) (/[^`?]*)`", PAGE.read_text("utf-8")))
    told |= {("GET", path) for path in ("/livez", "/readyz", "/metrics") if f"`{path}`" in PAGE.read_text("utf-8")}
    for endpoint in application().state.endpoints:
        path = re.sub(r"{\w+}", lambda found: SHORT[found[0]], endpoint.path)
        assert (endpoint.method, path) in told, path


@pytest.mark.parametrize("line", CURLS)
def test_what_curl_is_shown_to_do_works(line: str, running: Running) -> None:
    assert shutil.which("curl"), "these examples are for curl"
    done = subprocess.run(["sh", "-c", line], env=environment(running), capture_output=True, check=True, timeout=60)
    answer = msgspec.json.decode(done.stdout)
    assert "status" not in answer, answer
    assert answer


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_work(program: str, running: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(running),
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )
    assert done.stdout.splitlines() == ["a 0.0 s rage_click https://shop.test/cart"]


def test_there_are_examples() -> None:
    assert len(CURLS) >= 5
    assert PROGRAMS
