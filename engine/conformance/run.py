"""Runs cases through the whole engine, in memory: envelopes in, signals out, each case in several ways."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from engine.conformance.cases import BadCase, Case, Value
from engine.conformance.options import OptionError, fit_options
from engine.conformance.stream import START_MS, Event, Nodes, end_of, events_of, messages
from engine.conformance.tidy import tidied
from engine.core.core import Core
from engine.core.shared import Shared
from engine.settings import PrivacySettings, SessionSettings, Settings
from schemas.signals import Signal

PRIVACY: Final = PrivacySettings(level="light", identifier_secret="conformance cases hold nothing secret")  # noqa: S106
"""Masking must not change verdicts here: cases name labels, links and classes that a stricter level would not show."""

SESSION: Final = SessionSettings(idle_timeout_ms=86_400_000)
"""Cases may be silent for long; sessions of real visitors end before."""

COMPARED: Final = frozenset(
    {
        "detector", "t", "target", "count", "end_t", "error_t", "decided_t", "end_reason", "time_after_ms", "direction",
    }
)  # fmt: skip
"""What is compared of a signal where a case says it; a name that nobody here knows is not."""

TIMES: Final = frozenset({"t", "end_t", "error_t", "decided_t", "time_after_ms"})

AXES: Final = {"left": "horizontal", "right": "horizontal", "up": "vertical", "down": "vertical"}
"""Of a direction a case may say the axis only."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a case: `got` are the signals of the checked detectors, `problems` says what is wrong.

    `notes` says what was not taken into account: options and fields that nothing here knows.
    """

    id: str
    vendor: str
    tier: str
    ok: bool
    expected: list[dict[str, Value]]
    got: list[dict[str, object]]
    problems: list[str] = []
    notes: list[str] = []


def run_case(given: Case | BadCase) -> Outcome:
    """Run one case: as one batch; cut into batches of one event; and those twice, with the state put away between.

    A case that cannot be run has failed.
    """
    if isinstance(given, BadCase):
        return _failed(given, given.problem)
    try:
        return _run(*tidied(given))
    except OptionError as error:
        return _failed(given, str(error), given.expected)


def _failed(case: Case | BadCase, problem: str, expected: Sequence[dict[str, Value]] = ()) -> Outcome:
    return Outcome(case.id, case.vendor, case.group, ok=False, expected=[*expected], got=[], problems=[problem])


def _run(case: Case, notes: list[str]) -> Outcome:
    fitted = fit_options(case)
    settings = Settings(detectors=fitted.settings, privacy=PRIVACY, session=SESSION)
    nodes, shared = Nodes(case.nodes), Shared(settings)
    events = events_of(case, nodes)
    singly = [[event] for event in events]
    got = _signals(case, nodes, Core(settings, shared), [events])
    problems = _differences(case.expected, got)
    for way, signals in (
        ("cut into single events", _signals(case, nodes, Core(settings, shared), singly)),
        (
            "cut, delivered twice, the state put away between",
            _signals(case, nodes, Core(settings, shared), singly, doubled=True),
        ),
    ):
        if signals != got:
            problems.append(f"{way}: {_shown(signals)}")
    notes += [f"option {path} is not known and was left out" for path in fitted.left_out]
    known = COMPARED.union(*got)
    unknown = {name for wanted in case.expected for name in wanted} - known
    notes += [f"{name} is in no signal and was not compared" for name in sorted(unknown)]
    return Outcome(case.id, case.vendor, case.group, not problems, case.expected, got, problems, notes)


def _signals(
    case: Case, nodes: Nodes, core: Core, batches: Sequence[Sequence[Event]], *, doubled: bool = False
) -> list[dict[str, object]]:
    """Play batches to a fresh core; return the checked signals, sorted."""
    found: dict[str, Signal] = {}
    position = 0
    for message in messages([*batches, [end_of(case)]]):
        for _ in range(2 if doubled else 1):
            batch = core.open(message, None, case.id, position)
            if batch is not None:
                core.feed(batch, position, START_MS)
            position += 1
            if doubled:
                _take(core, found)
                core.cool()
    core.finish()
    _take(core, found)
    refused = {str(reason): count for reason, count in core.counts.events_dropped.items() if count}
    if not doubled and refused:
        raise OptionError(f"the engine refused events of the case: {refused}")
    told = [_told(signal, nodes) for signal in found.values() if signal.detector in case.detectors]
    return sorted(told, key=lambda signal: (signal["t"], str(signal["detector"]), str(signal["target"])))


def _take(core: Core, found: dict[str, Signal]) -> None:
    for effect in core.take():
        found.update({signal.id: signal for signal in effect.signals})


def _told(signal: Signal, nodes: Nodes) -> dict[str, object]:
    """Write a signal as cases do: times from the start, the target by its key."""
    target = None if signal.target is None else nodes.key_of(signal.target.node_id)
    evidence = {name: _relative(name, value) for name, value in signal.evidence.items()}
    told: dict[str, object] = {"detector": signal.detector, "t": signal.t - START_MS, "target": target}
    if signal.count is not None:
        told["count"] = signal.count
    return {**told, "end_t": signal.end_t - START_MS, **evidence, "rule": signal.rule}


def _relative(name: str, value: object) -> object:
    if name.endswith("_t") and isinstance(value, int):
        return value - START_MS
    if name.endswith("_times") and isinstance(value, Sequence) and not isinstance(value, str):
        return [moment - START_MS for moment in value if isinstance(moment, int)]
    return value


def _differences(expected: Sequence[Mapping[str, Value]], got: Sequence[Mapping[str, object]]) -> list[str]:
    """Pair expected signals with those found, in no order; tell what has no partner."""
    left = list(got)
    problems = []
    for wanted in expected:
        match = next((signal for signal in left if _agrees(wanted, signal)), None)
        if match is None:
            problems.append(f"expected {_shown([wanted])}")
        else:
            left.remove(match)
    return problems + [f"got {_shown([signal])}" for signal in left]


def _agrees(wanted: Mapping[str, Value], signal: Mapping[str, object]) -> bool:
    """Tell whether a signal is what a case wants: `null` says nothing, and time has whole milliseconds."""
    return all(
        signal.get(name) == (math.floor(value) if isinstance(value, float) and name in TIMES else value)
        or (name == "direction" and AXES.get(str(signal.get(name))) == value)
        for name, value in wanted.items()
        if value is not None and (name in COMPARED or name in signal)
    )


def _shown(signals: Sequence[Mapping[str, object]]) -> str:
    """Write signals on one line, with what can be compared."""
    parts = [
        "{" + ", ".join(f"{name}: {value}" for name, value in signal.items() if name in COMPARED) + "}"
        for signal in signals
    ]
    return " ".join(parts) or "nothing"
