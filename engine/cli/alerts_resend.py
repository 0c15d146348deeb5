"""`wince alerts resend`: messages that failed are sent again, and routes that were disabled are used again."""

import argparse
import asyncio
import sys
from collections.abc import Collection, Sequence
from typing import Final

from engine.alerts.delivery.outbox import Outbox
from engine.alerts.delivery.sender import wall_clock_ms
from engine.alerts.names import AlertNames
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.cli.alerts_failed import FailedMessage, Failures, read_failures
from engine.runtime.stores import redis_client
from engine.settings import Settings
from replay.errors import StoreError

FAILED: Final = 1


def add_parser(commands: SubParsers) -> None:
    """Add the command to those of `wince alerts`."""
    parser = commands.add_parser(
        "resend",
        help="send messages again that could not be delivered",
        description="Make messages that failed due again, as new; `wince alerts run` sends them. Routes they go on are "
        "used again if they were disabled. Exit status 1 if one is not among the failed, or follows one that is.",
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("messages", nargs="*", default=[], metavar="ID", help="ids of messages")
    chosen.add_argument("--route", metavar="NAME", help="all of a route")
    chosen.add_argument("--all", action="store_true", help="all of them")
    parser.add_argument("--project", metavar="ID", help="only those of a project")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Make messages due again; exit status 1 if the store failed, or not all of them could be."""
    settings = load_chosen_settings(args)
    try:
        return asyncio.run(_resend(settings, args.messages, args.project, args.route))
    except (OSError, ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED


async def _resend(settings: Settings, ids: Collection[str], project_id: str | None, route: str | None) -> int:
    client = redis_client(settings)
    try:
        outbox = Outbox(client, AlertNames(settings.store.key_prefix))
        failures = await read_failures(outbox, project_id, route)
        chosen = [each for each in failures.messages if not ids or each.entry.message.id in ids]
        await _enable(outbox, failures, chosen, route)
        done = await _make_due(outbox, chosen)
    finally:
        await client.close()
    wanted = len(set(ids)) or len(chosen)
    print(f"{done} of {wanted} messages are due again.")
    return 0 if done == wanted else FAILED


async def _enable(outbox: Outbox, failures: Failures, chosen: Sequence[FailedMessage], route: str | None) -> None:
    routes = {each.entry.message.route for each in chosen} | ({route} if route else set())
    for name in sorted(routes & set(failures.disabled)):
        if await outbox.enable(name):
            print(f"The route {name} is used again.")


async def _make_due(outbox: Outbox, chosen: Sequence[FailedMessage]) -> int:
    """Make messages due: those that something fires before those that it is over, which wait for them."""
    in_order = sorted(chosen, key=lambda each: (each.entry.message.state != "firing", each.at_ms))
    return sum([await outbox.resend(each.entry, wall_clock_ms()) for each in in_order])
