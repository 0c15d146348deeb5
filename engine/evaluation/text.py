"""The report as text and tables for a terminal, and as Markdown for the documentation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.evaluation.evaluate import EvaluationReport, PresetReport
from engine.evaluation.matching import Mistake, Tally
from engine.evaluation.statistics import Measure, Scores

NOTHING: Final = "-"


def print_report(report: EvaluationReport, console: Console, *, mistakes_max: int) -> None:
    """Print scores, the confusion by scenario and up to `mistakes_max` mistakes of each preset."""
    console.print(f"[bold]{report.corpus}[/bold]: {report.sessions} recordings, {_label_count(report)} labels")
    names = signal_names(report)
    console.print(_scores_table(report.presets, names))
    for preset in report.presets:
        _print_scenarios(preset, console)
        _print_mistakes(preset.mistakes, preset.preset, console, mistakes_max)


def signal_names(report: EvaluationReport) -> list[str]:
    """Name the kinds of signals of all presets, in the order of the first that has them."""
    return list(dict.fromkeys(name for preset in report.presets for name in preset.signals))


def measure_text(measure: Measure | None) -> str:
    """Write a measure with its interval, as `0.95 [0.90, 0.98]`."""
    return NOTHING if measure is None else f"{measure.value:.2f} [{measure.low:.2f}, {measure.high:.2f}]"


def markdown(report: EvaluationReport) -> str:
    """Write the scores as a Markdown table: one line for each kind of signal that is labelled, F1 of every preset."""
    first, *others = report.presets
    head = ["signal", "labels", "precision", "recall", "F1", *(preset.preset for preset in others)]
    rows = [_markdown_row(name, scores, others) for name, scores in first.signals.items() if scores.f1 is not None]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _markdown_row(name: str, scores: Scores, others: Sequence[PresetReport]) -> list[str]:
    labels = scores.tally.found + scores.tally.missed
    own = [measure_text(measure) for measure in (scores.precision, scores.recall, scores.f1)]
    return [f"`{name}`", str(labels), *own, *(_f1_text(preset.signals.get(name)) for preset in others)]


def _f1_text(scores: Scores | None) -> str:
    """Write F1; nothing for a preset that has no rule for this kind of signal."""
    return NOTHING if scores is None or scores.f1 is None else f"{scores.f1.value:.2f}"


def _label_count(report: EvaluationReport) -> int:
    return sum(count for row in report.labels.values() for count in row.values())


def _scores_table(presets: Sequence[PresetReport], names: Iterable[str]) -> Table:
    table = Table(title="Scores, with 95 % intervals", title_justify="left", box=SIMPLE_HEAD)
    for name in ("signal", "preset", "precision", "recall", "F1"):
        table.add_column(name, no_wrap=True)
    table.add_column("labels\nfound-missed", no_wrap=True, justify="right")
    table.add_column("signals\nright/excused/wrong", no_wrap=True, justify="right")
    for name in names:
        for preset in presets:
            scores = preset.signals.get(name)
            if scores is not None:
                measures = (measure_text(m) for m in (scores.precision, scores.recall, scores.f1))
                table.add_row(name, preset.preset, *measures, *_counts(scores.tally))
    return table


def _counts(tally: Tally) -> tuple[str, str]:
    return f"{tally.found}-{tally.missed}", f"{tally.right}/{tally.excused}/{tally.wrong}"


def _print_scenarios(preset: PresetReport, console: Console) -> None:
    console.print(
        f"\n[bold]{preset.preset}: by scenario[/bold] (labels found, -labels missed, +signals wrong; "
        f"{preset.calm_signals} signals in calm stretches)"
    )
    for scenario, tallies in preset.scenarios.items():
        parts = [f"{name} {text}" for name in preset.signals if (text := cell(tallies, name))]
        if parts:
            console.print(Text(f"{scenario:<26}{', '.join(parts)}"), soft_wrap=True)


def cell(tallies: Mapping[str, Tally], name: str) -> str:
    """Write one cell of the confusion: `2` found, `2-1` one missed, `2+1` one wrong."""
    tally = tallies.get(name)
    if tally is None or not (tally.found or tally.missed or tally.wrong):
        return ""
    text = str(tally.found)
    text += f"-{tally.missed}" if tally.missed else ""
    return text + (f"+{tally.wrong}" if tally.wrong else "")


def _print_mistakes(mistakes: Sequence[Mistake], preset: str, console: Console, mistakes_max: int) -> None:
    if not mistakes:
        console.print(f"{preset}: no mistakes")
        return
    console.print(f"\n[bold]{preset}: {len(mistakes)} mistakes[/bold]")
    for mistake in mistakes[:mistakes_max]:
        console.print(Text(mistake_line(mistake)), soft_wrap=True)
    if len(mistakes) > mistakes_max:
        console.print(f"and {len(mistakes) - mistakes_max} more; --json and --html list all of them")


def mistake_line(mistake: Mistake) -> str:
    """Write a mistake in one line, with its place in the recording."""
    seconds = mistake.offset_ms / 1000
    target = f" {mistake.selector}" if mistake.selector else ""
    why = f" ({mistake.why})" if mistake.why else ""
    return (
        f"{mistake.kind:<6} {mistake.signal:<16} {mistake.scenario}{target}{why}  {seconds:.1f} s in {place(mistake)}"
    )


def place(mistake: Mistake) -> str:
    """Name the place of a mistake: recording, window and moment."""
    return f"{mistake.file}#session={mistake.session_id}&window={mistake.window_id}&t={mistake.t}"
