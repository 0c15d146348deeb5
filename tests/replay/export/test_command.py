"""`wince export` from a real Redis."""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from engine.cli import export as command
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from tests.replay.export.recordings import Tree, change, draft, meta, put, snapshot


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["export", *arguments]))


async def _serve(address: "asyncio.Future[str]", done: Event) -> None:
    async with RedisServer() as server:
        store = RedisStore(connect(server.url), StoreSettings())
        tree = Tree()
        page = tree.document([], [tree.element("p", {}, tree.text("a page"))])
        await put(store, draft([meta(), snapshot(page), change(2_000)]))
        await store.close()
        address.set_result(server.url)
        await asyncio.to_thread(done.wait)


@pytest.fixture(autouse=True)
def redis_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Name a Redis with one session in it in the settings."""
    loop, ready, done = asyncio.new_event_loop(), Event(), Event()
    address = loop.create_future()
    address.add_done_callback(lambda _: ready.set())
    thread = Thread(target=loop.run_until_complete, args=(_serve(address, done),))
    thread.start()
    assert ready.wait(60)
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", address.result())
    yield
    done.set()
    thread.join()
    loop.close()


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.html"
    out.write_text("before")
    assert run("a", "--out", str(out), "--from", "+0.5", "--to", "+3") == 0
    assert out.read_bytes().startswith(b"<!doctype html>")
    assert capsys.readouterr().out == f"{out}: {out.stat().st_size} bytes\n"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.usefixtures("chromium")
def test_the_name_of_the_file_says_what_it_is_to_be(tmp_path: Path) -> None:
    out = tmp_path / "a.gif"
    assert run("a", "--out", str(out), "--to", "+0.5", "--width", "320") == 0
    assert out.read_bytes().startswith(b"GIF8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x", "--out", "x.html"], "there is no such session"),
        (["a", "--out", "x.png"], "--format html, gif or mp4"),
        (["a", "--out", "x.html", "--from", "noon"], "a moment is epoch milliseconds"),
        (["a", "--out", "x.html", "--window", "w9"], "no page to start from"),
        (["a", "--out", "x.gif", "--fps", "99"], "fps"),
        (["a", "--out", "nowhere/x.html"], "nowhere"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
