"""The detectors of a window, told through what their project found out once."""

import pytest

from detectors.interactions import Click, Failure, MouseMove
from detectors.machine import may_wait
from detectors.protocol import Finding
from detectors.registry import make_detectors
from detectors.settings import DetectorSettings, JsErrorSettings, PresetName
from engine.core.panel import NEVER, Panel, Wishes
from tests.detectors.tape import BUTTON, PAGE

PRESETS: tuple[PresetName, ...] = (
    "wince", "amplitude", "datadog", "posthog", "sentry", "highlight", "openreplay", "mixpanel", "newrelic", "splunk",
)  # fmt: skip
SETTINGS = DetectorSettings()
FAILURE = Failure(5_000, PAGE, "error", "TypeError", "x is undefined", ())


def seated(wishes: Wishes, findings: list[Finding]) -> Panel:
    panel = Panel()
    panel.seat(make_detectors(SETTINGS, findings.append), wishes)
    return panel


class Listener:
    """A detector of somebody else, with handlers that are no methods."""

    name = "listener"

    def __init__(self) -> None:
        self.deadline: int | None = None
        self.heard: list[object] = []

    def handlers(self) -> dict[type, object]:
        return {MouseMove: self.heard.append, Failure: lambda failure: setattr(self, "deadline", failure.t + 7)}

    def advance(self, t: int) -> None:
        self.heard.append(t)
        self.deadline = None


@pytest.mark.parametrize("preset", PRESETS)
def test_every_interaction_reaches_the_methods_that_the_detectors_name(preset: PresetName) -> None:
    settings = DetectorSettings(preset=preset)
    wishes, detectors = Wishes(settings), make_detectors(settings, lambda _: None)
    assert wishes.kinds == frozenset().union(*(detector.handlers() for detector in detectors))
    for kind in wishes.kinds:
        named = [detector.handlers()[kind] for detector in detectors if kind in detector.handlers()]
        assert [method.__get__(detectors[place]) for place, method in wishes.parts[kind]] == named


def test_windows_of_one_project_know_nothing_of_each_other() -> None:
    wishes = Wishes(SETTINGS)
    mine: list[Finding] = []
    others: list[Finding] = []
    busy, calm = seated(wishes, mine), seated(wishes, others)
    busy.tell([Click(4_900, PAGE, BUTTON, press_t=4_850), FAILURE])
    assert (busy.waits, calm.waits) == (True, False)
    assert busy.deadline == FAILURE.t + JsErrorSettings().quiet_ms
    assert calm.deadline == NEVER
    busy.finish()
    calm.finish()
    assert {finding.detector for finding in mine} == {"error_click", "js_error"}
    assert others == []


def test_others_are_told_after_the_detectors_and_waited_for() -> None:
    listener, findings = Listener(), list[Finding]()
    panel = Panel()
    panel.seat(make_detectors(SETTINGS, findings.append), Wishes(SETTINGS), [listener])  # type: ignore[list-item]
    move = MouseMove(1, PAGE, ((1, 0.0, 0.0),))
    panel.tell([move, FAILURE])
    assert listener.heard == [move]
    assert panel.deadline == FAILURE.t + 7
    panel.advance(FAILURE.t + 7)
    assert listener.heard == [move, FAILURE.t + 7]
    assert panel.deadline == FAILURE.t + JsErrorSettings().quiet_ms


@pytest.mark.parametrize("preset", PRESETS)
def test_every_detector_that_may_wait_rings_its_alarm(preset: PresetName) -> None:
    settings = DetectorSettings(preset=preset)
    detectors = make_detectors(settings, lambda _: None)
    panel = Panel()
    panel.seat(detectors, Wishes(settings))
    waiting = [detector for detector in detectors if may_wait(detector)]
    assert waiting
    for t, detector in zip(range(2_000, 0, -1), waiting, strict=False):
        detector.deadline = t
        assert panel.deadline == t


def test_who_hears_first_is_told_before_the_detectors() -> None:
    order: list[str] = []
    panel = Panel({Failure: lambda _: order.append("first")})
    settings = DetectorSettings(js_error=JsErrorSettings(quiet_ms=0))
    panel.seat(make_detectors(settings, lambda finding: order.append(finding.detector)), Wishes(settings))
    panel.tell([FAILURE, MouseMove(5_001, PAGE, ((5_001, 0.0, 0.0),))])
    panel.finish()
    assert order == ["first", "js_error"]
    assert Panel({Failure: lambda _: None}).kinds == {Failure}


def test_nobody_seated_wants_anything() -> None:
    panel = Panel()
    panel.tell([FAILURE])
    assert (panel.kinds, panel.waits, panel.deadline) == (frozenset(), False, NEVER)
