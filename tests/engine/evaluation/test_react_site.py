"""How the default does on a site it was not made on, and whether its numbers sit on an edge."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from detectors.settings import DetectorSettings
from engine.evaluation.evaluate import PresetReport, evaluate
from engine.evaluation.labels import load_labels
from engine.settings import Settings
from tests.engine.evaluation.react_site import write_corpus

SEEDS = 6
CLICKS = {"rage_click": 0.95, "dead_click": 0.85, "error_click": 0.95}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("react")
    write_corpus(folder, SEEDS)
    return folder


def report(corpus: Path, detectors: DetectorSettings) -> PresetReport:
    settings = Settings(detectors=detectors)
    return evaluate(corpus, load_labels(corpus / "labels.json"), settings, ["wince"]).presets[0]


def f1(judged: PresetReport) -> Mapping[str, float]:
    return {name: scores.f1.value for name, scores in judged.signals.items() if scores.f1 is not None}


def test_the_default_does_well_and_leaves_calm_visits_alone(corpus: Path) -> None:
    judged = report(corpus, DetectorSettings())
    assert judged.calm_signals == 0
    assert {name: value for name, value in f1(judged).items() if value < CLICKS.get(name, 0.9)} == {}
    assert [mistake for mistake in judged.mistakes if mistake.kind == "false"] == []


@pytest.mark.parametrize("share", [0.7, 1.3])
@pytest.mark.parametrize(
    "moved",
    [
        {"rage_click": ("window_ms", "unanswered_window_ms", "max_spread_px", "quiet_ms")},
        {"dead_click": ("wait_ms",)},
        {"error_click": ("window_ms",)},
    ],
    ids="-".join,
)
def test_no_number_sits_on_an_edge(corpus: Path, moved: Mapping[str, tuple[str, ...]], share: float) -> None:
    detectors = DetectorSettings()
    for name, fields in moved.items():
        table = getattr(detectors, name)
        changed = msgspec.structs.replace(table, **{field: round(getattr(table, field) * share) for field in fields})
        detectors = msgspec.structs.replace(detectors, **{name: changed})
    judged = report(corpus, detectors)
    assert {name: f1(judged)[name] for name in CLICKS if f1(judged)[name] < 0.85} == {}
    assert judged.calm_signals <= 1
