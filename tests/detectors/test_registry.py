"""Which detectors a project gets."""

import pytest

from detectors.interactions import Interaction
from detectors.protocol import Detector, Finding
from detectors.registry import RULES, make_detectors
from detectors.settings import DetectorSettings
from tests.detectors.tape import OTHER, Player, click, clicks, failure, in_order, without

WITHOUT = {name: without(name) for name in ("rage_click", "dead_click", "error_click", "js_error")}
NO_CLICKS = without("rage_click", "dead_click", "slow_response")
NOTHING = without(*RULES)
WATCHERS = {"opt_out", "reactions", "forms", "hands"}


def names(settings: DetectorSettings) -> list[str]:
    return [detector.name for detector in make_detectors(settings, lambda _: None)]


def test_all_by_default_and_watchers_before_those_that_ask_them() -> None:
    made = names(DetectorSettings())
    assert set(made) == {*RULES, *WATCHERS}
    assert made.index("reactions") < min(made.index(name) for name in ("rage_click", "dead_click", "slow_response"))
    assert made.index("forms") < min(made.index(name) for name in ("form_abandonment", "form_error_loop"))
    assert made.index("hands") < made.index("idle")


def test_names_are_unique_so_that_states_can_be_kept_by_name() -> None:
    assert len(set(names(DetectorSettings()))) == len(names(DetectorSettings()))


@pytest.mark.parametrize("name", WITHOUT)
def test_a_detector_that_is_off_is_left_out(name: str) -> None:
    settings = WITHOUT[name]
    assert name not in names(settings)
    tape = in_order(clicks((1_000, 1_200, 1_400, 1_600)), [failure(1_601)], click(1_700, OTHER))
    found = {finding.detector for finding in _played(settings, tape)}
    assert found == set(WITHOUT) - {name}


def test_nothing_is_left_if_all_are_off() -> None:
    assert make_detectors(NOTHING, lambda _: None) == []


def test_nobody_watches_if_nobody_asks() -> None:
    assert "reactions" not in names(NO_CLICKS)
    assert "forms" not in names(without("form_abandonment", "form_error_loop"))
    asking = {
        "error_click",
        "slow_response",
        "form_abandonment",
        "form_error_loop",
        "quick_back",
        "rapid_reload",
        "idle",
    }
    assert "hands" not in names(without(*asking))
    for name in asking:
        assert "hands" in names(without(*asking - {name}))


def test_each_call_makes_detectors_of_its_own() -> None:
    one, two = Player().play(click(1_000)), Player()
    two.advance(9_000)
    assert two.finish().findings == []
    one.advance(9_000)
    assert len(one.findings) == 1


def test_rules_name_preset_detector_and_version() -> None:
    assert all(rule == f"wince/{name}@1" for name, rule in RULES.items())


def test_they_keep_the_protocol() -> None:
    detectors: list[Detector] = make_detectors(DetectorSettings(), lambda _: None)
    for detector in detectors:
        assert detector.deadline is None
        assert all(callable(handler) for handler in detector.handlers().values())


def _played(settings: DetectorSettings, tape: list[Interaction]) -> list[Finding]:
    player = Player(settings).play(tape)
    player.advance(tape[-1].t + 10_000)
    return player.finish().findings
