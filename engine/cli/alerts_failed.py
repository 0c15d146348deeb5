"""`wince alerts failed`: messages that could not be delivered, and routes whose receivers want nothing any more."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from engine.alerts.delivery.outbox import Disabled, Entry, Outbox
from engine.alerts.delivery.told import plain_text
from engine.alerts.names import AlertNames
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.runtime.stores import redis_client
from engine.settings import Settings
from replay.errors import StoreError

FAILED: Final = 1


class FailedMessage(NamedTuple):
    """A message that failed, and since when (epoch ms)."""

    entry: Entry
    at_ms: int


class Failures(NamedTuple):
    """What failed, the latest first, and disabled routes."""

    messages: Sequence[FailedMessage]
    disabled: Mapping[str, Disabled]


def add_parser(commands: SubParsers) -> None:
    """Add the command to those of `wince alerts`."""
    parser = commands.add_parser(
        "failed",
        help="list messages that could not be delivered",
        description="List messages that could not be delivered, the latest first, and routes that are disabled because "
        "their receiver answered 410. `wince alerts resend` sends them again.",
    )
    parser.add_argument("--project", metavar="ID", help="only those of a project")
    parser.add_argument("--route", metavar="NAME", help="only those of a route")
    parser.add_argument("--json", action="store_true", help="print a line of JSON a message")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """List; exit status 1 if the store failed."""
    settings = load_chosen_settings(args)
    try:
        failures = asyncio.run(_read(settings, args.project, args.route))
    except (OSError, ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    if args.json:
        _print_lines(failures)
    else:
        _print_table(failures)
    return 0


async def _read(settings: Settings, project_id: str | None, route: str | None) -> Failures:
    client = redis_client(settings)
    try:
        return await read_failures(Outbox(client, AlertNames(settings.store.key_prefix)), project_id, route)
    finally:
        await client.close()


async def read_failures(outbox: Outbox, project_id: str | None, route: str | None) -> Failures:
    """Read what failed, of all projects and routes or of some. Raises what RedisClient raises."""
    projects = await outbox.projects() if project_id is None else [project_id]
    found = [FailedMessage(*each) for project in projects for each in await outbox.failed(project)]
    of_route = [each for each in found if route is None or each.entry.message.route == route]
    disabled = {name: each for name, each in (await outbox.disabled()).items() if route is None or name == route}
    return Failures(sorted(of_route, key=lambda each: -each.at_ms), disabled)


def _print_lines(failures: Failures) -> None:
    for entry, at_ms in failures.messages:
        message = entry.message
        line = {
            "id": message.id, "route": message.route, "state": message.state, "attempts": entry.attempts,
            "failed_at": at_ms, "note": _note(entry), "alert": message.alert,
        }  # fmt: skip
        print(msgspec.json.encode(line).decode())


def _print_table(failures: Failures) -> None:
    console = Console(markup=False)
    table = Table("failed", "message", "route", "state", "project", "alert", "attempts", "why")
    for entry, at_ms in failures.messages:
        message, alert = entry.message, entry.message.alert
        table.add_row(
            _moment(at_ms), message.id, message.route, message.state, plain_text(alert.project_id),
            plain_text(alert.title), str(entry.attempts), _note(entry),
        )  # fmt: skip
    console.print(table)
    for name, disabled in failures.disabled.items():
        console.print(f"The route {name} is disabled since {_moment(disabled.at_ms)}: {disabled.note}.")


def _note(entry: Entry) -> str:
    return plain_text(entry.note) or "that it fires could not be told, or too many waited"


def _moment(t: int) -> str:
    return f"{datetime.fromtimestamp(t / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
