"""Rules for single elements: what is switched off, and what counts as rage or as dead there."""

from collections.abc import Mapping
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.interactions import Interaction
from detectors.machines.selectors import SelectorError
from detectors.registry import make_detectors
from detectors.settings import DetectorSettings, PresetName
from detectors.tuning import Tuning
from tests.detectors.tape import BODY, BUTTON, OTHER, click, clicks, element, failure, in_order, mutation, verdict

TIMES = (10_000, 10_200, 10_400, 10_600, 10_800, 11_000)
STEPPER = element("div", 800, BODY, _class="stepper")
PLUS = element("button", 810, STEPPER, "+", _class="plus")
ICON = element("svg", 811, PLUS)


def with_rules(*rules: Mapping[str, object], **more: object) -> DetectorSettings:
    return msgspec.convert({"rules": list(rules), **more}, DetectorSettings)


def told(tape: list[Interaction], settings: DetectorSettings) -> set[tuple[str, int | str]]:
    return {(found.detector, found.target.node_id) for found in verdict(tape, settings) if found.target}


def anger(target: object = ICON) -> list[Interaction]:
    """Click in a rage; each click throws, too, and nothing answers; later somewhere else."""
    return in_order(clicks(TIMES, target), [failure(t + 1) for t in TIMES], click(60_000, OTHER), click(90_000, BODY))  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", get_args(PresetName))
def test_what_is_off_is_not_told_by_any_preset(preset: PresetName) -> None:
    nodes = {800, 810, 811}
    plain = told(anger(), DetectorSettings(preset=preset))
    off = told(anger(), with_rules({"selector": ".stepper", "off": ["all"]}, preset=preset))
    assert {node for _, node in off}.isdisjoint(nodes)
    assert {found for found in plain if found[1] not in nodes} == off


def test_one_signal_can_be_off_alone() -> None:
    plain = told(anger(), DetectorSettings())
    assert {("rage_click", 810), ("error_click", 810)} <= plain
    assert told(anger(), with_rules({"selector": ".plus", "off": ["rage_click"]})) == plain - {("rage_click", 810)}


def test_rules_hold_below_what_they_match_and_nowhere_else() -> None:
    rule = {"selector": ".stepper .plus", "off": ["all"]}
    assert told(anger(BUTTON), with_rules(rule)) == told(anger(BUTTON), DetectorSettings()) != set()
    assert told(anger(STEPPER), with_rules(rule)) == told(anger(STEPPER), DetectorSettings())


def test_more_clicks_are_normal_here() -> None:
    rules = with_rules({"selector": ".stepper", "rage_click_count": 7})
    assert ("rage_click", 810) not in told(anger(), rules)
    assert ("rage_click", 330) in told(anger(BUTTON), rules)
    (finding,) = [
        found
        for found in verdict([*clicks((*TIMES, 11_200), ICON), *click(60_000, OTHER)], rules)
        if found.detector == "rage_click"
    ]
    assert (finding.count, finding.evidence["needed_clicks"]) == (7, 7)


def test_fewer_clicks_are_rage_here() -> None:
    two = [*clicks((10_000, 10_300), ICON), *click(60_000, OTHER)]
    assert ("rage_click", 810) not in told(two, DetectorSettings())
    assert ("rage_click", 810) in told(two, with_rules({"selector": ".plus", "rage_click_count": 2}))


@pytest.mark.parametrize(("answer_t", "is_dead"), [(14_999, False), (15_001, True)])
def test_the_page_has_longer_to_answer_here(answer_t: int, is_dead: bool) -> None:  # noqa: FBT001
    tape = in_order(click(10_000, ICON), click(10_100, BUTTON), [mutation(answer_t)], click(60_000, BODY))
    found = told(tape, with_rules({"selector": ".plus", "dead_click_wait_ms": 5_000}))
    assert (("dead_click", 810) in found) is is_dead
    assert ("dead_click", 330) in found


def test_the_first_rule_that_says_something_decides() -> None:
    rules = with_rules(
        {"selector": ".plus", "off": ["dead_click"]},
        {"selector": ".stepper", "rage_click_count": 9},
        {"selector": "button", "rage_click_count": 2, "dead_click_wait_ms": 700},
    )
    tuning = Tuning(rules.rules)
    assert (tuning.rage_click_count(ICON, 4), tuning.dead_click_wait_ms(ICON, 3_000)) == (9, 700)
    assert (tuning.rage_click_count(BUTTON, 4), tuning.dead_click_wait_ms(BODY, 3_000)) == (2, 3_000)
    assert [(matched.node_id, off) for matched, off in tuning.switched_off(ICON)] == [(810, ("dead_click",))]


@given(gaps=st.lists(st.integers(50, 900), min_size=4, max_size=30), count=st.integers(2, 12))
def test_a_rule_for_everything_is_the_setting(gaps: list[int], count: int) -> None:
    times = [10_000 + sum(gaps[:place]) for place in range(len(gaps))]
    tape = [*clicks(times), *click(200_000, OTHER)]
    by_rule = verdict(tape, with_rules({"selector": "*", "rage_click_count": count}))
    assert by_rule == verdict(tape, msgspec.convert({"rage_click": {"count": count}}, DetectorSettings))


def test_what_cannot_be_decided_is_refused() -> None:
    for selector in ("p + p", ":first-child", "::before", "a[", ":has(p)"):
        with pytest.raises(SelectorError):
            make_detectors(with_rules({"selector": selector}), lambda _: None)
