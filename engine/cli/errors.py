"""`wince errors`: the script errors of a project, which of them are new, and which are resolved or came back."""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.runtime.stores import redis_client
from engine.settings import Settings
from replay.error_book import ErrorBook, ErrorEntry
from replay.errors import StoreError

FAILED: Final = 1
"""Exit status when the store failed, or an error to be resolved is not known."""

SHOWN: Final = 50
MOST: Final = 10_000


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "errors",
        help="list script errors of a project, mark them as resolved",
        description="List the script errors of a project, those seen last first, with when and in which release each "
        "was first and last seen; or mark errors as resolved: the next one of another release is a regression.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    shown = actions.add_parser("list", help="list errors")
    shown.add_argument("--limit", type=int, default=SHOWN, choices=range(1, MOST + 1), metavar="N", help="how many")
    shown.add_argument("--json", action="store_true", help="print a line of JSON an error")
    resolved = actions.add_parser("resolve", help="mark errors as resolved")
    resolved.add_argument("fingerprints", nargs="+", metavar="FINGERPRINT")
    for each in (shown, resolved):
        each.add_argument("--project", required=True, metavar="ID", help="the project")
        add_config_option(each)


def run(args: argparse.Namespace) -> int:
    """List or resolve; exit status 1 if the store failed, or none of the errors is known.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    settings = load_chosen_settings(args)
    try:
        return asyncio.run(_list(args, settings) if args.action == "list" else _resolve(args, settings))
    except (OSError, ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED


async def _list(args: argparse.Namespace, settings: Settings) -> int:
    client = redis_client(settings)
    try:
        entries = await ErrorBook(client, settings.store.key_prefix).latest(args.project, args.limit)
    finally:
        await client.close()
    if args.json:
        for fingerprint, entry in entries.items():
            line = {"fingerprint": fingerprint, "status": entry.status, **msgspec.to_builtins(entry)}
            print(msgspec.json.encode(line).decode())
    else:
        _show(entries)
    return 0


async def _resolve(args: argparse.Namespace, settings: Settings) -> int:
    client = redis_client(settings)
    wanted = list(dict.fromkeys(args.fingerprints))
    try:
        book = ErrorBook(client, settings.store.key_prefix)
        found = await book.resolve(args.project, wanted, time.time_ns() // 1_000_000)
    finally:
        await client.close()
    print(f"{found} of {len(wanted)} errors marked as resolved.")
    return 0 if found == len(wanted) else FAILED


def _show(entries: dict[str, ErrorEntry]) -> None:
    table = Table("fingerprint", "status", "first seen", "last seen", "error")
    for fingerprint, entry in entries.items():
        first, last = _moment(entry.first_t, entry.first_release), _moment(entry.last_t, entry.last_release)
        table.add_row(fingerprint, entry.status, first, last, entry.what)
    Console().print(table)


def _moment(t: int, release: str) -> str:
    moment = f"{datetime.fromtimestamp(t / 1_000, UTC):%Y-%m-%d %H:%M}"
    return f"{moment} in {release}" if release else moment
