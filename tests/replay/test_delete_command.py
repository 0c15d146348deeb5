"""`wince delete` on a real Redis."""

import argparse
import asyncio
import json
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from engine.cli import delete as command
from engine.masking.identities import identity_token
from replay.exclusions import user_digest
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.store import StoreSettings
from tests.replay.everything import everything
from tests.replay.samples import T0, block, record, signal, write
from tests.replay.wires import dump
from tests.servers.redis_server import find_redis_binary


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["delete", *arguments]))


class Filled:
    """A server with sessions `a` and `b` of mia and `c` of noa."""

    def __init__(self, loop: asyncio.AbstractEventLoop, url: str) -> None:
        self._loop = loop
        self._url = url

    def dump(self) -> dict[bytes, Any]:
        content: dict[bytes, Any] = self._loop.run_until_complete(self._with(dump))
        return content

    def text(self) -> bytes:
        text: bytes = self._loop.run_until_complete(self._with(everything))
        return text

    async def _with(self, read: Any) -> Any:
        async with Redis.from_url(self._url, protocol=2) as redis:
            return await read(redis)

    def fill_with(self, session_id: str, user: str) -> None:
        self._loop.run_until_complete(self.fill([(session_id, user)]))

    async def fill(self, sessions: Sequence[tuple[str, str]]) -> None:
        store = RedisStore(connect(self._url), StoreSettings(), lambda: T0)
        for session_id, user in sessions:
            of = record(session_id, user_id=user, anonymous_id=None)
            told = signal(f"s-{session_id}", session_id=session_id)
            await store.apply(write(session_id, blocks=[block([0])], signals=[told], record_of=of, deadline_ms=T0))
        await store.close()


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Filled]:
    with asyncio.Runner() as runner:
        server = RedisServer(find_redis_binary())
        runner.run(server.__aenter__())
        monkeypatch.setenv("WINCE_STORE_REDIS_URL", server.url)
        monkeypatch.setenv("WINCE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        monkeypatch.setattr(command, "WORKERS_KNOW_SECONDS", 0.0)
        found = Filled(runner.get_loop(), server.url)
        runner.run(found.fill([("a1", "mia"), ("b1", "mia"), ("c1", "noa")]))
        yield found
        runner.run(server.__aexit__(None, None, None))


def test_a_user_is_deleted_with_a_receipt(filled: Filled, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "receipt.json"
    asked = ("--user", "mia", "--filter", "project=shop", "--and-exclude", "--yes", "--no-kafka")
    assert run(*asked, "--receipt", str(path)) == 0
    assert "Deleted 2 sessions, 2 of which were stored" in capsys.readouterr().out
    receipt = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    digest = user_digest("shop", "mia")
    assert (receipt["query"], receipt["excluded"]) == ({"project_id": "shop", "user": digest}, digest)
    assert receipt["counts"]["sessions"] == receipt["counts"]["stored"] == receipt["counts"]["stream_entries"] == 2
    assert [each["session_id"] for each in receipt["sessions"]] == ["a1", "b1"]
    content = filled.dump()
    for each in receipt["sessions"]:
        meta = content.pop(f"wince:session:{{{each['session_id']}}}:meta".encode())
        assert meta[b"tombstone"].decode() == each["tombstone"]["id"]
        assert len(each["keys"]) == 6
    assert receipt["proof"]["left"] == receipt["proof"]["taken"] == []
    assert receipt["proof"]["searched"]["keys"] == len(filled.dump())
    assert receipt["kafka"]["told_on"] == ""
    assert receipt["kafka"]["stays_ms"]["session-events"] == 7 * 86_400_000
    assert b"mia" not in filled.text()
    assert content.pop(b"wince:excluded") == [(digest.encode(), 1.0)]
    # Their ids are told for a while to who remembers sessions of their own.
    assert b"wince:withdrawn" in content
    told = repr(content.pop(b"wince:withdrawn"))
    assert all(name in told for name in ("a1", "b1"))
    assert not any(name in repr(content) for name in ("a1", "b1"))
    assert b"mia" not in path.read_bytes()
    assert b"wince:session:{c1}:record" in content


def test_a_user_whose_id_is_hashed_is_found_by_the_id(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "a secret of sixteen"
    filled.fill_with("d1", identity_token(secret.encode(), "mia@shop.test"))
    monkeypatch.setenv("WINCE_PRIVACY_HASH_IDENTIFIERS", "true")
    monkeypatch.setenv("WINCE_PRIVACY_IDENTIFIER_SECRET", secret)
    assert run("--user", "mia@shop.test", "--yes", "--no-kafka") == 0
    assert "Deleted 1 sessions" in capsys.readouterr().out
    assert b"wince:session:{d1}:record" not in filled.dump()
    assert b"hashed-" not in filled.text()


def test_a_dry_run_and_a_no_change_nothing(
    filled: Filled, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = filled.dump()
    assert run("--user", "mia", "--dry-run") == 0
    assert run("--session", "a1", "--no-kafka") == 1
    assert "--yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "no")
    assert run("--session", "a1", "--no-kafka") == 0
    printed = capsys.readouterr().out
    assert "Nothing was deleted" in printed
    assert filled.dump() == before
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert run("--session", "a1", "--no-kafka") == 0
    assert filled.dump() != before


def test_where_readers_cannot_be_told_nothing_is_deleted(filled: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    before = filled.dump()
    assert run("--user", "mia", "--yes") == 1
    assert "--no-kafka" in capsys.readouterr().err
    assert filled.dump() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing was chosen"), (["--session", "a", "--and-exclude"], "needs --user"),
        (["--filter", "tag=x", "--filter", "tag=y"], "tag is given twice"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("text", ["tag", "tag=", "color=red", "from=yesterday"])
def test_filters_are_keys_with_values(text: str) -> None:
    with pytest.raises(SystemExit):
        run("--filter", text)


@pytest.mark.usefixtures("filled")
def test_times_are_those_of_starts(capsys: pytest.CaptureFixture[str]) -> None:
    for filters, count in (("from=2026-11-21", 3), ("to=2026-11-21", 0), ("from=2026-11-21T22:00+02:00", 3)):
        assert run("--filter", filters, "--dry-run") == 0
        assert capsys.readouterr().out.startswith(f"{count} sessions")
