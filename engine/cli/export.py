"""`wince export`: a range of a session as a file that plays anywhere, or as a film."""

import argparse
import asyncio
import sys
import tempfile
from contextlib import aclosing
from pathlib import Path
from typing import Final

import msgspec

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.runtime.stores import redis_client, store_settings
from engine.settings import Settings
from replay.errors import Poison, StoreError
from replay.export.errors import ExportError
from replay.export.film import make_film
from replay.export.film_job import FilmOptions
from replay.export.html import export_html
from replay.export.plan import Plan, plan_export
from replay.export.times import parse_moment
from replay.redis_store import RedisStore, wall_clock_ms
from replay.summary.reading import summarize_session

FAILED: Final = 1
"""Exit status when there is nothing to export, or it could not be made."""


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="write a range of a session as a file that plays anywhere, or as a film",
        description="Write a range of a session from Redis (store.redis_url) as one HTML file with player and masked "
        "events, which opens without a network, or as a film (needs Chromium and the extra 'pictures'). Moments are "
        "epoch milliseconds, or seconds from the session's start such as +12.5.",
    )
    films = FilmOptions()
    parser.add_argument("session_id", metavar="SESSION_ID")
    parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="file to write; replaced if it exists")
    parser.add_argument("--format", choices=("html", "gif", "mp4"), help="by default what the name of the file says")
    parser.add_argument("--from", dest="from_t", metavar="MOMENT", help="by default the session's start")
    parser.add_argument("--to", dest="to_t", metavar="MOMENT", help="by default the session's end")
    parser.add_argument("--window", metavar="WINDOW_ID", help="one window only; of a film, by default the first")
    parser.add_argument("--fps", type=int, default=films.fps, help=f"frames a second of a film ({films.fps})")
    parser.add_argument("--width", type=int, default=films.width, help=f"pixels of a film's width ({films.width})")
    parser.add_argument("--speed", type=float, default=films.speed, help="how much quicker than life a film is (1)")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file; exit status 1 if that was not possible. A file that was not finished is not left behind.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    settings = load_chosen_settings(args)
    try:
        asyncio.run(_export(settings, args, _format_of(args)))
    except (OSError, ValueError, StoreError, ExportError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    print(f"{args.out}: {args.out.stat().st_size} bytes")
    return 0


def _format_of(args: argparse.Namespace) -> str:
    chosen: str = args.format or args.out.suffix.removeprefix(".").lower()
    if chosen not in {"html", "gif", "mp4"}:
        raise Poison("say which with --format html, gif or mp4, or by the name of the file")
    return chosen


async def _export(settings: Settings, args: argparse.Namespace, chosen: str) -> None:
    store = RedisStore(redis_client(settings), store_settings(settings))
    try:
        plan = await _plan(store, args)
        # Beside the file, so that it can be moved there in one step.
        with tempfile.TemporaryDirectory(prefix=".wince-export-", dir=args.out.resolve().parent) as folder:
            made = await _make(store, plan, args, chosen, Path(folder))
            made.replace(args.out)
    finally:
        await store.close()


async def _plan(store: RedisStore, args: argparse.Namespace) -> Plan:
    record = await store.record(args.session_id)
    if record is None:
        raise Poison("there is no such session; wince explain may say why")
    from_t, to_t = (
        None if text is None else parse_moment(text, record.started_at) for text in (args.from_t, args.to_t)
    )
    return plan_export(record, await store.index(args.session_id), from_t, to_t, args.window)


async def _make(store: RedisStore, plan: Plan, args: argparse.Namespace, chosen: str, folder: Path) -> Path:
    if chosen != "html":
        plan = msgspec.structs.replace(plan, windows=plan.windows[:1])
    summary = await summarize_session(store, plan.record, plan.from_t, plan.to_t)
    async with aclosing(export_html(store, plan, summary, wall_clock_ms())) as html:
        if chosen == "html":
            path = folder / "export.html"
            with path.open("wb") as file:
                async for piece in html:
                    file.write(piece)
            return path
        fields = {"format": chosen, "fps": args.fps, "width": args.width, "speed": args.speed}
        return await make_film(plan, html, folder, msgspec.convert(fields, FilmOptions), progress=_tell)


def _tell(done: int, frames: int) -> None:
    if sys.stderr.isatty():
        print(f"\rframe {done} of {frames}", end="\n" if done == frames else "", file=sys.stderr, flush=True)
