"""Compares the signals of one recording with its labels.

A `yes` label is found if a signal of its kind overlaps it, up to `MATCH_MS` before or after, in the same window.
A signal is *right* if it overlaps a `yes` label of its kind. It is *excused*, neither right nor wrong, if a `maybe`
label of its kind or a `yes` or `maybe` label of another kind is within `EXCUSE_MS` (a broken button can be dead, raged
at, and failing), or a click that nothing answered. All others are wrong, and so is every signal that overlaps a `no`
label of its kind or lies in a stretch labelled calm.

Script errors have no labels but a count for each session: each error thrown is to be found once.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from engine.evaluation.labels import CALM, Label, LabelledSession
from schemas.signals import Signal

MATCH_MS: Final = 1_000
EXCUSE_MS: Final = 3_000

LEAVING_MS: Final = 6_000
"""A label of leaving names the moment the tab was closed; the last two to five seconds before never arrived."""

JS_ERROR: Final = "js_error"
LABEL_NAMES: Final[Mapping[str, str]] = {"cursor_thrash": "thrashed_cursor"}
"""Labels whose detectors have another name."""

DETECTOR_NAMES: Final[Mapping[str, str]] = {"slow_click": "slow_response"}
"""Detectors of presets that find what a label of another name says."""

CLICK_SIGNALS: Final = frozenset({"rage_click", "dead_click", "error_click", "slow_response", "multi_click"})
"""Signals that an unanswered click excuses."""

Verdict = Literal["right", "excused", "wrong"]


class Mistake(msgspec.Struct, frozen=True, gc=False):
    """A signal that is wrong (`false`), or a label that was not found (`missed`), and where to look at it.

    `t` is epoch ms, `offset_ms` the same from the first event of the recording.
    """

    kind: Literal["false", "missed"]
    signal: str
    scenario: str
    session_id: str
    window_id: str
    file: str
    t: int
    offset_ms: int
    selector: str = ""
    why: str = ""


class Tally(msgspec.Struct, gc=False):
    """Counts of one kind of signal in one recording.

    `found` and `missed` are labels; `right`, `excused` and `wrong` are signals.
    """

    found: int = 0
    missed: int = 0
    right: int = 0
    excused: int = 0
    wrong: int = 0

    def add(self, other: "Tally") -> None:
        """Add another's counts."""
        self.found += other.found
        self.missed += other.missed
        self.right += other.right
        self.excused += other.excused
        self.wrong += other.wrong


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One recording, compared: counts by kind of signal, and what went wrong."""

    tallies: dict[str, Tally]
    mistakes: list[Mistake]


def signal_name(label_type: str) -> str:
    """Name the signal that a label of this type asks for."""
    return LABEL_NAMES.get(label_type, label_type)


def labelled_name(detector: str) -> str:
    """Name what a detector finds as labels do."""
    return DETECTOR_NAMES.get(detector, detector)


def judge(session: LabelledSession, signals: Sequence[Signal], file: str) -> Judged:
    """Compare a recording's signals, all of one preset, with its labels."""
    return _Judge(session, file).judge(signals)


class _Judge:
    def __init__(self, session: LabelledSession, file: str) -> None:
        self._session = session
        self._file = file
        self._labels = [label for label in session.labels if label.type != CALM]
        self._calm_until = max((label.t for label in session.labels if label.type == CALM), default=0)
        self._judged = Judged({}, [])

    def judge(self, signals: Sequence[Signal]) -> Judged:
        for label in self._labels:
            if label.expect == "yes":
                self._look_for(label, signals)
        for signal in signals:
            if signal.detector != JS_ERROR:
                self._look_at(signal)
        self._count_errors([signal for signal in signals if signal.detector == JS_ERROR])
        return self._judged

    def _tally(self, name: str) -> Tally:
        return self._judged.tallies.setdefault(name, Tally())

    def _look_for(self, label: Label, signals: Sequence[Signal]) -> None:
        name = signal_name(label.type)
        tally = self._tally(name)
        if any(_name(signal) == name and _overlap(label, signal, _slack_ms(name)) for signal in signals):
            tally.found += 1
            return
        tally.missed += 1
        self._mistake("missed", name, label.window_id, label.t, label.selector or "", label.note)

    def _look_at(self, signal: Signal) -> None:
        name, verdict = _name(signal), self._verdict(signal)
        tally = self._tally(name)
        if verdict == "right":
            tally.right += 1
        elif verdict == "excused":
            tally.excused += 1
        else:
            tally.wrong += 1
            selector = "" if signal.target is None else signal.target.selector
            self._mistake("false", name, signal.window_id, signal.t, selector, self._reason(signal))

    def _verdict(self, signal: Signal) -> Verdict:
        name = _name(signal)
        own = [label for label in self._labels if signal_name(label.type) == name]
        if any(label.expect == "yes" and _overlap(label, signal, _slack_ms(name)) for label in own):
            return "right"
        if signal.t < self._calm_until or any(label.expect == "no" and _overlap(label, signal, 0) for label in own):
            return "wrong"
        if any(label.expect != "no" and _overlap(label, signal, EXCUSE_MS) for label in self._labels):
            return "excused"
        return "excused" if name in CLICK_SIGNALS and self._is_silent(signal) else "wrong"

    def _is_silent(self, signal: Signal) -> bool:
        return any(
            click.window_id == signal.window_id and signal.t - EXCUSE_MS <= click.t <= signal.end_t + EXCUSE_MS
            for click in self._session.silent_clicks
        )

    def _reason(self, signal: Signal) -> str:
        if signal.t < self._calm_until:
            return "in a calm stretch"
        name = _name(signal)
        for label in self._labels:
            if label.expect == "no" and signal_name(label.type) == name and _overlap(label, signal, 0):
                return f"legitimate: {label.note}" if label.note else "legitimate use"
        return "nothing labelled here"

    def _count_errors(self, signals: Sequence[Signal]) -> None:
        thrown, told = self._session.js_errors, sum(signal.count or 1 for signal in signals)
        if thrown is None or not thrown + told:
            return
        tally = self._tally(JS_ERROR)
        tally.found = tally.right = min(thrown, told)
        tally.missed, tally.wrong = max(0, thrown - told), max(0, told - thrown)
        place = signals[0] if signals else None
        for kind, count in (("missed", tally.missed), ("false", tally.wrong)):
            if count:
                why = f"{told} told, {thrown} thrown"
                window_id, t = ("", self._session.first_event) if place is None else (place.window_id, place.t)
                self._mistake("missed" if kind == "missed" else "false", JS_ERROR, window_id, t, "", why)

    def _mistake(
        self, kind: Literal["false", "missed"], name: str, window_id: str, t: int, selector: str, why: str
    ) -> None:
        session = self._session
        place = (session.scenario, session.session_id, window_id, self._file, t, t - session.first_event)
        self._judged.mistakes.append(Mistake(kind, name, *place, selector, why))


def _name(signal: Signal) -> str:
    return labelled_name(signal.detector)


def _slack_ms(name: str) -> int:
    return LEAVING_MS if name == "form_abandonment" else MATCH_MS


def _overlap(label: Label, signal: Signal, slack_ms: int) -> bool:
    return (
        label.window_id == signal.window_id and signal.t <= label.end + slack_ms and signal.end_t >= label.t - slack_ms
    )
