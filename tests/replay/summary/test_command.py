"""`wince summary` on a folder and on a real Redis."""

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli import summary as command
from engine.samples import SAMPLES_FOLDER
from replay.directory_store import DirectoryStore
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.store import Store, StoreSettings
from tests.replay.samples import block, signal, write

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["summary", *arguments]))


async def fill(store: Store) -> None:
    await store.apply(write(blocks=[block([0])], signals=[signal(count=5)]))
    await store.close()


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(DirectoryStore(tmp_path, StoreSettings())))
    assert run("a", "--dir", str(tmp_path)) == 0
    assert "  0:00.0  Clicked the button “Pay” 5 times in 0.5 s.\n" in capsys.readouterr().out
    assert run("a", "--dir", str(tmp_path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["friction_points"][0]["signal_ids"] == ["s1"]


def test_what_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(DirectoryStore(tmp_path, StoreSettings())))
    assert run("x", "--dir", str(tmp_path)) == 1
    assert "there is no such session" in capsys.readouterr().err
    assert run("a", "--dir", str(tmp_path / "none")) == 1
    assert "sessions.jsonl" in capsys.readouterr().err


def test_a_model_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(fill(DirectoryStore(tmp_path, StoreSettings())))
    assert run("a", "--dir", str(tmp_path), "--rephrased") == 1
    assert "summary.model names no language model" in capsys.readouterr().err
    monkeypatch.setenv("WINCE_SUMMARY_MODEL", "nowhere")
    assert run("a", "--dir", str(tmp_path), "--rephrased") == 1
    assert "no installed package provides it" in capsys.readouterr().err


def test_a_redis(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def served() -> None:
        async with RedisServer() as server:
            await fill(RedisStore(connect(server.url), StoreSettings()))
            monkeypatch.setenv("WINCE_STORE_REDIS_URL", server.url)
            assert await asyncio.to_thread(run, "a") == 0

    asyncio.run(served())
    assert capsys.readouterr().out.startswith("Clicked the button “Pay” 5 times in 0.5 s on /cart; the session")


def test_the_docs_show_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "exports.md").read_text("utf-8")
    shown = page.partition("prints\n\n```\n")[2].partition("\n```")[0]
    assert main(["process", str(SAMPLES_FOLDER), "--out", str(tmp_path / "results")]) == 0
    capsys.readouterr()
    assert main(["summary", "e4582d65-50aa-450e-b4ee-45b9eebf7486", "--dir", str(tmp_path / "results")]) == 0
    assert capsys.readouterr().out == shown + "\n"
