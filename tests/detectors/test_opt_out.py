"""No signal on what a site marked, whichever rules are in force."""

from dataclasses import replace
from typing import get_args

import pytest

from detectors.elements import Element
from detectors.opt_out import MAX_MUTED
from detectors.settings import DetectorSettings, PresetName
from tests.detectors.tape import (
    BODY,
    BUTTON,
    OTHER,
    Player,
    change,
    click,
    clicks,
    element,
    failure,
    in_order,
    mutation,
    typed,
    verdict,
)

TIMES = (10_000, 10_200, 10_400, 10_600, 10_800, 11_000)
MARKED = element("div", 800, BODY, data_wince_ignore="")
QUIET = replace(BUTTON, parent=MARKED)
ICON = element("svg", 331, QUIET)


def settings(preset: PresetName) -> DetectorSettings:
    return DetectorSettings(preset=preset)


def anger(target: Element) -> list[object]:
    """Click in a rage; each click throws, too, and nothing answers."""
    return in_order(clicks(TIMES, target), [failure(t + 1) for t in TIMES], click(60_000, OTHER))  # type: ignore[return-value]


@pytest.mark.parametrize("preset", get_args(PresetName))
@pytest.mark.parametrize("target", [QUIET, ICON, MARKED], ids=["control", "icon", "marked itself"])
def test_nothing_is_said_of_what_is_marked_by_any_preset(preset: PresetName, target: Element) -> None:
    nodes = {finding.target.node_id for finding in verdict(anger(target), settings(preset)) if finding.target}  # type: ignore[arg-type]
    assert nodes.isdisjoint({target.node_id, 331, 330, 800})


def test_without_the_mark_there_is_something_to_say() -> None:
    presets: list[PresetName] = ["wince", "datadog", "posthog", "mixpanel", "splunk", "newrelic"]
    for preset in presets:
        assert any(f.target and f.target.node_id == 330 for f in verdict(anger(BUTTON), settings(preset)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("above", "expected"), [(MARKED, set()), (BODY, {"form_abandonment", "form_error_loop"})])
def test_forms_can_be_marked(above: Element, expected: set[str]) -> None:
    form = element("form", 400, above)
    mail, name = element("input", 401, form, type="email"), element("input", 402, form, type="text")
    send = element("button", 403, form, "Pay")
    tape = typed(10_000, mail) + typed(11_000, name)
    for t in (13_000, 20_000, 27_000):
        tape += [*click(t, send), mutation(t + 5, change("attribute", 401, 400, 3, name="class"))]
        tape += typed(t + 3_000, mail)
    assert {finding.detector for finding in verdict(tape)} == expected


def test_a_node_id_that_means_another_element_by_now_is_free_again() -> None:
    player = Player().play(clicks(TIMES, QUIET)).play(clicks([t + 15_000 for t in TIMES], BUTTON))
    player.advance(200_000)
    assert {finding.detector for finding in player.finish().findings} == {"rage_click", "dead_click"}


def test_the_memory_is_bounded() -> None:
    player = Player()
    for number in range(2 * MAX_MUTED):
        player.play(click(10_000 + number, element("i", 1_000 + number, MARKED), hold=0))
    assert len(player.snapshots()["opt_out"]) < 8 * MAX_MUTED
