"""`wince alerts test`, `failed` and `resend`, on a real Redis, with the receiver of the documentation."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.alerts.delivery.outbox import Disabled, Outbox
from engine.alerts.names import AlertNames
from engine.alerts.routing import messages
from engine.cli import main
from replay.redis_client import connect
from replay.redis_server import RedisServer
from tests.docs.documents import ROOT
from tests.engine.alerts.delivery.alerts import ALERT, OVER, T0, alert, rules
from tests.engine.alerts.delivery.putting import put
from tests.servers.redis_server import find_redis_binary

EXAMPLE = ROOT / "docs/examples/alert-receiver/receive.py"
SECRET = "whsec_" + "b28" * 12
RULES = """
[[routes]]
name = "on-call"
kind = "webhook"
url = "http://127.0.0.1:{}/"
secrets = ["env:WEBHOOK_SECRET"]
allow_hosts = ["127.0.0.1"]

[[routes]]
name = "chat"
kind = "slack"
url = "env:NOT_SET"
"""


@pytest.fixture
def receiver() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    environ = {**os.environ, "ALERTS_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, str(EXAMPLE), "0"], env=environ, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        yield int(running.stdout.readline().rpartition(" ")[2]), running
        running.kill()


def _lines(running: subprocess.Popen[str], count: int) -> list[str]:
    assert running.stdout is not None
    return [running.stdout.readline().strip() for _ in range(count)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    return tmp_path / "rules.toml"


def test_a_sample_reaches_the_receiver_of_the_documentation(
    receiver: tuple[int, subprocess.Popen[str]], file: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    port, running = receiver
    file.write_text(RULES.format(port))
    monkeypatch.setenv("WINCE_ALERTS_RULES_FILE", str(file))
    monkeypatch.setenv("WINCE_SERVE_PUBLIC_URL", "https://replay.example")
    assert main(["alerts", "test", "on-call"]) == 0
    fired, over = capsys.readouterr().out.splitlines()
    assert fired.startswith("firing   accepted in ")
    assert fired.endswith("answered 204")
    assert over.startswith("resolved accepted in ")
    lines = _lines(running, 2)
    assert [line.split(" ")[0] for line in lines] == ["alert.firing", "alert.resolved"]
    assert lines[0].endswith("This is a test of the route on-call: nothing is wrong https://replay.example/")


def test_a_wrong_secret_is_not_taken(
    receiver: tuple[int, subprocess.Popen[str]], file: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    port, _ = receiver
    file.write_text(RULES.format(port))
    monkeypatch.setenv("WEBHOOK_SECRET", "whsec_" + "b29v" * 9)
    assert main(["alerts", "test", "on-call", "--rules", str(file)]) == 1
    assert "retry in " in (told := capsys.readouterr().out)
    assert "answered 401" in told


def test_what_cannot_be_tried_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = RULES.format(8099).replace('allow_hosts = ["127.0.0.1"]', 'allow_hosts = ["other"]')
    file.write_text(inside.replace("http://127.0.0.1", "http://localhost"))
    assert main(["alerts", "test", "on-call"]) == 2
    assert "there is no rules file" in capsys.readouterr().err
    assert main(["alerts", "test", "nowhere", "--rules", str(file)]) == 2
    assert "has no route 'nowhere'" in capsys.readouterr().err
    assert main(["alerts", "test", "chat", "--rules", str(file)]) == 2
    assert "env:NOT_SET" in capsys.readouterr().err
    assert main(["alerts", "test", "on-call", "--rules", str(file)]) == 1
    assert "not public (loopback)" in capsys.readouterr().out
    file.write_text(inside)
    assert main(["alerts", "test", "on-call", "--rules", str(file)]) == 2
    assert "a public address, or one that allow_hosts opens (loopback)" in capsys.readouterr().err
    file.write_text(RULES.format(1))
    assert main(["alerts", "test", "on-call", "--rules", str(file)]) == 2
    assert "port 1 is none of the web's" in capsys.readouterr().err


async def fail(url: str) -> None:
    client = connect(url)
    outbox = Outbox(client, AlertNames("wince"))
    file = rules('[[rules]]\nname = "spike"\nkind = "spike"\n[[routes]]\nname = "a"\nkind = "slack"\nurl = "env:A"\n')
    for each in (ALERT, OVER, alert("a2", title="\x1b[31m[red]")):
        await put(client, "shop", messages(each, file, T0), T0)
    for held in (await outbox.claim("shop", T0, 1_000, 10)).held:
        await outbox.fail(held, held.entry, T0)
    await outbox.disable("a", Disabled(T0, "", "answered 410"))
    await client.close()


async def waiting(url: str) -> tuple[int, int]:
    client = connect(url)
    try:
        return await Outbox(client, AlertNames("wince")).waiting(["shop"])
    finally:
        await client.close()


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with asyncio.Runner() as runner:
        server = RedisServer(find_redis_binary())
        runner.run(server.__aenter__())
        monkeypatch.setenv("WINCE_STORE_REDIS_URL", server.url)
        runner.run(fail(server.url))
        yield server.url
        runner.run(server.__aexit__(None, None, None))


def test_what_failed_is_listed_and_sent_again(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "failed"]) == 0
    told = capsys.readouterr().out
    assert "The route a is disabled since 2026-11-18 11:06:40: answered 410." in " ".join(told.split())
    assert "\x1b" not in told
    assert main(["alerts", "failed", "--json", "--project", "shop"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted((line["alert"]["id"], line["state"]) for line in lines) == [
        ("a1", "firing"), ("a1", "resolved"), ("a2", "firing"),
    ]  # fmt: skip
    assert main(["alerts", "failed", "--json", "--route", "b"]) == 0
    assert capsys.readouterr().out == ""
    ids = {(line["alert"]["id"], line["state"]): line["id"] for line in lines}
    assert main(["alerts", "resend", ids["a1", "resolved"]]) == 1
    assert "The route a is used again.\n0 of 1 messages" in capsys.readouterr().out
    assert main(["alerts", "resend", ids["a2", "firing"], "msg_unknown"]) == 1
    assert capsys.readouterr().out == "1 of 2 messages are due again.\n"
    assert main(["alerts", "resend", "--route", "b"]) == 0
    assert main(["alerts", "resend", "--all"]) == 0
    assert capsys.readouterr().out == "0 of 0 messages are due again.\n2 of 2 messages are due again.\n"
    assert asyncio.run(waiting(filled)) == (3, 0)


def test_a_redis_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", "redis://127.0.0.1:1/0")
    assert main(["alerts", "failed"]) == 1
    assert main(["alerts", "resend", "--all"]) == 1
    assert capsys.readouterr().err.count("wince: ") == 2
