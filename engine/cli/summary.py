"""`wince summary`: what happened in a session, in sentences."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.runtime.models import chosen_rephraser
from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings
from replay.errors import StoreError
from replay.redis_store import RedisStore
from replay.summary.model import ModelError
from replay.summary.reading import ALWAYS, summarize_folder, summarize_session
from replay.summary.types import Summary
from replay.summary.words import printable

FAILED: Final = 1
"""Exit status when the session is not there, or cannot be read."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "summary",
        help="tell what happened in a session",
        description="Tell what happened in a session: pages, moments of frustration, holes and the end, each with its "
        "time after the start, then the worst moments. Reads Redis (store.redis_url), or with --dir a folder of wince "
        "process.",
    )
    parser.add_argument("session_id", metavar="SESSION_ID")
    parser.add_argument("--dir", type=Path, metavar="DIR", help="read this folder instead of Redis")
    parser.add_argument("--rephrased", action="store_true", help="ask the language model in the settings as well")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the summary; exit status 1 if there is none.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    settings = load_chosen_settings(args)
    try:
        summary = asyncio.run(_summarize(args, settings))
    except (OSError, ValueError, StoreError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    if summary is None:
        print("wince: there is no such session; wince explain may say why", file=sys.stderr)
        return FAILED
    print(msgspec.json.encode(summary).decode() if args.json else written(summary))
    return 0


async def _summarize(args: argparse.Namespace, settings: Settings) -> Summary | None:
    rephraser = chosen_rephraser(settings) if args.rephrased else None
    if args.rephrased and rephraser is None:
        raise ModelError("summary.model names no language model")
    summary = summarize_folder(args.dir, args.session_id) if args.dir else await _of_redis(settings, args.session_id)
    if summary is not None and rephraser is not None:
        return msgspec.structs.replace(summary, rephrased=await rephraser.rephrase(summary))
    return summary


async def _of_redis(settings: Settings, session_id: str) -> Summary | None:
    store = RedisStore(redis_client(settings), store_settings(settings))
    try:
        record = await store.record(session_id)
        return None if record is None else await summarize_session(store, record, *ALWAYS)
    finally:
        await store.close()


def written(summary: Summary) -> str:
    """Write a summary for a terminal: nothing in it could control one."""
    start = summary.started_at
    lines = [summary.headline, ""]
    lines += [f"{_clock(sentence.t - start):>8}  {sentence.text}" for sentence in summary.sentences]
    if summary.friction_points:
        lines += ["", "Worst moments, with their points of the score:"]
        lines += [
            f"{_clock(point.t - start):>8}  {point.weight:>5.1f}  {point.text}" for point in summary.friction_points
        ]
    if (rephrased := summary.rephrased) is not None:
        said = f"In the words of {printable(rephrased.by, 60)}, not checked:" if rephrased.by else ""
        lines += ["", said or f"The language model's text was not taken ({rephrased.refused})."]
        lines += [rephrased.text] if rephrased.by else []
    return "\n".join(lines)


def _clock(milliseconds: int) -> str:
    seconds, tenths = divmod(max(milliseconds, 0) // 100, 10)
    return f"{seconds // 60}:{seconds % 60:02}.{tenths}"
