"""Several rule sets over one session: each says what it found, one makes tags and score."""

import pytest

from detectors.settings import DetectorSettings, PresetName
from engine.settings import Settings
from schemas.session_record import SessionRecord
from schemas.signals import Signal
from tests.engine.core.harness import run_core, sample_batches

BATCHES = [line for lines in sample_batches().values() for line in lines]


def judged(*presets: PresetName, main: PresetName = "wince") -> tuple[list[Signal], dict[str, SessionRecord]]:
    collected = run_core(BATCHES, settings=Settings(detectors=DetectorSettings(preset=main, presets=presets)))
    return sorted(collected.signals.values(), key=lambda signal: signal.id), collected.records


def of(preset: str, signals: list[Signal]) -> list[Signal]:
    return [signal for signal in signals if signal.rule.startswith(f"{preset}/")]


def test_each_says_what_it_says_alone() -> None:
    together, _ = judged("wince", "datadog", "sentry")
    for preset in ("wince", "datadog", "sentry"):
        alone, _ = judged(main=preset)
        assert alone != []
        assert of(preset, together) == alone


def test_tags_and_score_do_not_grow_because_two_tell_the_same() -> None:
    _, alone = judged()
    _, together = judged("datadog", "wince", "posthog")
    assert {key: (record.tags, record.score) for key, record in together.items()} == {
        key: (record.tags, record.score) for key, record in alone.items()
    }


@pytest.mark.parametrize(
    ("presets", "preset", "main"),
    [
        ((), "wince", "wince"),
        ((), "sentry", "sentry"),
        (("datadog", "wince"), "wince", "wince"),
        (("datadog", "posthog"), "wince", "datadog"),
        (("datadog", "posthog"), "posthog", "posthog"),
    ],
)
def test_the_chosen_one_makes_the_score_or_else_the_first(
    presets: tuple[PresetName, ...], preset: PresetName, main: PresetName
) -> None:
    assert DetectorSettings(preset=preset, presets=presets).main_preset == main


def test_a_preset_named_twice_runs_once() -> None:
    assert DetectorSettings(presets=("sentry", "wince", "sentry")).chosen_presets == ("sentry", "wince")
