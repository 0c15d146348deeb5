"""Puts it together: a labelled corpus and settings in, a report of every preset out."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from detectors.registry import SIGNALS
from detectors.settings import PresetName
from engine.evaluation.labels import LabelledCorpus, find_recording
from engine.evaluation.matching import Judged, Mistake, Tally, judge, labelled_name
from engine.evaluation.running import find_signals, with_preset
from engine.evaluation.statistics import Scores, score
from engine.settings import Settings

SIGNAL_ORDER: Final = (
    "rage_click", "dead_click", "error_click", "js_error", "network_error", "slow_response", "thrashed_cursor",
    "quick_back", "form_abandonment", "form_error_loop", "rapid_reload", "scroll_thrash", "idle",
)  # fmt: skip
"""The order of tables; kinds of signals not named here come after, by name."""

DEFAULT: Final[PresetName] = "wince"


class PresetReport(msgspec.Struct, frozen=True):
    """One preset: scores by kind of signal, counts by scenario and kind, and everything that went wrong.

    Of a vendor's preset there is only what it looks for: a label of what it has no rule for is no mistake of its.
    `calm_signals` counts signals in stretches labelled calm: there should be none.
    """

    preset: str
    signals: dict[str, Scores]
    scenarios: dict[str, dict[str, Tally]]
    mistakes: list[Mistake]
    calm_signals: int


class EvaluationReport(msgspec.Struct, frozen=True):
    """A corpus, judged by each preset."""

    corpus: str
    sessions: int
    labels: dict[str, dict[str, int]]
    presets: list[PresetReport]


Advance = Callable[[PresetName, int], None]
"""Called with the preset at work and the bytes of recordings it has read."""


def evaluate(
    folder: Path,
    corpus: LabelledCorpus,
    settings: Settings,
    presets: Sequence[PresetName],
    advance: Advance = lambda _preset, _read_bytes: None,
) -> EvaluationReport:
    """Judge the recordings in `folder` by every preset. Raises LabelsError if one of them can't be read."""
    files = recordings(folder, corpus)
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for session in corpus.sessions:
        for label in session.labels:
            counts[label.type][label.expect] += 1

    def report(preset: PresetName) -> PresetReport:
        signals = find_signals(files, with_preset(settings, preset), lambda read_bytes: advance(preset, read_bytes))
        judged = [
            judge(session, signals.get(session.session_id, []), str(file.relative_to(folder)))
            for session, file in zip(corpus.sessions, files, strict=True)
        ]
        judged = _of_its_own(preset, judged)
        scenarios: dict[str, dict[str, Tally]] = {}
        for session, one in zip(corpus.sessions, judged, strict=True):
            row = scenarios.setdefault(session.scenario, {})
            for name, tally in one.tallies.items():
                row.setdefault(name, Tally()).add(tally)
        names = _in_order({name for one in judged for name in one.tallies})
        return PresetReport(
            preset=preset,
            signals={name: score([one.tallies.get(name, Tally()) for one in judged]) for name in names},
            scenarios=dict(sorted(scenarios.items())),
            mistakes=[mistake for one in judged for mistake in one.mistakes],
            calm_signals=sum(mistake.why == "in a calm stretch" for one in judged for mistake in one.mistakes),
        )

    return EvaluationReport(
        corpus=folder.name,
        sessions=len(corpus.sessions),
        labels={name: dict(sorted(row.items())) for name, row in sorted(counts.items())},
        presets=[report(preset) for preset in presets],
    )


def _of_its_own(preset: PresetName, judged: Sequence[Judged]) -> list[Judged]:
    """Leave out what a vendor's preset neither looks for by default nor told: of that there are only missed labels.

    The default is held to all labels, also of kinds that nobody here has a rule for.
    """
    if preset == DEFAULT:
        return list(judged)
    names = {labelled_name(detector) for detector in SIGNALS[preset]}
    names |= {
        name for one in judged for name, tally in one.tallies.items() if tally.right + tally.excused + tally.wrong
    }
    return [
        Judged(
            {name: tally for name, tally in one.tallies.items() if name in names},
            [mistake for mistake in one.mistakes if mistake.signal in names],
        )
        for one in judged
    ]


def recordings(folder: Path, corpus: LabelledCorpus) -> list[Path]:
    """Find the recording of every session. Raises LabelsError if one is missing."""
    return [find_recording(folder, session) for session in corpus.sessions]


def _in_order(names: set[str]) -> list[str]:
    return sorted(names, key=lambda name: (SIGNAL_ORDER.index(name) if name in SIGNAL_ORDER else 99, name))
