"""`wince explain`: why something of a session is there, or is not."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.reasons import Reason
from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings
from replay.directory_files import read_session
from replay.errors import StoreError
from replay.explain import Explanation, explain, explain_session
from replay.redis_store import RedisStore

FAILED: Final = 1
"""Exit status when there was nothing to ask."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "explain",
        help="say why something of a session is there, or is not",
        description="Say what became of a session: how it ended, what was dropped, repaired or is missing and why, "
        "and why it is not stored at all. Asks Redis (store.redis_url), or with --dir a folder of wince process.",
    )
    parser.add_argument("session_id", metavar="SESSION_ID")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="ask this folder instead of Redis")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the explanation; exit status 1 if there is nothing to ask.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    reasons = {reason.value: reason.explanation for reason in Reason}
    try:
        if args.dir is not None:
            explanation = explain(read_session(args.dir, args.session_id), reasons)
        else:
            explanation = asyncio.run(_of_redis(load_chosen_settings(args), args.session_id, reasons))
    except (OSError, ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    print(msgspec.json.encode(explanation).decode() if args.json else explanation.text())
    return 0


async def _of_redis(settings: Settings, session_id: str, reasons: Mapping[str, str]) -> Explanation:
    store = RedisStore(redis_client(settings), store_settings(settings))
    try:
        return await explain_session(store, session_id, reasons, await store.tombstone(session_id))
    finally:
        await store.close()
