"""`wince reprocess` on a real Redis."""

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis

from engine.cli import reprocess as command
from replay.redis_server import RedisServer
from tests.engine.reprocess.test_reprocess import Server
from tests.replay.wires import dump
from tests.servers.redis_server import find_redis_binary


class Filled:
    """A server with the samples; `closed` are over, `going_on` in their grace."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._url = url
        self.closed: list[str] = []
        self.going_on: list[str] = []
        runner.run(self._fill())

    async def _fill(self) -> None:
        async with Redis.from_url(self._url, protocol=2) as redis:
            server = Server(self._url, redis)
            await server.fill()
            await server.client.close()
        self.closed, self.going_on = server.closed, server.going_on

    def dump(self) -> dict[bytes, Any]:
        return self._runner.run(self._dump())

    async def _dump(self) -> dict[bytes, Any]:
        async with Redis.from_url(self._url, protocol=2) as redis:
            return await dump(redis)


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Filled]:
    with asyncio.Runner() as runner:
        server = RedisServer(find_redis_binary())
        runner.run(server.__aenter__())
        monkeypatch.setenv("WINCE_STORE_REDIS_URL", server.url)
        yield Filled(runner, server.url)
        runner.run(server.__aexit__(None, None, None))


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["reprocess", *arguments]))


def test_all_is_shown_then_written_then_nothing_is_left_to_do(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    before = filled.dump()
    assert run("--all", "--preset", "posthog") == 0
    printed = capsys.readouterr().out
    assert f"{len(filled.closed) + len(filled.going_on)} sessions judged" in printed
    assert "rage_click" in printed
    assert "Nothing was written" in printed
    assert filled.dump() == before
    assert run("--all", "--preset", "posthog", "--write", "--json") == 0
    *lines, summary = map(json.loads, capsys.readouterr().out.splitlines())
    skipped = {line["session_id"] for line in lines if line.get("skipped") == "may_go_on"}
    assert skipped == set(filled.going_on)
    assert summary["closes_at"] == max(line["closes_at"] for line in lines if "closes_at" in line)
    assert summary["written"] == sum(line.get("written", False) for line in lines) > 0
    after = filled.dump()
    assert after != before
    assert run("--all", "--preset", "posthog", "--write", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["written"] == 0
    assert filled.dump() == after


def test_it_names_the_sessions_to_judge_later_and_when(filled: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--all", "--preset", "posthog", "--write") == 0
    printed = capsys.readouterr().out
    assert f"{len(filled.going_on)} skipped" in printed
    said = next(line for line in printed.splitlines() if line.startswith("Judge those again after "))
    assert sorted(said.partition(": --session ")[2].split(" --session ")) == sorted(filled.going_on)


def test_sessions_are_chosen_by_id_and_by_what_they_have_in_common(
    filled: Filled, capsys: pytest.CaptureFixture[str]
) -> None:
    def judged(*arguments: str) -> int:
        assert run(*arguments, "--json") == 0
        sessions: int = json.loads(capsys.readouterr().out.splitlines()[-1])["sessions"]
        return sessions

    assert judged("--session", filled.closed[0], "--session", filled.going_on[0]) == 2
    everything = judged("--filter", "from=2020-01-01")
    assert everything == len(filled.closed) + len(filled.going_on)
    assert 0 < judged("--filter", "tag=rage_click") < everything
    assert judged("--filter", "to=2020-01-01") == 0


@pytest.mark.usefixtures("filled")
def test_it_has_to_be_said_which_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 2
    assert run("--all", "--session", "a") == 2
    assert run("--all", "--publish") == 2
    assert "--write" in capsys.readouterr().err
    assert run("--session", "nobody", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["skipped"] == {"gone": 1}
