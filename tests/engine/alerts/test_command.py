import argparse
import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest

from engine.alerts.core import ErrorResolved, Item
from engine.alerts.rules_file import default_rules
from engine.alerts.simulation.incidents import Happening
from engine.alerts.simulation.report import simulate
from engine.alerts.simulation.traffic import Oracle, visits
from engine.alerts.simulation.world import make_site
from engine.cli import alerts_run, main
from tests.engine.alerts.site import DAY_MS, START_MS, Site

PAGE = "https://shop.example/<cart>"


def incident() -> list[Item]:
    site = Site()
    items = [*site.traffic(START_MS, 48, PAGE, 0.02), *site.traffic(START_MS + 2 * DAY_MS, 1, PAGE, 0.6)]
    return sorted(items, key=lambda item: item.t)


def lines(items: list[Item]) -> bytes:
    return b"".join(msgspec.json.encode(item) + b"\n" for item in items)


def told(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


class TestBacktest:
    def test_it_prints_what_would_have_fired(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source, plot = tmp_path / "items.jsonl", tmp_path / "alerts.html"
        source.write_bytes(lines(incident()))
        assert main(["alerts", "backtest", str(source), "--plot", str(plot)]) == 0
        (alert,) = told(capsys.readouterr().out)
        assert {"rule", "project_id", "key", "fired_at", "resolved_at"} <= set(alert)
        assert (alert["rule"], alert["project_id"], alert["resolved_at"]) == ("spike", "shop", None)
        page = plot.read_text()
        assert "<cart>" not in page
        assert "&lt;cart&gt;" in page
        assert "http://" not in page
        assert page.count("<rect") == 1

    def test_signals_and_activities_may_come_from_two_files(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        items = incident()
        whole, signals = tmp_path / "whole.jsonl", tmp_path / "signals.jsonl"
        whole.write_bytes(lines(items))
        signals.write_bytes(lines([item for item in items if hasattr(item, "detector")]))
        activities = lines([item for item in items if not hasattr(item, "detector")])
        assert main(["alerts", "backtest", str(whole)]) == 0
        once = capsys.readouterr().out
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(activities)))
        assert main(["alerts", "backtest", "-", str(signals)]) == 0
        apart = capsys.readouterr().out
        assert [each["fired_at"] for each in told(apart)] == [each["fired_at"] for each in told(once)]

    def test_errors_that_were_resolved_are_part_of_the_input(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        site, items = Site(), list[Item]()
        for number in range(8):
            release = "1.0" if number < 4 else "1.1"
            t = START_MS + number * 60_000
            session_id, activities = site.visit(t, PAGE, release)
            signal = site.complaint(session_id, t, PAGE, "js_error", "e1")
            signal.attributes["release"] = release
            items += [*activities, signal]
            if number == 3:
                items.append(ErrorResolved("shop", "e1", t + 1))
        source = tmp_path / "items.jsonl"
        source.write_bytes(lines(items))
        assert main(["alerts", "backtest", str(source)]) == 0
        (alert,) = told(capsys.readouterr().out)
        assert (alert["rule"], alert["key"]) == (
            "regression", {"detector": "js_error", "dimension": "error", "value": "e1"}
        )  # fmt: skip

    def test_lines_that_are_neither_are_counted(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source = tmp_path / "items.jsonl"
        deep = b'{"detector":' + b"[" * 100_000
        source.write_bytes(lines(incident()) + b"no json\n\n[1]\n" + deep + b"\n" + b"x" * (2 << 20) + b"\n")
        assert main(["alerts", "backtest", str(source)]) == 1
        output = capsys.readouterr()
        assert len(told(output.out)) == 1
        assert "lines were left out" in output.err
        assert "no json" not in output.err

    def test_files_that_are_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["alerts", "backtest", str(tmp_path / "none.jsonl")]) == 1
        assert "none.jsonl" in capsys.readouterr().err

    def test_wrong_rules_are_told_before_anything_is_run(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rules = tmp_path / "rules.toml"
        rules.write_text('[[rules]]\nname = "x"\nkind = "spyke"\n')
        assert main(["alerts", "backtest", str(tmp_path / "none.jsonl"), "--rules", str(rules)]) == 2
        assert "spyke" in capsys.readouterr().err


class TestSimulation:
    def test_the_same_seed_gives_the_same_traffic_in_order(self) -> None:
        site = make_site("tiny", 300, 5, np.random.default_rng(1))
        bad = Happening("page", "tiny", START_MS, START_MS + DAY_MS, site.pages[0], "rage_click", 50.0)
        oracle = Oracle()
        first, second = (list(visits(site, [bad], 1, 7, each)) for each in (oracle, Oracle()))
        assert first == second
        assert first
        assert list(oracle.knowable_at) == [bad]

    def test_the_shipped_rules_beat_simple_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("engine.alerts.simulation.report.SITES", (("shop", 4_000.0, 6),))
        ours, *others = simulate(default_rules(), days=9, seeds=[4], console=None)
        assert ours.incidents >= 1
        assert ours.false_alarms + ours.trap_alarms < min(each.false_alarms + each.trap_alarms for each in others)

    def test_it_draws_how_good_they_are(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("engine.alerts.simulation.report.SITES", (("shop", 100.0, 6),))
        picture = tmp_path / "quality.svg"
        assert main(["alerts", "simulate", "--days", "8", "--seed", "1", "2", "--json", "--plot", str(picture)]) == 0
        ours, *_ = json.loads(capsys.readouterr().out)
        drawn = ET.fromstring(picture.read_text(encoding="utf-8"))  # noqa: S314 - made here
        assert f"{ours['precision']:.0%}" in [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]


class TestWithoutACommand:
    @pytest.mark.parametrize(
        "arguments", [[], ["--config", "w.toml"], ["run", "--config", "w.toml"], ["--config", "w.toml", "run"]]
    )
    def test_it_runs(self, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Path | None] = []

        def run_it(args: argparse.Namespace) -> int:
            asked.append(args.config)
            return 0

        monkeypatch.setattr(alerts_run, "run", run_it)
        assert main(["alerts", *arguments]) == 0
        assert asked == [Path("w.toml") if arguments and "--config" in arguments else None]

    def test_what_has_no_settings_takes_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["alerts", "--config", "w.toml", "simulate"]) == 2
        assert "has no settings" in capsys.readouterr().err
