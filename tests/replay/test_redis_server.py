"""A server of one's own is started, answers, and is surely gone afterwards."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from redis.asyncio import Redis

from replay import redis_server
from replay.errors import Unavailable
from replay.redis_server import Binary, RedisServer, find_binary, packaged_binary


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def started_process(server: RedisServer) -> int:
    async with Redis.from_url(server.url, protocol=2) as redis:
        assert await redis.ping()
        return int((await redis.info("server"))["process_id"])


async def test_it_answers_and_is_gone_after() -> None:
    async with RedisServer() as server:
        process_id = await started_process(server)
        async with Redis.from_url(server.url, protocol=2) as redis:
            assert await redis.config_get("save") == {"save": ""}
            assert await redis.config_get("appendonly") == {"appendonly": "no"}
            folder = str((await redis.config_get("dir"))["dir"])
        assert os.path.isdir(folder)  # noqa: ASYNC240, PTH112 - the file system of a test
    assert not is_alive(process_id)
    assert not os.path.isdir(folder)  # noqa: ASYNC240, PTH112 - as above


async def test_it_is_gone_after_an_error_inside() -> None:
    process_id = 0
    with pytest.raises(KeyError):  # noqa: PT012 - the error comes from inside
        async with RedisServer() as server:
            process_id = await started_process(server)
            raise KeyError
    assert not is_alive(process_id)


async def test_two_at_once_have_their_own_ports() -> None:
    async with RedisServer() as one, RedisServer() as other:
        assert one.port != other.port
        assert await started_process(one) != await started_process(other)


async def test_the_packaged_server_is_a_real_one() -> None:
    async with RedisServer(packaged_binary()) as server:
        assert server.binary.version >= redis_server.OLDEST
        await started_process(server)


def test_without_a_server_on_path_the_packaged_one_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary() == packaged_binary()


def test_a_server_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=6.0.16 sha=0:0'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert find_binary() == packaged_binary()


async def test_a_program_that_is_no_server_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho cannot start > log\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(Unavailable, match="cannot start"):
        async with RedisServer(Binary(str(broken), (7, 0, 0))):
            pass


async def test_a_port_that_is_taken_in_between_is_not_mistaken_for_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RedisServer() as first:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        ports = iter([first.port, free])
        monkeypatch.setattr(redis_server, "_free_port", lambda: next(ports))
        async with RedisServer() as second:
            assert second.port == free
            process_ids = await asyncio.gather(started_process(first), started_process(second))
            assert len(set(process_ids)) == 2
