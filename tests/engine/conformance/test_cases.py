"""Presets say what their vendors say: all case files, each case in three ways."""

from collections import Counter
from pathlib import Path

import pytest

from detectors.registry import SIGNALS
from detectors.settings import DetectorSettings
from engine.conformance.cases import Case, read_cases
from engine.conformance.run import run_case

FOLDER = Path(__file__).parents[2] / "data" / "conformance"
FILES = sorted(FOLDER.glob("*.json"))
CASES = [case for path in FILES for case in read_cases(path) if isinstance(case, Case)]
VENDORS = {"amplitude", "datadog", "posthog", "sentry", "highlight", "openreplay", "mixpanel", "newrelic", "splunk"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_preset_says_what_its_vendor_says(case: Case) -> None:
    outcome = run_case(case)
    assert outcome.problems == []
    assert outcome.ok


def test_every_case_can_be_run() -> None:
    assert len(CASES) == sum(len(read_cases(path)) for path in FILES)


def test_every_vendor_has_its_cases() -> None:
    counts = Counter(case.vendor for case in CASES)
    assert set(counts) == VENDORS
    assert min(counts.values()) >= 15
    assert set(DetectorSettings.__struct_fields__) >= VENDORS


def test_cases_are_about_what_presets_look_for() -> None:
    """What a vendor has switched off by default is in cases that switch it on."""
    expected = {
        (case.vendor, str(signal["detector"])) for case in CASES for signal in case.expected if not case.options
    }
    assert expected <= {(preset, name) for preset, names in SIGNALS.items() for name in names}
    assert {preset for preset, _ in expected} == VENDORS


def test_cases_expect_something_and_nothing() -> None:
    """A preset that never finds anything, or always, would pass half of a file."""
    for vendor in VENDORS:
        kinds = {bool(case.expected) for case in CASES if case.vendor == vendor}
        assert kinds == {True, False}
