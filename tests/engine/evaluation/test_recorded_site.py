"""How the default does on real recordings of applications: see the `README.md` in `tests/data/recorded_*`."""

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
import zstandard

from engine.evaluation.evaluate import PresetReport, evaluate
from engine.evaluation.labels import load_labels
from engine.settings import Settings

DATA = Path(__file__).parents[2] / "data"
LEAST = {"rage_click": 0.95, "dead_click": 0.95, "error_click": 1.0}


class Sender(msgspec.Struct):
    session_id: str


def unpacked(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompress(path.read_bytes())


@pytest.fixture(scope="module", params=["recorded_site", "recorded_components"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PresetReport:
    data = DATA / str(request.param)
    folder = tmp_path_factory.mktemp("recorded")
    visits: dict[str, list[bytes]] = defaultdict(list)
    for line in unpacked(data / "recordings.jsonl.zst").splitlines():
        visits[msgspec.json.decode(line, type=Sender).session_id].append(line)
    for session_id, lines in visits.items():
        (folder / f"{session_id}.jsonl").write_bytes(b"\n".join(lines))
    (folder / "labels.json").write_bytes(unpacked(data / "labels.json.zst"))
    return evaluate(folder, load_labels(folder / "labels.json"), Settings(), ["wince"]).presets[0]


def test_what_people_minded_is_found(report: PresetReport) -> None:
    found = {name: scores.f1.value for name, scores in report.signals.items() if scores.f1 is not None}
    assert {name: found[name] for name, least in LEAST.items() if found[name] < least} == {}


def test_nobody_else_is_called_frustrated(report: PresetReport) -> None:
    assert [mistake for mistake in report.mistakes if mistake.kind == "false"] == []
    assert report.calm_signals == 0
