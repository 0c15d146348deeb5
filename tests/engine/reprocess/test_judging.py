"""What is stored tells the same as what was live, at every level and by every preset."""

import random
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.settings import DetectorSettings, PresetName
from engine.conformance.cases import Case, read_cases
from engine.conformance.options import fit_options
from engine.conformance.run import PRIVACY, SESSION
from engine.conformance.stream import Nodes, end_of, events_of, messages
from engine.reprocess.run import reprocess_tools
from engine.settings import Settings
from schemas.envelope import Envelope
from tests.engine.core.harness import sample_batches
from tests.engine.reprocess.stored import StoredSession, at_level, store

LEVELS = ("light", "medium", "conservative")
CASES = sorted(Path("tests/data/conformance").glob("*.json"))
EVERY_PRESET = get_args(PresetName)
SAMPLES = sample_batches()


def batch(seq: int, events: list[dict[str, object]], session_id: str = "s", window_id: str = "w") -> bytes:
    return msgspec.json.encode(
        Envelope(1, "shop", session_id, window_id, seq, 0, msgspec.Raw(msgspec.json.encode(events)))
    )


def agree(stored: StoredSession, settings: Settings) -> None:
    verdict = stored.judged(settings)
    assert list(verdict.signals) == stored.ordered()
    assert stored.record is not None
    kept = stored.record
    assert (verdict.tags, verdict.errors, verdict.score) == (kept.tags, kept.errors, kept.score)
    assert verdict.notes == {}


@pytest.mark.parametrize("level", LEVELS)
def test_samples_judged_by_every_preset_again_are_as_they_were(level: str) -> None:
    settings = at_level(level, detectors={"presets": EVERY_PRESET})
    batches = [line for lines in SAMPLES.values() for line in lines]
    stored = store(batches, settings)
    assert sum(len(each.signals) for each in stored.values()) > 300
    for each in stored.values():
        agree(each, settings)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_interaction_events_judged_again_are_as_they_were(path: Path, level: str) -> None:
    for case in read_cases(path):
        assert isinstance(case, Case)
        nodes, fitted = Nodes(case.nodes), fit_options(case)
        settings = Settings(detectors=fitted.settings, privacy=replace(PRIVACY, level=level), session=SESSION)
        stored = store(messages([events_of(case, nodes), [end_of(case)]]), settings)
        agree(stored["conformance"], settings)


@run_settings(deadline=None, max_examples=40)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    poll=st.integers(1, 30),
    dropped=st.integers(0, 3),
    level=st.sampled_from(LEVELS),
)
def test_holes_and_late_batches_are_doubted_again(name: str, poll: int, dropped: int, level: str) -> None:
    """Batches go missing; the last of them comes too late."""
    settings = at_level(level)
    lines = SAMPLES[name]
    random_ = random.Random(f"{name}{poll}{dropped}")
    gone = sorted(random_.sample(range(1, max(len(lines) - 1, 2)), min(dropped, max(len(lines) - 3, 0))))
    batches = [line for place, line in enumerate(lines) if place not in gone]
    stored = store([*batches, *(lines[place] for place in gone[-1:])], settings, poll)
    for each in stored.values():
        agree(each, settings)


def test_late_batches_are_passed_over_and_what_follows_is_doubted() -> None:
    settings = Settings(order=replace(Settings().order, gap_wait_ms=1))
    lines = next(lines for lines in SAMPLES.values() if len(lines) > 6)
    stored = next(iter(store([*lines[:2], *lines[3:], lines[2]], settings, poll=1).values()))
    assert any(block.late for block in stored.blocks)
    agree(stored, settings)


def test_other_rules_find_other_signals_in_the_same_bundle() -> None:
    lines = [line for lines in SAMPLES.values() for line in lines]
    stored, easy = store(lines, Settings()), at_level("medium", detectors={"rage_click": {"count": 2}})
    shared = reprocess_tools(easy)
    before = sum(each.record.tags.get("rage_click", 0) for each in stored.values() if each.record)
    after = sum(each.judged(easy, shared).tags.get("rage_click", 0) for each in stored.values())
    assert after > before


def test_errors_keep_the_class_that_only_their_stack_tells() -> None:
    stack = "RangeError: at 17\n    at total (https://shop.test/app.js:1:2)"
    console = {
        "level": "error",
        "trace": ["log (https://shop.test/log.js:9:9)"],
        "payload": [f'"{stack}"'.replace("\n", "\\n")],
    }
    events: list[dict[str, object]] = [
        {"type": 4, "data": {"href": "https://shop.test/", "width": 9, "height": 9}, "timestamp": 1_796_000_000_000},
        {
            "type": 5,
            "data": {"tag": "js_error", "payload": {"message": "bad", "stack": stack}},
            "timestamp": 1_796_000_001_000,
        },
        {"type": 6, "data": {"plugin": "rrweb/console@1", "payload": console}, "timestamp": 1_796_000_009_000},
        {"type": 1, "data": {}, "timestamp": 1_796_000_019_000},
    ]
    for level in LEVELS:
        stored = store([batch(0, events)], at_level(level))["s"]
        assert [signal.evidence["error_type"] for signal in stored.ordered()] == ["RangeError", "RangeError"]
        agree(stored, at_level(level))


def test_no_more_signals_come_than_a_session_may_have() -> None:
    settings = at_level("medium", detectors={"presets": EVERY_PRESET})
    lines = [line for lines in SAMPLES.values() for line in lines]
    stored = max(store(lines, settings).values(), key=lambda each: len(each.signals))
    few = replace(settings, limits=replace(settings.limits, max_signals_per_session=3))
    verdict = stored.judged(few)
    assert len(verdict.signals) == 3
    assert verdict.notes == {"too_many_signals": len(stored.signals) - 3}


def test_disabled_detectors_leave_nothing() -> None:
    off = {name: {"enabled": False} for name in ("rage_click", "dead_click", "error_click", "js_error")}
    settings = Settings(detectors=msgspec.convert(off, DetectorSettings))
    stored = store([line for lines in SAMPLES.values() for line in lines], Settings())
    found = {tag for each in stored.values() for tag in each.judged(settings).tags}
    assert found
    assert found.isdisjoint(off)
