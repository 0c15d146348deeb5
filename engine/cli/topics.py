"""`wince topics`: whether the topics are there and as the settings want them; creates and changes them if told to."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.errors import Unavailable
from engine.runtime.kafka.topic_admin import TopicsRefused, connect
from engine.runtime.kafka.topic_plan import Change, Way, plan, wanted_topics
from engine.settings import Settings

DIFFERENT: Final = 1
"""Exit status when something is not as it should be, or could not be looked at or changed."""

PAGE_WIDTH: Final = 320
"""Columns for the longest name of a topic and all else."""

WAYS: Final = {
    Way.CREATE: "create",
    Way.ADD_PARTITIONS: "add partitions",
    Way.ALTER: "set",
    Way.BY_HAND: "by hand",
}


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "topics",
        help="check the topics in Kafka, create and change them",
        description="Compare topics in Kafka with the [kafka] settings: partitions, copies, retention, size limits. "
        "Print what is different, and change nothing unless told to by --apply. Partitions are added, never removed. "
        "Exit status 0: all is as it should be, or is so now; 1: something is different, or Kafka does not answer.",
    )
    parser.add_argument("--apply", action="store_true", help="create what is missing and change what is different")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the differences; exit status 1 if any are left.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    settings = load_chosen_settings(args)
    try:
        changes = asyncio.run(_compare(settings, apply=args.apply))
    except (Unavailable, TopicsRefused) as error:
        print(f"wince: {error}", file=sys.stderr)
        return DIFFERENT
    _tell(changes, applied=args.apply)
    left = [change for change in changes if change.way is Way.BY_HAND] if args.apply else changes
    return DIFFERENT if left else 0


async def _compare(settings: Settings, *, apply: bool) -> list[Change]:
    wanted = wanted_topics(settings.kafka, settings.alerts)
    async with connect(settings.kafka) as admin:
        changes = plan(await admin.read(topic.name for topic in wanted), wanted)
        if apply:
            await admin.apply(changes)
    return changes


def _tell(changes: Sequence[Change], *, applied: bool) -> None:
    if not changes:
        print("All topics are as they should be.")
        return
    table = Table("topic", "what", "now", "wanted", "change", box=SIMPLE)
    for change in changes:
        done = "done: " if applied and change.way is not Way.BY_HAND else ""
        table.add_row(change.topic.name, change.about, change.now, change.wanted, f"{done}{WAYS[change.way]}")
    # Where there is no terminal to fit into, lines stay whole.
    Console(width=None if sys.stdout.isatty() else PAGE_WIDTH).print(table)
    for change in changes:
        if change.remark:
            print(f"{change.topic.name}: {change.about}: {change.remark}.")
    if not applied:
        print("Nothing was changed; --apply makes all changes but those by hand.")
