"""What docs/detectors.md says in numbers is what the code does."""

import importlib
import json
import re
from pathlib import Path

import msgspec
import pytest

from detectors.registry import RULES
from detectors.score import CEILINGS, score
from detectors.settings import DetectorSettings
from tests.detectors.tape import GRIEVANCES, ONLY, verdict

DOCS = (Path(__file__).parents[2] / "docs" / "detectors.md").read_text(encoding="utf-8")
HEADINGS = {"js_error": "JavaScript error"}


def rows(section: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    text = DOCS.partition(f"{section}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def defaults() -> dict[str, object]:
    return {
        f"{detector}.{name}": value
        for detector in RULES
        for name, value in msgspec.structs.asdict(getattr(DetectorSettings(), detector)).items()
    }


def test_every_setting_is_there_with_its_default() -> None:
    assert {row[0]: json.loads(row[1]) for row in rows("## Settings")} == defaults()


@pytest.mark.parametrize("row", rows("### Fixed numbers"), ids=lambda row: row[0])
def test_fixed_numbers_are_those_of_the_code(row: list[str]) -> None:
    module, _, name = row[0].partition(".")
    assert getattr(importlib.import_module(f"detectors.{module}"), name) == int(row[1])


def test_every_detector_is_there() -> None:
    assert [row[0] for row in rows("# Detectors")] == list(RULES)


def test_the_table_of_points_is_that_of_the_score() -> None:
    table = {row[0]: [float(cell) for cell in row[1:]] for row in rows("## The score")}
    assert table == {name: [ceiling, *(score({name: n})[0] for n in (1, 2, 4))] for name, ceiling in CEILINGS.items()}


def test_the_example_is_what_the_score_gives() -> None:
    total, parts = score({"rage_click": 2, "dead_click": 1, "js_error": 3})
    example = DOCS.partition("*Example.*")[2].partition("\n\n")[0]
    assert [part.points for part in parts] == [17.5, 9.7, 7.3]
    assert all(f"= {part.points}" in example for part in parts)
    assert f"**{total}**" in example


@pytest.mark.parametrize("detector", RULES)
def test_all_evidence_is_explained(detector: str) -> None:
    section = HEADINGS.get(detector, detector.replace("_", " ").capitalize())
    text = DOCS.partition(f"## {section}\n")[2].partition("\n## ")[0]
    told = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)))
    (finding,) = verdict(GRIEVANCES[detector], ONLY[detector])
    assert sorted(told) == sorted(finding.evidence)


@pytest.mark.parametrize(
    ("sentence", "setting"),
    [
        (r"(Four) consecutive unanswered clicks", "rage_click.count"),
        (r"first and last are less than (\d+ seconds?) apart", "rage_click.window_ms"),
        (r"or less than (\d+ seconds?) apart", "rage_click.unanswered_window_ms"),
        (r"at most (\d+) by \d+ px", "rage_click.max_spread_px"),
        (r"no answer within (\d+ seconds?) after", "dead_click.wait_ms"),
        (r"error at most (\d+ seconds?) after", "error_click.window_ms"),
        (r"tried again within (\d+ seconds?) was mended", "network_error.retry_ms"),
        (r"a click caused \(as above\) succeeded after (\d+ seconds?)", "slow_response.slow_ms"),
        (r"turns back (\d+) times on one axis", "thrashed_cursor.turns"),
        (r"axis within (\d+ seconds?), each leg", "thrashed_cursor.window_ms"),
        (r"browser's back, within (\d+ seconds?) and without", "quick_back.stay_ms"),
        (r"with text in at least (\d+) fields", "form_abandonment.fields"),
        (r"Refused (\d+) times in a row", "form_error_loop.refusals"),
        (r"loaded again (\d+) times", "rapid_reload.reloads"),
        (r"times within (\d+ seconds?), without a touch", "rapid_reload.window_ms"),
        (r"scrolling turns (\d+) times", "scroll_thrash.turns"),
        (r"times within (\d+ seconds?), each leg at least 150", "scroll_thrash.window_ms"),
        (r"pointer\) for (\d+ seconds?), and came back", "idle.after_ms"),
    ],
)
def test_the_sentences_say_the_defaults(sentence: str, setting: str) -> None:
    said = re.search(sentence, " ".join(DOCS.split()))
    assert said is not None
    number = 4 if said[1] == "Four" else int(said[1].split()[0])
    assert number * (1_000 if "second" in said[1] else 1) == defaults()[setting]
