"""`wince evaluate` on the shipped recordings, as its user meets it."""

import json
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import msgspec
import pytest

from engine.cli import main
from engine.evaluation.evaluate import EvaluationReport
from engine.evaluation.html import render_html
from engine.evaluation.labels import LabelsError, find_recording, load_labels
from engine.samples import SAMPLES_FOLDER

LABELS = Path(__file__).parents[2] / "data" / "sample_labels.json"
ARGUMENTS = ["evaluate", str(SAMPLES_FOLDER), "--labels", str(LABELS), "--preset", "wince", "--quiet"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> EvaluationReport:
    page = tmp_path_factory.mktemp("evaluation") / "page.html"
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda text, **_: printed.append(text))
        assert main([*ARGUMENTS, "--json", "--html", str(page)]) == 0
    return msgspec.json.decode(printed[0], type=EvaluationReport)


def test_the_default_finds_what_is_labelled_in_the_samples(report: EvaluationReport) -> None:
    assert report.sessions == len(load_labels(LABELS).sessions)
    (wince,) = report.presets
    for name in ("rage_click", "error_click", "js_error"):
        scores = wince.signals[name]
        assert scores.f1 is not None
        assert scores.f1.value == 1
    assert wince.calm_signals == 0
    assert all(tally.wrong == 0 for tallies in wince.scenarios.values() for tally in tallies.values())


def test_scenarios_and_mistakes_add_up_to_the_scores(report: EvaluationReport) -> None:
    (wince,) = report.presets
    for name, scores in wince.signals.items():
        rows = [tallies[name] for tallies in wince.scenarios.values() if name in tallies]
        for count in ("found", "missed", "right", "excused", "wrong"):
            assert sum(getattr(row, count) for row in rows) == getattr(scores.tally, count)
        mistakes = [mistake for mistake in wince.mistakes if mistake.signal == name]
        assert len(mistakes) == scores.tally.missed + scores.tally.wrong or name == "js_error"


def test_mistakes_lead_into_the_recording(report: EvaluationReport) -> None:
    for mistake in report.presets[0].mistakes:
        assert (SAMPLES_FOLDER / mistake.file).is_file()
        assert 0 <= mistake.offset_ms < 3_600_000


def test_links_of_the_page_lead_to_the_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "deep" / "page.html"
    page.parent.mkdir()
    assert main([*ARGUMENTS, "--preset", "datadog", "--markdown", "--html", str(page)]) == 0
    assert capsys.readouterr().out
    links = re.findall(r'<a href="([^"#]+)#session=', page.read_text(encoding="utf-8"))
    assert links
    assert all((page.parent / unquote(link)).is_file() for link in links)


def test_a_preset_is_not_blamed_for_what_it_does_not_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*ARGUMENTS[:3], str(LABELS), "--preset", "highlight", "--preset", "amplitude", "--quiet", "--json"]
    assert main(arguments) == 0
    highlight, amplitude = msgspec.json.decode(capsys.readouterr().out, type=EvaluationReport).presets
    assert highlight.signals.keys() == {"rage_click", "js_error"}
    assert amplitude.signals.keys() == {"rage_click", "dead_click"}
    for preset in (highlight, amplitude):
        assert {mistake.signal for mistake in preset.mistakes} <= preset.signals.keys()
        assert {name for tallies in preset.scenarios.values() for name in tallies} <= preset.signals.keys()


def test_text_names_every_mistake(capsys: pytest.CaptureFixture[str], report: EvaluationReport) -> None:
    assert main([*ARGUMENTS, "--mistakes", "100"]) == 0
    out = capsys.readouterr().out
    for mistake in report.presets[0].mistakes:
        assert f"session={mistake.session_id}&window={mistake.window_id}&t={mistake.t}" in out
    assert "rage_click" in out


def test_markdown_is_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ARGUMENTS, "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| signal | labels | precision | recall | F1 |"
    assert {line.count("|") for line in lines} == {6}


def test_the_table_in_the_documentation_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[3]
    monkeypatch.chdir(root)
    section = (root / "docs" / "detectors.md").read_text(encoding="utf-8").partition("## How well it does")[2]
    command = re.search(r"^\$ wince (.*)$", section, re.MULTILINE)
    assert command is not None
    assert main([*command[1].split(), "--quiet"]) == 0
    assert capsys.readouterr().out in section


def test_the_page_loads_nothing_and_hides_nothing(report: EvaluationReport) -> None:
    hostile = msgspec.json.decode(
        msgspec.json.encode(report).replace(b"order_fails", b"<script>alert(1)</script>"), type=EvaluationReport
    )
    page = render_html(hostile)
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(""", page)
    for svg in re.findall(r"<svg.*?</svg>", page):
        ET.fromstring(svg)  # noqa: S314  # our own page: it must be well-formed
    assert page.count("<svg") == sum(scores.f1 is not None for scores in report.presets[0].signals.values())
    assert all(mistake.session_id in page for mistake in report.presets[0].mistakes)


def test_it_fails_with_a_reason_if_there_is_nothing_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tmp_path), "--quiet"]) == 2
    assert "labels.json" in capsys.readouterr().err
    for text in ("{", '{"sessions": []}', '{"sessions": [{"session_id": "x", "scenario": "y", "labels": []}]}'):
        (tmp_path / "labels.json").write_text(text)
        assert main(["evaluate", str(tmp_path), "--quiet"]) == 2
        assert capsys.readouterr().err.startswith("wince: ")


def test_half_a_recording_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = json.loads(LABELS.read_text())["sessions"][0]
    (tmp_path / "labels.json").write_text(json.dumps({"sessions": [session]}))
    recording = (SAMPLES_FOLDER / session["file"]).read_bytes()
    (tmp_path / session["file"]).write_bytes(recording[: len(recording) // 2])
    assert main(["evaluate", str(tmp_path), "--quiet", "--preset", "wince"]) == 2
    assert session["file"] in capsys.readouterr().err


def test_labels_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("{}")
    (tmp_path / "corpus").mkdir()
    corpus = {"sessions": [{"session_id": "x", "scenario": "y", "labels": [], "file": "../secret.jsonl"}]}
    (tmp_path / "corpus" / "labels.json").write_text(json.dumps(corpus))
    with pytest.raises(LabelsError):
        find_recording(tmp_path / "corpus", load_labels(tmp_path / "corpus" / "labels.json").sessions[0])


def test_the_default_is_held_to_labels_of_kinds_that_nobody_knows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.json"
    labels.write_bytes(LABELS.read_bytes().replace(b'"idle"', b'"daydream"'))
    arguments = ["evaluate", str(SAMPLES_FOLDER), "--labels", str(labels), "--quiet", "--json"]
    assert main([*arguments, "--preset", "wince", "--preset", "sentry"]) == 0
    wince, sentry = msgspec.json.decode(capsys.readouterr().out, type=EvaluationReport).presets
    assert wince.signals["daydream"].tally.missed == 1
    assert "daydream" not in sentry.signals
