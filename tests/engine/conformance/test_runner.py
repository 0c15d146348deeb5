"""The runner itself: it sees differences, and says what is wrong with files and options."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.cli import main
from engine.conformance.cases import Case, read_cases
from engine.conformance.options import OptionError, fit_options
from engine.conformance.run import run_case
from engine.conformance.stream import Nodes, events_of

CLICKS = [{"t": t, "kind": "click", "target": "btn", "x": 5, "y": 5} for t in (2_000, 2_200, 2_400)]
RAGE = {"detector": "rage_click", "t": 2_400, "target": "btn"}


def raw(**changes: Any) -> dict[str, Any]:
    """A case that passes, with changes."""
    return {
        "id": "one",
        "vendor": "posthog",
        "detectors": ["rage_click"],
        "title": "three clicks",
        "nodes": {"btn": {"tag": "button", "text": "Save"}},
        "events": CLICKS,
        "end_t": 9_000,
        "expected": [RAGE],
        **changes,
    }


def made(**changes: Any) -> Case:
    return msgspec.convert(raw(**changes), Case)


def written(folder: Path, *cases: dict[str, Any], version: object = 1) -> Path:
    path = folder / "cases.json"
    path.write_text(json.dumps({"schema_version": version, "about": "", "cases": list(cases)}), encoding="utf-8")
    return path


def test_a_case_that_agrees_passes() -> None:
    outcome = run_case(made())
    assert outcome.ok
    assert outcome.got[0]["decided_t"] == 2_400


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ([], "got {detector: rage_click, t: 2400"),
        ([{**RAGE, "t": 2_000}], "expected {detector: rage_click, t: 2000"),
        ([{**RAGE, "target": "other"}], "expected {detector: rage_click, t: 2400, target: other}"),
        ([{**RAGE, "count": 4}], "count: 4"),
        ([{**RAGE, "decided_t": 2_401}], "decided_t: 2401"),
        ([{**RAGE, "end_reason": "timeout"}], "end_reason: timeout"),
        ([RAGE, RAGE], "expected {detector: rage_click"),
    ],
)
def test_each_difference_is_told(expected: list[dict[str, Any]], problem: str) -> None:
    outcome = run_case(made(expected=expected))
    assert not outcome.ok
    assert any(problem in told for told in outcome.problems)


def test_a_field_nobody_knows_is_not_compared() -> None:
    outcome = run_case(made(expected=[{**RAGE, "note": "third click"}]))
    assert outcome.ok
    assert outcome.notes == ["note is in no signal and was not compared"]


@pytest.mark.parametrize(
    ("direction", "agrees"), [("right", True), ("horizontal", True), ("left", False), ("up", False)]
)
def test_of_a_direction_the_axis_is_enough(direction: str | None, *, agrees: bool) -> None:
    finger = {"target": "btn", "y": 5}
    events = [{"t": 10, "kind": "touchstart", "x": 5, **finger}, {"t": 20, "kind": "touchend", "x": 95, **finger}]
    wanted = {"detector": "dead_swipe", "t": 20, "direction": direction}
    assert run_case(made(detectors=["dead_swipe"], events=events, expected=[wanted])).ok is agrees


def test_null_says_nothing_of_a_signal() -> None:
    assert run_case(made(expected=[{**RAGE, "target": None, "count": None}])).ok


def test_times_are_compared_in_whole_milliseconds() -> None:
    clicks = [{**click, "t": t + 0.6} for click, t in zip(CLICKS, (2_000, 2_200, 2_400), strict=True)]
    assert run_case(made(events=clicks, expected=[{**RAGE, "t": 2_400.6}])).ok
    assert not run_case(made(events=clicks, expected=[{**RAGE, "t": 2_401.0}])).ok


def test_signals_of_other_detectors_are_not_looked_at() -> None:
    assert run_case(made(detectors=["dead_swipe"], expected=[])).ok


def test_keys_of_nodes_may_be_anything() -> None:
    key = "4111 1111 1111 1111"
    clicks = [{**click, "target": key} for click in CLICKS]
    assert run_case(made(nodes={key: {"tag": "button"}}, events=clicks, expected=[{**RAGE, "target": key}])).ok


@pytest.mark.parametrize(
    ("vendor", "options", "path", "value"),
    [
        ("posthog", {"rageclick": False}, "posthog.rageclick.enabled", False),
        ("posthog", {"rageclick": True}, "posthog.rageclick.content_ignorelist", "off"),
        ("posthog", {"rageclick": {"content_ignorelist": ["a"]}}, "posthog.rageclick.content_words", ("a",)),
        ("posthog", {"rageclick": {"content_ignorelist": []}}, "posthog.rageclick.content_ignorelist", "off"),
        ("posthog", {"defaults": "2026-05-30"}, "posthog.rageclick.content_ignorelist", "default"),
        ("amplitude", {"errorClicks": {}}, "amplitude.error_clicks.enabled", True),
        (
            "amplitude",
            {"frustrationInteractions": {"thrashedCursor": {"directionChanges": 7}}},
            "amplitude.thrashed_cursor.direction_changes",
            7,
        ),
        ("highlight", {"RageClickSettings": {"Radius": 3}}, "highlight.rage_click_radius_pixels", 3),
        ("posthog", {"click_count": 4, "threshold_px": 9}, "posthog.rageclick.click_count", 4),
        ("splunk", {"rageClick": {"ignoreSelectors": ".x"}}, "splunk.rage_click.ignore_selectors", (".x",)),
        ("highlight", {"rage_click": {"count": 3}}, "highlight.rage_click_count", 3),
        ("posthog", {"rageclick": {"click_count": 0}}, "posthog.rageclick.click_count", 3),
        ("posthog", {"rageclick": {"threshold_px": 0}}, "posthog.rageclick.threshold_px", 30),
        ("mixpanel", {"rage_click": {"timeout_ms": 0}}, "mixpanel.rage_click.timeout_ms", 1_000),
        ("splunk", {"deadClick": {"timeWindowMs": -1}}, "splunk.dead_click.time_window_ms", 1_000),
        ("splunk", {"rageClick": {"count": 3.7}}, "splunk.rage_click.count", 3),
        ("sentry", {"slowClickTimeout": 0}, "sentry.slow_click_timeout", 0),
        ("sentry", {"slowClickTimeout": 5000.0}, "sentry.slow_click_timeout", 5_000),
    ],
)
def test_options_are_taken_as_vendors_write_them(
    vendor: str, options: dict[str, Any], path: str, value: object
) -> None:
    fitted = fit_options(made(vendor=vendor, options=options))
    assert fitted.left_out == []
    found: object = fitted.settings
    for name in path.split("."):
        found = getattr(found, name)
    assert found == value


@pytest.mark.parametrize(
    ("changes", "strict"),
    [
        ({}, False),
        ({"fidelity": "implementation"}, True),
        ({"options": {"strict_quirks": True}}, True),
        ({"fidelity": "implementation", "options": {"strict_quirks": False}}, False),
    ],
)
def test_faults_are_reproduced_where_a_case_is_about_the_code(changes: dict[str, Any], *, strict: bool) -> None:
    assert fit_options(made(**changes)).settings.strict_quirks is strict


@pytest.mark.parametrize(
    "changes",
    [
        {"vendor": "clarity"},
        {"vendor": "wince"},
        {"vendor": "preset"},
        {"options": {"rageclick": 3}},
        {"options": {"rageclick": {"click_count": "three"}}},
        {"options": {"rageclick": {"click_count": 1_000_000}}},
        {"vendor": "amplitude", "options": {"thrashedCursor": {"directionChanges": 0}}},
        {"options": {"rageclick": {"css_selector_ignorelist": ["["]}}},
        {"options": {"rageclick": {"css_selector_ignorelist": ["p:first-child"]}}},
    ],
)
def test_unknown_vendors_and_wrong_options_fail_the_case_only(changes: dict[str, Any]) -> None:
    case = made(**changes)
    with pytest.raises(OptionError):
        fit_options(case)
    assert not run_case(case).ok


def test_cases_may_say_more_than_is_looked_at(tmp_path: Path) -> None:
    more = {"clicks": [1, 2], "about": {"x": 1}}
    nodes = {"body": {"tag": "body", "attrs": {"class": "dark"}}, "btn": {"tag": "button", "parent": None, "z": 1}}
    (case,) = read_cases(written(tmp_path, raw(tier=2, options=None, nodes=nodes, expected=[{**RAGE, **more}])))
    outcome = run_case(case)
    assert (outcome.ok, outcome.tier) == (True, "2")
    assert len(outcome.notes) == len(more)


def test_an_unknown_option_is_left_out_and_told() -> None:
    outcome = run_case(made(options={"rageclick": {"clicks": 3}, "debug": True}))
    assert outcome.ok
    assert [note.split()[1] for note in outcome.notes] == ["posthog.rageclick.clicks", "posthog.debug"]


@pytest.mark.parametrize(
    ("event", "wired"),
    [
        ({"kind": "navigation", "nav": "pushState"}, {"nav": "push"}),
        ({"kind": "navigation", "nav": "hash"}, {"nav": "hash"}),
        ({"kind": "mutation", "mutation_type": "style_sheet"}, {"mutation_type": "stylesheet"}),
        ({"kind": "mutation", "mutation_type": "characterData"}, {"mutation_type": "characterData"}),
        ({"kind": "click", "target": "btn", "x": 7, "y": 8}, {"page_x": 7, "page_y": 8}),
        ({"kind": "click", "target": "btn", "x": 7, "y": 8, "page_y": 300}, {"page_x": 7, "page_y": 300}),
        ({"kind": "click", "target": "btn", "modifiers": {"ctrlKey": True, "altKey": False}}, {"modifiers": ["ctrl"]}),
        ({"kind": "click", "target": "btn", "modifiers": ["Control", "Shift"]}, {"modifiers": ["ctrl", "shift"]}),
        (
            {"kind": "error", "frames": [{"function": "pay", "filename": "https://a.example/x.js", "lineno": 3}]},
            {"stack": "    at pay (https://a.example/x.js:3:1)"},
        ),
    ],
)
def test_other_words_for_the_same_are_understood(event: dict[str, Any], wired: dict[str, Any]) -> None:
    case = made(events=[{"t": 1, **event}], expected=[])
    sent = events_of(case, Nodes(case.nodes))[1]
    assert {name: sent[name] for name in wired} == wired


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"events": [{"t": 1, "kind": 5}]}, "event 0: kind is 5"),
        ({"events": [{"t": "1", "kind": "scroll"}]}, "event 0: t is '1'"),
        ({"events": [{"t": True, "kind": "scroll"}]}, "event 0: t is True"),
        ({"events": [{"t": -1, "kind": "scroll"}]}, "event 0: t is -1"),
        ({"events": [{"t": 1, "kind": "click"}]}, "event 0: a click needs a target"),
        ({"events": [{"t": 1, "kind": "click", "target": "no"}]}, "event 0: target 'no' is no node"),
        ({"events": [{"t": 1, "kind": "visibility", "state": "dim"}]}, "the engine refused events of the case"),
        ({"nodes": {"a": {"tag": "p", "parent": "b"}, "b": {"tag": "p", "parent": "a"}}}, "lies in itself"),
        ({"nodes": {"a": {"tag": "p", "parent": "z"}}}, "lies in 'z'"),
        ({"expected": [{"t": 1}]}, "detector is None"),
        ({"expected": [{"detector": "rage_click"}]}, "t is None"),
        ({"nodes": {"a": {}}}, "missing required field `tag`"),
        ({"detectors": "rage_click"}, "Expected `array`"),
    ],
)
def test_a_case_that_makes_no_sense_fails_alone(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    bad, good = map(run_case, read_cases(written(tmp_path, raw(tier="core", **changes), raw(id="two"))))
    assert (bad.id, bad.vendor, bad.tier, bad.ok) == ("one", "posthog", "core", False)
    assert problem in bad.problems[0]
    assert good.ok


def test_what_is_no_case_at_all_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(f'{{"schema_version": 1, "cases": [7, {{}}, {json.dumps(raw())}]}}', encoding="utf-8")
    seven, empty, good = map(run_case, read_cases(path))
    assert (seven.id, seven.ok, empty.id, empty.ok) == ("case 0", False, "case 1", False)
    assert good.ok


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"events": [{"t": 1, "kind": "tap"}, *CLICKS]}, "event 0: kind 'tap' is not known"),
        ({"events": [{"t": 1, "kind": "scroll", "target": "document"}, *CLICKS]}, "target 'document' is no node"),
        ({"events": CLICKS[::-1]}, "put in the order of their times"),
        ({"end_t": 5}, "end_t is 5, before the last event at 2400"),
        ({"expected": [RAGE, {"detector": "dead_click", "t": 1}]}, "detectors that are not checked"),
    ],
)
def test_what_is_beside_the_format_is_settled_and_told(changes: dict[str, Any], note: str) -> None:
    outcome = run_case(made(**changes))
    assert outcome.ok
    assert note in outcome.notes[0]


def test_a_byte_order_mark_is_no_matter(tmp_path: Path) -> None:
    path = written(tmp_path, raw())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (case,) = read_cases(path)
    assert run_case(case).ok


class TestCommand:
    def test_all_pass(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["conformance", str(written(tmp_path, raw()))]) == 0
        assert "pass one" in capsys.readouterr().out

    def test_a_failure_is_told_with_the_difference(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["conformance", str(written(tmp_path, raw(expected=[])))]) == 1
        out = capsys.readouterr().out
        assert "FAIL one" in out
        assert "got {detector: rage_click" in out

    def test_json_is_one_object_a_case(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = written(tmp_path, raw(tier="core"), raw(id="two", expected=[]))
        assert main(["conformance", "--json", str(path)]) == 1
        first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
        assert first.keys() >= {"id", "vendor", "tier", "ok", "expected", "got"}
        assert (first["tier"], first["ok"], second["tier"], second["ok"]) == ("core", True, "definition", False)

    @pytest.mark.parametrize("text", ["", "[]", '{"cases": 3}', '{"schema_version": 9, "cases": []}', "[" * 5_000])
    def test_a_malformed_file_is_refused(self, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "bad.json"
        path.write_text(text, encoding="utf-8")
        assert main(["conformance", str(path)]) == 2
        assert str(path) in capsys.readouterr().err

    def test_two_cases_of_one_name_are_both_run(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["conformance", "--json", str(written(tmp_path, raw(), raw(title="again")))]) == 0
        notes = [json.loads(line)["notes"] for line in capsys.readouterr().out.splitlines()]
        assert notes == [[], ["another case has this id"]]

    def test_a_missing_file_is_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["conformance", str(tmp_path / "none.json")]) == 2
        assert "No such file" in capsys.readouterr().err
