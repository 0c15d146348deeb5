"""`wince evaluate`: how well the detectors do on recordings of which it is known what happened in them."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final, get_args

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from detectors.settings import PresetName
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.evaluation.evaluate import EvaluationReport, evaluate, recordings
from engine.evaluation.html import render_html
from engine.evaluation.labels import LabelsError, load_labels
from engine.evaluation.text import markdown, print_report
from engine.settings import Settings

FAILED: Final = 2
"""Exit status when the corpus can't be read or the page not be written: there is no result."""

MISTAKES_SHOWN: Final = 40

TABLE_COLUMNS: Final = 136
"""Characters that the table of scores needs; a narrower terminal wraps it."""

PRESETS: Final[tuple[PresetName, ...]] = get_args(PresetName)


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure the detectors on labelled recordings",
        description="Run the recordings of a labelled corpus through the engine and compare what every preset finds "
        "with the labels: precision, recall and F1 with 95 %% intervals, scenarios, and every mistake with its place.",
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="folder with labels.json and the recordings")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="labels file, if it is not CORPUS/labels.json")
    parser.add_argument(
        "--preset", action="append", choices=PRESETS, help="judge by this preset only; can be given again"
    )
    parser.add_argument("--mistakes", type=int, default=MISTAKES_SHOWN, metavar="N", help="mistakes shown of a preset")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print only the scores, as a Markdown table")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots as well")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Evaluate and print; exit status 2 if the corpus can't be read or the page not be written.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    settings = load_chosen_settings(args)
    try:
        report = _evaluate(args, settings)
        if args.html is not None:
            folder = Path(os.path.relpath(args.corpus.resolve(), args.html.resolve().parent)).as_posix()
            args.html.write_text(render_html(report, folder), encoding="utf-8")
    except (LabelsError, OSError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    _print(report, args)
    return 0


def _evaluate(args: argparse.Namespace, settings: Settings) -> EvaluationReport:
    corpus = load_labels(args.labels or args.corpus / "labels.json")
    presets: list[PresetName] = args.preset or list(PRESETS)
    size = sum(path.stat().st_size for path in recordings(args.corpus, corpus))
    bar = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*bar, console=Console(stderr=True), disable=args.quiet) as progress:
        tasks = {preset: progress.add_task(preset, total=size) for preset in presets}
        return evaluate(
            args.corpus,
            corpus,
            settings,
            presets,
            lambda preset, read_bytes: progress.update(tasks[preset], completed=read_bytes),
        )


def _print(report: EvaluationReport, args: argparse.Namespace) -> None:
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    elif args.markdown:
        print(markdown(report), end="")
    else:
        console = Console()
        console.width = max(console.width, TABLE_COLUMNS)
        print_report(report, console, mistakes_max=args.mistakes)
