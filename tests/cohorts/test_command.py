"""`wince cohort` as it is called."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.cli import main
from engine.cohorts.destinations import LinesReceiver
from engine.cohorts.events import CohortEvent, Source, batch_of
from replay.redis_exclusions import RedisExclusions
from replay.redis_store import wall_clock_ms
from tests.cohorts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

Wince = Callable[..., Awaitable[int]]


@pytest.fixture
def wince(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wince:
    """Runs the command beside the world's Redis, in a folder with a file of cohorts."""
    world.now_ms = wall_clock_ms()
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", world.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohorts.toml").write_text(
        '[cohorts.angry]\nproject = "shop"\ncondition = "tag=rage_click"\nout = "events.jsonl"\n'
        '[cohorts.crm]\nproject = "shop"\ncondition = "tag=rage_click"\nurl = "https://crm.invalid/"\n'
        'secrets = ["env:NOT_THERE"]\n'
    )

    async def run(*arguments: str) -> int:
        return await asyncio.to_thread(main, ["cohort", *arguments])

    return run


FILE = ("--cohorts", "cohorts.toml")


async def test_an_export_writes_a_line_for_each_user(
    world: World, wince: Wince, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    await world.visit("a", "ada")
    await world.visit("a2", "ada")
    await world.visit("b", "bob")
    await world.visit("old", "eve", ago=8 * 86_400_000)
    await world.visit("n", None)
    await RedisExclusions(world.client, "wince").add("shop", "bob")
    assert await wince("export", "angry", *FILE, "--out", "all.jsonl") == 0
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [(line["event"], line["user_id"], line["cohort"]) for line in lines] == [("enter", "ada", "angry")]
    capfdbinary.readouterr()
    assert await wince("export", "--project", "shop", "--filter", "tag=rage_click", "--window", "9d") == 0
    out, said = capfdbinary.readouterr()
    assert sorted(json.loads(line)["user_id"] for line in out.splitlines()) == ["ada", "eve"]
    assert b"2 users by 4 sessions (1 without a user id)" in said
    assert await world.redis.keys("wince:{cohorts:*") == []
    assert {*world.files(tmp_path)} == {"all.jsonl", "cohorts.toml"}


async def test_runs_append_what_changed_to_a_file(
    world: World, wince: Wince, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.visit("a", "ada")
    assert await wince("run", "angry", *FILE, "--dry-run") == 0
    assert "would tell 1 to have come, 0 to have left" in capsys.readouterr().out
    assert not (tmp_path / "events.jsonl").exists()
    assert await wince("run", "angry", *FILE, "--json") == 0
    assert json.loads(capsys.readouterr().out)["enters"] == 1
    assert await wince("list", *FILE, "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["members"] == 1
    await world.delete("a")
    assert await wince("run", "angry", *FILE) == 0
    assert "told 0 to have come, 1 to have left" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [(line["event"], line["user_id"]) for line in lines] == [("enter", "ada"), ("exit", "ada")]
    assert await wince("list", *FILE) == 0
    assert "tag=rage_click" in capsys.readouterr().out


async def test_events_on_standard_output_have_it_for_themselves(
    world: World, wince: Wince, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await world.visit("a", "ada")
    file = tmp_path / "out.toml"
    await asyncio.to_thread(
        file.write_text, '[cohorts.all]\nproject = "shop"\ncondition = "tag=rage_click"\nout = "-"\n'
    )
    assert await wince("run", "--cohorts", "out.toml", "--json") == 0
    out, said = capfd.readouterr()
    assert [json.loads(line)["user_id"] for line in out.splitlines()] == ["ada"]
    assert json.loads(said)["enters"] == 1


async def test_what_is_forgotten_is_told_anew(world: World, wince: Wince, tmp_path: Path) -> None:
    await world.visit("a", "ada")
    assert await wince("run", "angry", *FILE) == 0
    assert await wince("forget", "angry", "--project", "shop") == 0
    assert await world.redis.keys("wince:{cohorts:*") == []
    assert await wince("run", "angry", *FILE) == 0
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["enter", "enter"]
    assert lines[0]["id"] != lines[1]["id"]


async def test_a_run_says_what_is_wrong(world: World, wince: Wince, capsys: pytest.CaptureFixture[str]) -> None:
    assert await wince("run", *FILE) == 2
    assert "env:NOT_THERE" in capsys.readouterr().err
    assert await wince("run", "furious", *FILE) == 2
    assert "no cohort furious" in capsys.readouterr().err
    parts = world.parts()
    assert await parts.state.claim() == 0
    assert await wince("forget", "angry", "--project", "shop") == 1
    assert "another process is at work" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("angry",),
        ("--project", "shop"),
        ("--filter", "tag=x"),
        ("angry", *FILE, "--project", "shop"),
        ("angry", *FILE, "--send"),
        ("crm", *FILE, "--send", "--out", "x"),
        ("--project", "shop", "--filter", "user=mia"),
        ("--project", "shop", "--filter", "tag=x", "--send"),
    ],
)
async def test_an_export_that_is_not_said_in_one_way_is_refused(wince: Wince, arguments: tuple[str, ...]) -> None:
    assert await wince("export", *arguments) == 2


async def test_without_a_redis_nothing_works_and_that_is_said(
    wince: Wince, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WINCE_STORE_REDIS_URL", "redis://127.0.0.1:1")
    for action in ("run", "export", "list"):
        arguments = () if action == "list" else ("angry",)
        assert await wince(action, *arguments, *FILE) == 1
        assert "wince: " in capsys.readouterr().err


async def test_a_line_that_a_crash_cut_off_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"whole": 1}\n{"cut of')
    event = CohortEvent("id", "enter", "angry", "shop", "ada", 1, 1)
    await LinesReceiver(str(path)).take(batch_of(Source("shop", "angry"), [event]))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("user_id") for line in lines] == [None, "ada"]
