"""What a reprocessing says of itself: JSON a session, and a table with examples."""

import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from engine.reprocess.comparison import Changes, Totals
from engine.reprocess.run import Outcome, Skip
from schemas.signals import Signal

EXAMPLES_MAX: Final = 10
"""Sessions shown whose judgement changes most."""

SIGNALS_SHOWN: Final = 5
"""Signals shown of each."""

GOING_ON_MAX: Final = 20
"""Sessions named that could not be judged yet; JSON has all of them."""

_SKIPPED: Final = {
    "gone": "not stored, or deleted",
    "may_go_on": "a worker may still add to them",
    "moved_on": "written meanwhile",
    "damaged": "their bundle cannot be read",
}
_NOTES: Final = {"reopened": "went on after their end"}


class Report:
    """Sums up outcomes as they come; of changed sessions the most changed are kept as examples.

    `published` counts signals that were sent to their topic.
    """

    def __init__(self) -> None:
        self.totals = Totals()
        self.skipped: Counter[str] = Counter()
        self.written = 0
        self.published = 0
        self._going_on: list[str] = []
        self._closes_at = 0
        self._examples: list[Changes] = []

    def add(self, outcome: Outcome) -> None:
        """Take an outcome."""
        if outcome.changes is None:
            self._skip(outcome)
            return
        self.written += outcome.written
        self.totals.add(outcome.changes, outcome.notes)
        if outcome.changes.is_any:
            self._examples.append(outcome.changes)
            self._examples.sort(key=_weight)
            del self._examples[EXAMPLES_MAX:]

    def _skip(self, outcome: Outcome) -> None:
        self.skipped[outcome.skipped or ""] += 1
        if outcome.skipped is Skip.MAY_GO_ON:
            self._closes_at = max(self._closes_at, outcome.closes_at or 0)
            if len(self._going_on) < GOING_ON_MAX:
                self._going_on.append(outcome.session_id)

    def summary(self) -> dict[str, object]:
        """Give the sums as data for JSON."""
        totals = self.totals
        return {
            "sessions": totals.sessions,
            "changing": totals.changing,
            "tags_changing": totals.tags_changing,
            "score_changing": totals.score_changing,
            "mean_score_before": _mean(totals.score_before, totals.sessions),
            "mean_score_after": _mean(totals.score_after, totals.sessions),
            "written": self.written,
            "published": self.published,
            "skipped": dict(sorted(self.skipped.items())),
            "closes_at": self._closes_at or None,
            "detectors": dict(sorted(totals.detectors.items())),
            "notes": dict(sorted(totals.notes.items())),
        }

    def print(self, console: Console, *, writes: bool) -> None:
        """Print sums and examples for people."""
        totals = self.totals
        table = Table("signal", *("kept", "changed", "added", "removed"))
        for name, sums in sorted(totals.detectors.items()):
            table.add_row(name, *map(str, (sums.kept, sums.altered, sums.added, sums.removed)))
        console.print(table)
        before, after = (_mean(total, totals.sessions) for total in (totals.score_before, totals.score_after))
        console.print(
            f"{totals.sessions} sessions judged, {totals.changing} {'changed' if writes else 'would change'}: "
            f"{totals.tags_changing} in tags, {totals.score_changing} in score (mean {before} before, {after} after)."
        )
        for reason, count in sorted(self.skipped.items()):
            console.print(f"{count} skipped: {_SKIPPED.get(reason, reason)}.")
        if self._going_on:
            self._print_going_on(console)
        if self.published:
            console.print(f"{self.published} signals published that are new or other than before.")
        for reason, count in sorted(totals.notes.items()):
            console.print(f"May differ from live: {_NOTES.get(reason, reason)}, {count} times.")
        for changes in self._examples:
            _print_example(console, changes)
        if not writes and totals.changing:
            console.print("Nothing was written; --write replaces signals, tags and scores of these sessions.")

    def _print_going_on(self, console: Console) -> None:
        """Say which sessions to judge later, and when."""
        text = "Judge those again"
        if self._closes_at:
            text += f" after {datetime.fromtimestamp(self._closes_at / 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC, when all"
            text += " of them are over if nothing more comes"
        if self.skipped[Skip.MAY_GO_ON] == len(self._going_on):
            text += ": " + " ".join(f"--session {shlex.quote(session_id)}" for session_id in self._going_on)
        else:
            text += ": the same command does, as it leaves alone what is judged already"
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def _weight(changes: Changes) -> tuple[float, int, str]:
    moved = abs(changes.score_after - changes.score_before)
    return -moved, -len(changes.added) - len(changes.removed), changes.session_id


def _mean(total: float, count: int) -> float:
    return round(total / count, 1) if count else 0.0


def session_line(outcome: Outcome) -> dict[str, object]:
    """Give what is said of one session in JSON."""
    line: dict[str, object] = {"session_id": outcome.session_id}
    if outcome.changes is None:
        later = {} if outcome.closes_at is None else {"closes_at": outcome.closes_at}
        return line | {"skipped": outcome.skipped} | later
    changes = outcome.changes
    return line | {
        "project_id": changes.project_id,
        "written": outcome.written,
        "tags": {"before": changes.tags_before, "after": changes.tags_after},
        "score": {"before": changes.score_before, "after": changes.score_after},
        "kept": len(changes.kept),
        "changed": [{"before": before, "after": after} for before, after in changes.altered],
        "added": changes.added,
        "removed": changes.removed,
        "notes": outcome.notes,
    }


def _print_example(console: Console, changes: Changes) -> None:
    console.print(
        f"{changes.session_id}: score {changes.score_before:g} -> {changes.score_after:g}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    _print_signals(console, "+", changes.added)
    _print_signals(console, "-", changes.removed)
    _print_signals(console, "~", [after for _, after in changes.altered])


def _print_signals(console: Console, sign: str, signals: Sequence[Signal]) -> None:
    for signal in signals[:SIGNALS_SHOWN]:
        place = "" if signal.target is None else signal.target.selector
        text = f"  {sign} {signal.detector} at {signal.t} {place} on {signal.page}  ({signal.rule})"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if len(signals) > SIGNALS_SHOWN:
        console.print(f"  {sign} and {len(signals) - SIGNALS_SHOWN} more", highlight=False)


def encode_line(value: object) -> str:
    """Write one line of JSON."""
    return msgspec.json.encode(value).decode()
