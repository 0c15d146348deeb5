"""`wince alerts list`: alerts that go on, and those that were over lately."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from engine.alerts.store import AlertStore
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.runtime.stores import redis_client
from engine.settings import Settings
from replay.errors import StoreError
from schemas.alerts import Alert

FAILED: Final = 1


def add_parser(commands: SubParsers) -> None:
    """Add the command to those of `wince alerts`."""
    parser = commands.add_parser(
        "list",
        help="list alerts that go on, and those that were over lately",
        description="List alerts of all projects, or of one, those that fired last in front.",
    )
    parser.add_argument("--project", metavar="ID", help="only those of a project")
    parser.add_argument("--open", action="store_true", help="only those that are not over")
    parser.add_argument("--json", action="store_true", help="print a line of JSON an alert")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """List; exit status 1 if the store failed."""
    settings = load_chosen_settings(args)
    try:
        alerts = asyncio.run(_read(settings, args.project))
    except (OSError, ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    shown = [alert for alert in reversed(alerts) if alert.resolved_at is None or not args.open]
    if args.json:
        for alert in shown:
            print(msgspec.json.encode(alert).decode())
    else:
        _show(shown)
    return 0


async def _read(settings: Settings, project_id: str | None) -> list[Alert]:
    client = redis_client(settings)
    try:
        store = AlertStore(client, settings.store.key_prefix)
        return await store.alerts(await store.projects() if project_id is None else [project_id])
    finally:
        await client.close()


def _show(alerts: Sequence[Alert]) -> None:
    table = Table("fired", "over", "severity", "project", "rule", "alert", "moments")
    for alert in alerts:
        moments = "\n".join(moment.session_id for moment in alert.moments)
        over = "" if alert.resolved_at is None else _moment(alert.resolved_at)
        table.add_row(
            _moment(alert.fired_at), over, alert.severity, alert.project_id, alert.rule, _plain(alert.title), moments
        )
    Console(markup=False).print(table)


def _moment(t: int) -> str:
    return f"{datetime.fromtimestamp(t / 1_000, UTC):%Y-%m-%d %H:%M:%S}"


def _plain(text: str) -> str:
    """Titles hold what visitors' pages say: nothing of it may steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
