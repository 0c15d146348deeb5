"""`wince conformance`: whether presets say what their vendors say, by case files."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.cli._commands import SubParsers
from engine.conformance.cases import CaseError, read_cases
from engine.conformance.run import Outcome, run_case

MALFORMED: Final = 2
"""Exit status for files that cannot be used."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "conformance",
        help="check presets against case files",
        description="Run case files (see docs/conformance.md) through the whole engine: each case as one batch, cut "
        "into single events, and those delivered twice. Exit status 1 if a case fails, 2 if a file cannot be used.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="case file (JSON)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a case")
    parser.add_argument("--failed", action="store_true", help="print failed cases only")


def run(args: argparse.Namespace) -> int:
    """Run all cases of all files; nothing is run if one of the files cannot be used."""
    try:
        cases = [case for path in args.files for case in read_cases(path)]
    except CaseError as error:
        print(f"wince: {error}", file=sys.stderr)
        return MALFORMED
    outcomes, seen = [], set()
    console = Console(highlight=False, soft_wrap=True)
    for case in cases:
        outcome = run_case(case)
        if case.id in seen:
            outcome.notes.append("another case has this id")
        seen.add(case.id)
        outcomes.append(outcome)
        if args.failed and outcome.ok:
            continue
        if args.json:
            print(msgspec.json.encode(outcome).decode())
        else:
            _tell(console, outcome, case.title)
    if not args.json:
        _sum_up(console, outcomes)
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def _tell(console: Console, outcome: Outcome, title: str) -> None:
    mark = "[green]pass[/]" if outcome.ok else "[red]FAIL[/]"
    console.print(f"{mark} {escape(outcome.id)}  [dim]{escape(title)}[/]")
    for problem in (*outcome.problems, *outcome.notes):
        console.print(f"     {escape(problem)}")


def _sum_up(console: Console, outcomes: Sequence[Outcome]) -> None:
    passed = Counter((outcome.vendor, outcome.tier) for outcome in outcomes if outcome.ok)
    total = Counter((outcome.vendor, outcome.tier) for outcome in outcomes)
    table = Table("vendor", "tier", "passed", "of")
    for key, count in sorted(total.items()):
        table.add_row(escape(key[0]), escape(key[1]), str(passed[key]), str(count))
    table.add_section()
    table.add_row("all", "", str(passed.total()), str(total.total()))
    console.print(table)
