"""`wince explain` on a folder and on a real Redis."""

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from engine.cli import explain as command
from replay.directory_store import DirectoryStore
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.store import Store, StoreSettings
from schemas.bundle_index import Hole
from tests.replay.samples import T0, block, write


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["explain", *arguments]))


async def fill(store: Store) -> None:
    await store.apply(write(blocks=[block([0])], holes=[Hole("w1", "gap", T0, 1, 2)]))
    await store.note_fate("ghost", "shop", "not_json", 2, T0)
    await store.withdraw("gone", "session_deleted")
    await store.close()


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(DirectoryStore(tmp_path, StoreSettings())))
    for session_id, expected in (
        ("a", "batches 1 to 2"),
        ("ghost", "The message is no JSON text."),
        ("x", "Nothing is known"),
    ):
        assert run(session_id, "--dir", str(tmp_path)) == 0
        assert expected in capsys.readouterr().out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(DirectoryStore(tmp_path, StoreSettings())))
    assert run("ghost", "--dir", str(tmp_path), "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["stored"], printed["statements"][0]["count"]) == (False, 2)


def test_a_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("a", "--dir", str(tmp_path)) == 1
    assert "sessions.jsonl" in capsys.readouterr().err


def test_a_redis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def filled_url(server: RedisServer) -> str:
        await fill(RedisStore(connect(server.url), StoreSettings()))
        return server.url

    async def session() -> tuple[int, ...]:
        async with RedisServer() as server:
            monkeypatch.setenv("WINCE_STORE_REDIS_URL", await filled_url(server))
            return tuple([await asyncio.to_thread(run, session_id) for session_id in ("a", "ghost", "gone")])

    assert asyncio.run(session()) == (0, 0, 0)
    printed = capsys.readouterr().out
    assert "batches 1 to 2" in printed
    assert "The message is no JSON text." in printed
    assert "- withdrawn session_deleted: The session was deleted" in printed


def test_a_redis_that_is_away(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", "redis://127.0.0.1:1")
    assert run("a") == 1
    assert "cannot be reached" in capsys.readouterr().err
