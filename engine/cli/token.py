"""`wince token`: makes, lists and revokes the tokens that the HTTP server knows."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from typing import Final

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.runtime.stores import redis_client
from engine.settings import Settings
from replay.errors import StoreError
from replay.redis_keys import KeyNames
from replay.redis_store import wall_clock_ms
from replay.server.access import ANY_PROJECT, Scope
from replay.server.tokens import KNOWN_FOR_MS, Token, Tokens

FAILED: Final = 1

_DAY_MS: Final = 86_400_000
_MAX_DAYS: Final = 3_650


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "token",
        help="make, list and revoke tokens for the HTTP API",
        description="Make, list and revoke the tokens with which programs use the HTTP API and people sign in. A token "
        "is shown once; only its hash is kept, in Redis.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    create = actions.add_parser("create", help="make a token and print it")
    create.add_argument("--name", required=True, help="what or whom it is for; the audit log shows it")
    create.add_argument(
        "--project", default=ANY_PROJECT, metavar="ID", help="the project it is for (without: all projects)"
    )
    create.add_argument(
        "--scope", action="append", choices=[scope.value for scope in Scope], default=[],
        help="what it may do; may be repeated (without: read)",
    )  # fmt: skip
    create.add_argument("--days", type=_days, default=0, metavar="N", help="it expires after so many days")
    listing = actions.add_parser("list", help="list tokens; none can be shown again")
    revoke = actions.add_parser("revoke", help="make a token worthless, and sign out who used it")
    revoke.add_argument("token_id", metavar="ID", help="its id, from the list")
    for action in (create, listing, revoke):
        add_config_option(action)


def _days(text: str) -> int:
    try:
        days = int(text)
    except ValueError:
        days = 0
    if not 1 <= days <= _MAX_DAYS:
        raise argparse.ArgumentTypeError(f"must be 1 to {_MAX_DAYS}")
    return days


def run(args: argparse.Namespace) -> int:
    """Do it; exit status 1 if there is no such token, or Redis is not in reach."""
    settings = load_chosen_settings(args)
    try:
        return asyncio.run(_run(args, settings))
    except (StoreError, ValueError, OSError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    client = redis_client(settings)
    tokens = Tokens(client, KeyNames(settings.store.key_prefix), wall_clock_ms)
    try:
        if args.action == "create":
            return await _create(args, tokens)
        if args.action == "list":
            return _show(await tokens.all())
        return await _revoke(args.token_id, tokens)
    finally:
        await client.close()


async def _create(args: argparse.Namespace, tokens: Tokens) -> int:
    scopes = tuple(Scope(scope) for scope in args.scope) or (Scope.READ,)
    expires_at = wall_clock_ms() + args.days * _DAY_MS if args.days else 0
    text, token = await tokens.create(args.name, args.project, scopes, expires_at)
    print(text)
    print(f"Keep it: it cannot be shown again. Its id is {token.token_id}; {_told(token)}.", file=sys.stderr)
    return 0


def _show(tokens: list[Token]) -> int:
    for token in tokens:
        expired = "" if token.is_valid(wall_clock_ms()) else " (expired)"
        print(f"{token.token_id}  {token.name!r}  {_told(token)}{expired}")
    return 0


async def _revoke(token_id: str, tokens: Tokens) -> int:
    if not await tokens.revoke(token_id):
        print("wince: there is no such token; see wince token list", file=sys.stderr)
        return FAILED
    print(f"Revoked; servers know within {KNOWN_FOR_MS // 1_000} seconds.")
    return 0


def _told(token: Token) -> str:
    project = "all projects" if token.project_id == ANY_PROJECT else f"project {token.project_id!r}"
    until = f"until {_day(token.expires_at)}" if token.expires_at else "without an end"
    return f"{', '.join(token.scopes)} in {project}, {until}"


def _day(t: int) -> str:
    return f"{datetime.fromtimestamp(t / 1_000, UTC):%Y-%m-%d %H:%M} UTC"
