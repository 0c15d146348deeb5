"""`wince process`: recorded batches in, tagged sessions and bundles out, without Kafka or Redis."""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import BinaryIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.core.core import Core
from engine.core.effects import DeadLetter
from engine.input.files import is_same, read_batches
from engine.runtime.recorded import RecordedRun, RunReport
from engine.runtime.stores import store_settings
from engine.runtime.writer import Writer
from engine.settings import Settings
from replay.directory_store import DirectoryStore


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "process",
        help="run recorded batches through the engine into files",
        description="Run recorded batches (JSON lines, or arrays of rrweb events; plain, gzip or zstd) through the "
        "engine. Writes sessions.jsonl, signals.jsonl, activity.jsonl, bundles/, dead_letters.jsonl and report.json.",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="files, folders, or - for standard input")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--quiet", action="store_true", help="show no progress and no summary")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Process the inputs; exit status 1 if something of them could not be read (the rest is processed).

    2 if the results cannot be written, or would lie among the inputs: then nothing was read.
    """
    settings = load_chosen_settings(args)
    console = Console(stderr=True, quiet=args.quiet)
    if any(is_same(Path(name), args.out) for name in args.inputs):
        print(f"wince: {args.out} is read: the results need a folder of their own", file=sys.stderr)
        return 2
    try:
        store = DirectoryStore(args.out, store_settings(settings))
    except OSError as error:
        print(f"wince: cannot write to {args.out}: {error.strerror}", file=sys.stderr)
        return 2
    with (args.out / "dead_letters.jsonl").open("wb") as letters:
        done = asyncio.run(_process(args, store, settings, console, letters))
    report = done.report()
    (args.out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    _tell_problems(done)
    _summary(console, report, args.out)
    return 1 if done.unread else 0


def _tell_problems(done: RecordedRun) -> None:
    for problem in done.problems:
        place = f"{problem.source}:{problem.line}" if problem.line else problem.source
        print(f"wince: {place}: {problem.reason.explanation} ({problem.reason})", file=sys.stderr)
    if done.unread > len(done.problems):
        print(f"wince: {done.unread - len(done.problems)} more, see dead_letters.jsonl", file=sys.stderr)


async def _process(
    args: argparse.Namespace, store: DirectoryStore, settings: Settings, console: Console, letters: BinaryIO
) -> RecordedRun:
    with _progress(console) as progress:
        task = progress.add_task("reading", rate="")
        started = time.monotonic()

        def show_events(events: int) -> None:
            rate = events / max(time.monotonic() - started, 1e-3)
            progress.update(task, rate=f"{rate:,.0f} events/s")

        def show_bytes(read_bytes: int, total_bytes: int | None) -> None:
            progress.update(task, completed=read_bytes, total=total_bytes)

        def bury(letter: DeadLetter) -> None:
            letters.write(msgspec.json.encode(letter) + b"\n")

        writer = Writer(store, "files", "process", keep_state=False)
        run = RecordedRun(Core(settings), writer, bury=bury, note=show_events, tell=store.tell)
        try:
            await run.run(read_batches(args.inputs, settings.limits, run.unreadable, show_bytes, results=args.out))
        except BaseException:
            store.discard()
            raise
    await store.close()
    return run


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=console.quiet,
    )


def _summary(console: Console, report: RunReport, out: Path) -> None:
    signals = ", ".join(f"{count} {name}" for name, count in report.signals.items()) or "no signals"
    console.print(
        f"{report.batches['read']} batches, {report.events['read']} events read; "
        f"{report.events['published']} events published in {report.sessions} sessions; {signals}."
    )
    console.print(f"Results in {out}; report.json says what became of everything else.")
