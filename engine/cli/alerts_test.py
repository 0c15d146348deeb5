"""`wince alerts test`: sends a sample on a route and says what came back."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from engine.alerts.delivery.attempt import Attempt, Attempter
from engine.alerts.delivery.endpoints import Endpoint, open_routes
from engine.alerts.delivery.links import SampleLinks
from engine.alerts.delivery.sample import sample_entries
from engine.alerts.delivery.sender import wall_clock_ms
from engine.alerts.rules import RulesFile
from engine.alerts.rules_file import read_rules
from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.delivery.posting import Poster

FAILED: Final = 1
WRONG_USE: Final = 2


def add_parser(commands: SubParsers) -> None:
    """Add the command to those of `wince alerts`."""
    parser = commands.add_parser(
        "test",
        help="send a sample on a route",
        description="Send a sample of an alert that fires, and that it is over, on a route of the rules file, and "
        "print what came back. Nothing is tried again. Exit status 1 if the receiver did not take it.",
    )
    parser.add_argument("route", metavar="ROUTE", help="name of the route")
    parser.add_argument("--rules", type=Path, metavar="FILE.toml", help="rules file; alerts.rules_file by default")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Send the sample. Raises SettingsError if anything is wrong with settings, rules, or what routes need."""
    settings = load_chosen_settings(args)
    path: Path | None = args.rules or (Path(settings.alerts.rules_file) if settings.alerts.rules_file else None)
    if path is None:
        print("wince: there is no rules file: --rules, or the setting alerts.rules_file, names one", file=sys.stderr)
        return WRONG_USE
    endpoint = _opened(read_rules(path), str(path), args.route)
    if endpoint is None:
        print(f"wince: {path} has no route {args.route!r}", file=sys.stderr)
        return WRONG_USE
    return asyncio.run(_send(endpoint, settings.serve.public_url))


def _opened(file: RulesFile, source: str, name: str) -> Endpoint | None:
    """Open the one route, so that it can be tried before the others are complete."""
    only = RulesFile(routes=tuple(route for route in file.routes if route.name == name))
    return open_routes(only, os.environ, source).get(name)


async def _send(endpoint: Endpoint, public_url: str) -> int:
    poster, status = Poster(), 0
    attempter = Attempter(poster, SampleLinks(public_url), wall_clock_ms)
    try:
        for entry in sample_entries(endpoint, wall_clock_ms()):
            attempt = await attempter.send(endpoint, entry)
            print(f"{entry.message.state:<8} {_told(attempt)}")
            if attempt.posted.outcome != "accepted":
                status = FAILED
    finally:
        await poster.close()
    return status


def _told(attempt: Attempt) -> str:
    posted = attempt.posted
    told = posted.note or f"answered {posted.status}"
    wait = "" if posted.retry_after_s is None else f"; asks to wait {posted.retry_after_s:g} s"
    return f"{posted.outcome} in {attempt.seconds * 1_000:.0f} ms: {told}{wait}"
