"""The report as one HTML page that loads nothing: tables, plots as inline SVG, and a list of all mistakes."""

from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import quote

from engine.evaluation.evaluate import EvaluationReport, PresetReport
from engine.evaluation.matching import Mistake
from engine.evaluation.statistics import Measure
from engine.evaluation.text import cell, measure_text, place, signal_names

_STYLE: Final = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.4rem } h2 { font-size: 1.15rem; margin-top: 2.2rem } table { border-collapse: collapse }
th, td { border: 1px solid #ddd; padding: .15rem .5rem; text-align: left; font-variant-numeric: tabular-nums }
th { background: #f6f6f6; font-weight: 600 } td.bad { background: #fde8e8 } td.good { background: #e9f6ea }
code { overflow-wrap: anywhere } figure { margin: 1rem 1.5rem 1rem 0; display: inline-block; vertical-align: top }
figcaption { font-weight: 600 } .scroll { overflow-x: auto }
"""
_COLOURS: Final = (
    "#1f6feb", "#d9480f", "#2b8a3e", "#862e9c", "#c2255c", "#0b7285", "#5c940d", "#e67700", "#495057", "#364fc7",
)  # fmt: skip
_ROW_PX: Final = 18
_LEFT_PX: Final = 110
_SPAN_PX: Final = 260
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def render_html(report: EvaluationReport, folder: str = ".") -> str:
    """Write the page. Whatever comes from recordings and labels is text in it.

    `folder` is where the recordings are, as seen from the page: links to mistakes lead there.
    """
    plots = "".join(_plot(report.presets, name) for name in signal_names(report))
    about = f"{report.sessions} recordings. Bars are F1, lines its 95 % interval from resampled recordings."
    body = [
        f"<h1>Wince on {escape(report.corpus)}</h1><p>{about}</p>",
        plots,
        "<h2>Scores</h2>" + _scores(report),
        *(_preset(preset, folder) for preset in report.presets),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Wince: evaluation</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</html>\n"
    )


def _plot(presets: Sequence[PresetReport], name: str) -> str:
    rows = [(preset.preset, scores.f1) for preset in presets if (scores := preset.signals.get(name)) is not None]
    measured = [(preset, f1) for preset, f1 in rows if f1 is not None]
    if not measured:
        return ""
    height = _ROW_PX * len(measured) + 22
    bars = "".join(_bar(row, preset, f1) for row, (preset, f1) in enumerate(measured))
    bottom = _ROW_PX * len(measured)
    ticks = "".join(
        f'<line x1="{x:g}" x2="{x:g}" y1="0" y2="{bottom}" stroke="#ddd"/>'
        f'<text x="{x:g}" y="{bottom + 14}" text-anchor="middle">{value:g}</text>'
        for value in _TICKS
        for x in [_x(value)]
    )
    return (
        f"<figure><figcaption>{escape(name)}</figcaption>"
        f'<svg role="img" aria-label="F1 of {escape(name)}" width="{_LEFT_PX + _SPAN_PX + 20}" height="{height}" '
        f'font-size="11" font-family="system-ui, sans-serif">{ticks}{bars}</svg></figure>'
    )


def _bar(row: int, preset: str, f1: Measure) -> str:
    y, colour = row * _ROW_PX, _COLOURS[row % len(_COLOURS)]
    middle = y + _ROW_PX / 2
    return (
        f'<text x="{_LEFT_PX - 6}" y="{middle + 4:g}" text-anchor="end">{escape(preset)}</text>'
        f'<rect x="{_LEFT_PX}" y="{y + 3}" width="{_SPAN_PX * f1.value:.1f}" height="{_ROW_PX - 6}" fill="{colour}">'
        f"<title>{escape(preset)}: {measure_text(f1)}</title></rect>"
        f'<line x1="{_x(f1.low):.1f}" x2="{_x(f1.high):.1f}" y1="{middle:g}" y2="{middle:g}" stroke="#000"/>'
    )


def _x(share: float) -> float:
    return _LEFT_PX + _SPAN_PX * share


def _scores(report: EvaluationReport) -> str:
    head = ("signal", "preset", "precision", "recall", "F1", "found", "missed", "right", "excused", "wrong")
    rows = []
    for name in signal_names(report):
        for preset in report.presets:
            scores = preset.signals.get(name)
            if scores is None:
                continue
            tally = scores.tally
            measures = [measure_text(measure) for measure in (scores.precision, scores.recall, scores.f1)]
            counts = [str(n) for n in (tally.found, tally.missed, tally.right, tally.excused, tally.wrong)]
            rows.append("".join(f"<td>{escape(text)}</td>" for text in (name, preset.preset, *measures, *counts)))
    return _table(head, rows)


def _preset(preset: PresetReport, folder: str) -> str:
    names = list(preset.signals)
    rows = []
    for scenario, tallies in preset.scenarios.items():
        cells = [(cell(tallies, name), tallies.get(name)) for name in names]
        if any(text for text, _ in cells):
            marked = "".join(_marked(text) for text, _ in cells)
            rows.append(f"<th>{escape(scenario)}</th>{marked}")
    confusion = _table(("scenario", *names), rows)
    head = ("", "signal", "scenario", "target", "why", "seconds", "place")
    mistakes = _table(head, [_mistake(mistake, folder) for mistake in preset.mistakes])
    return (
        f"<h2>{escape(preset.preset)}: by scenario</h2><p>Labels found; after a minus those missed, after a plus wrong "
        f"signals. {preset.calm_signals} signals in calm stretches.</p>{confusion}"
        f"<h2>{escape(preset.preset)}: {len(preset.mistakes)} mistakes</h2>{mistakes}"
    )


def _marked(text: str) -> str:
    kind = "" if not text else ' class="bad"' if "-" in text or "+" in text else ' class="good"'
    return f"<td{kind}>{escape(text)}</td>"


def _mistake(mistake: Mistake, folder: str) -> str:
    file, _, moment = place(mistake).partition("#")
    address = f"{quote(f'{folder}/{file}')}#{moment}"
    link = f'<a href="{escape(address)}">{escape(file)}</a><br><code>{escape(moment)}</code>'
    texts = (mistake.kind, mistake.signal, mistake.scenario, mistake.selector, mistake.why)
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    return f"{cells}<td>{mistake.offset_ms / 1000:.1f}</td><td>{link}</td>"


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{names}</tr>{body}</table></div>'
