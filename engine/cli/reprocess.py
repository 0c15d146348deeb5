"""`wince reprocess`: judges stored sessions again, under other rules, and shows what would change before it writes."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, get_args

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from detectors.settings import PresetName
from engine.cli._choosing import add_choosing_options, each_once, query_of
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.errors import Broken as KafkaBroken
from engine.errors import Unavailable as KafkaUnavailable
from engine.evaluation.running import with_preset
from engine.reprocess.report import Report, encode_line, session_line
from engine.reprocess.run import Reprocessing, Skip
from engine.runtime.kafka.emitter import Emitter
from engine.runtime.kafka.outbox import signal_message
from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings
from replay.deletion import Deletion, DeletionQuery
from replay.errors import StoreError
from replay.rejudging import Publish, Rejudging
from schemas.signals import Signal

FAILED: Final = 1
"""Exit status when the store failed, or a session could not be judged."""

WRONG_USE: Final = 2

EVERYTHING: Final = DeletionQuery(from_ms=0)

TABLE_COLUMNS: Final = 100


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "reprocess",
        help="judge stored sessions again, under other rules",
        description="Judge stored sessions again, by the rules in the settings or by --preset, over their stored "
        "bundles, and show which signals, tags and scores would change. With --write they are replaced; bundles are "
        "never touched. Several conditions have all to be true.",
    )
    add_choosing_options(parser)
    parser.add_argument("--all", action="store_true", help="all sessions that are stored")
    parser.add_argument("--preset", choices=get_args(PresetName), help="judge by this preset, in all projects")
    parser.add_argument("--write", action="store_true", help="replace signals, tags, scores and listings")
    parser.add_argument(
        "--publish", action="store_true", help="with --write: send signals that are new or changed to their Kafka topic"
    )
    parser.add_argument("--json", action="store_true", help="print a line of JSON a changed session, and one of sums")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Reprocess; exit status 1 if store or Kafka failed or a bundle is damaged, 2 if it is not said what to do.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    try:
        query = _query(args)
    except (ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return WRONG_USE
    settings = load_chosen_settings(args)
    if args.preset is not None:
        settings = with_preset(settings, args.preset)
    try:
        report = asyncio.run(_run(args, settings, query))
    except (OSError, ValueError, StoreError, KafkaUnavailable, KafkaBroken) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    _print(report, args)
    return FAILED if report.skipped[Skip.DAMAGED] else 0


def _query(args: argparse.Namespace) -> DeletionQuery:
    if args.publish and not args.write:
        raise ValueError("--publish tells what was written: it needs --write")
    chosen = each_once(args.filter)
    if args.all:
        if chosen or args.session:
            raise ValueError("--all is all sessions: say either that or which")
        return EVERYTHING
    return query_of(args.session, chosen)


async def _run(args: argparse.Namespace, settings: Settings, query: DeletionQuery) -> Report:
    client = redis_client(settings)
    try:
        planned = await Deletion(client, store_settings(settings)).plan(query)
        store, report = Rejudging(client, store_settings(settings)), Report()
        async with _publisher(settings, report, wanted=args.publish) as publish:
            reprocessing = Reprocessing(store, settings, writes=args.write, publish=publish)
            with _progress(args) as progress:
                task = progress.add_task("judging", total=len(planned))
                async for outcome in reprocessing.run(each.session_id for each in planned):
                    report.add(outcome)
                    progress.advance(task)
                    if args.json and (outcome.changes is None or outcome.changes.is_any):
                        print(encode_line(session_line(outcome)))
        return report
    finally:
        await client.close()


@asynccontextmanager
async def _publisher(settings: Settings, report: Report, *, wanted: bool) -> AsyncIterator[Publish | None]:
    """Connect to Kafka before anything is written: if that fails, nothing was done."""
    if not wanted:
        yield None
        return
    emitter = Emitter(settings.kafka)

    async def publish(signals: Sequence[Signal]) -> None:
        await emitter.send([signal_message(signal) for signal in signals])
        report.published += len(signals)

    try:
        await emitter.connect()
        yield publish
    finally:
        await emitter.close()


def _progress(args: argparse.Namespace) -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=args.quiet or not console.is_terminal)


def _print(report: Report, args: argparse.Namespace) -> None:
    if args.json:
        print(encode_line(report.summary()))
        return
    console = Console()
    console.width = max(console.width, TABLE_COLUMNS)
    report.print(console, writes=args.write)
