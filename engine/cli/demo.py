"""`wince demo`: real recordings through the real engine into a real Redis, and a look at the result."""

import argparse
import asyncio
import secrets
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.cli._visitors import Visitors
from engine.core.core import Core
from engine.core.effects import DeadLetter
from engine.errors import Broken
from engine.input.files import read_batches
from engine.runtime.recorded import RecordedRun
from engine.runtime.serving import make_services, serve_app
from engine.runtime.writer import Writer
from engine.samples import SAMPLES_FOLDER
from engine.settings import Settings
from replay.errors import StoreError
from replay.redis_client import connect
from replay.redis_server import RedisServer
from replay.redis_store import RedisStore
from replay.server import ServeOptions, Services, create_app
from replay.server.operations import Silent
from replay.store import SessionQuery
from schemas.session_record import SessionRecord
from schemas.signals import Signal

DEFAULT_PORT: Final = 8321
SESSIONS_SHOWN: Final = 10
FAILED: Final = 1

_NAMES: Final = {
    "rage_click": "rage click",
    "dead_click": "dead click",
    "error_click": "error click",
    "js_error": "script error",
    "network_error": "failed request",
    "slow_response": "slow answer",
    "thrashed_cursor": "shaken pointer",
    "quick_back": "quick back",
    "form_abandonment": "abandoned form",
    "form_error_loop": "form error loop",
    "rapid_reload": "rapid reload",
    "scroll_thrash": "scroll thrash",
}
_STYLES: Final = {"rage_click": "red", "dead_click": "yellow", "error_click": "magenta", "js_error": "cyan"}


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "demo",
        help="run shipped recordings through the engine into Redis and watch the result in a browser",
        description="Start a Redis server of its own, run the shipped recordings through the engine into it, show the "
        "most frustrated sessions, and serve the list of sessions, the viewer and the API on 127.0.0.1, without a "
        "login, until Ctrl-C. Meanwhile recordings are played again as if they happened now, to be followed live.",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"port of the server ({DEFAULT_PORT}; 0: any)")
    parser.add_argument("--once", action="store_true", help="do not serve: exit after the table")
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Run the demo; exit status 1 if Redis can't be started or the port is taken."""
    settings = masking_echoes(load_chosen_settings(args))
    try:
        asyncio.run(_demo(settings, None if args.once else args.port))
    except (StoreError, OSError) as error:
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    return 0


def masking_echoes(settings: Settings) -> Settings:
    """Let what visitors type be masked where pages repeat it: the recordings show names and addresses again.

    Settings with a secret of their own stay as they are. The demo's is forgotten with it, as is its Redis.
    """
    privacy = settings.privacy
    if privacy.echo or privacy.identifier_secret:
        return settings
    privacy = msgspec.structs.replace(privacy, echo=True, identifier_secret=secrets.token_hex())
    return msgspec.structs.replace(settings, privacy=privacy)


async def _demo(settings: Settings, port: int | None) -> None:
    console = Console()
    started = time.perf_counter()
    async with RedisServer() as server:
        version = ".".join(map(str, server.binary.version))
        console.print(f"Redis: {server.binary.path} ({version}) at {server.url}", highlight=False, soft_wrap=True)
        services = make_services(settings, connect(server.url), Silent(), tell_readers=False)
        try:
            await _fill(services.store, settings, console)
            await _show(services.store, console)
            console.print(f"Ready in {time.perf_counter() - started:.1f} s.", highlight=False)
            if port is not None:
                await _serve(services, settings, port, console)
        finally:
            await services.store.close()


async def _fill(store: RedisStore, settings: Settings, console: Console) -> None:
    run = RecordedRun(Core(settings), Writer(store, "samples", "demo", keep_state=True), bury=_no_letter)
    with console.status("running the recordings through the engine"):
        await run.run(read_batches([SAMPLES_FOLDER], settings.limits, run.unreadable))
    report = run.report()
    published, read = report.events["published"], report.events["read"]
    console.print(
        f"{report.sessions} sessions, {read} events read, {published} published masked at level "
        f"{settings.privacy.level}; nothing else was stored.",
        soft_wrap=True,
    )


def _no_letter(letter: DeadLetter) -> None:
    message = f"a shipped recording can't be read: {letter.reason}"
    raise Broken(message)


async def _show(store: RedisStore, console: Console) -> None:
    found: list[tuple[SessionRecord, list[Signal]]] = []
    for project_id in await store.projects():
        page = await store.sessions(SessionQuery(project_id, by="score", limit=SESSIONS_SHOWN))
        found += [(record, await store.signals(record.session_id)) for record in page.sessions if record.score > 0]
    found.sort(key=lambda each: -each[0].score)
    console.print("\n[bold]Most frustrated sessions[/bold]  (score, session, what hurt and when)")
    for record, signals in found[:SESSIONS_SHOWN]:
        _show_session(console, record, signals)


def _show_session(console: Console, record: SessionRecord, signals: Sequence[Signal]) -> None:
    head = Text(f"{record.score:4.0f}  ", style="bold red")
    head.append(record.session_id, style="bold")
    console.print(head)
    for signal in signals:
        seconds = max(0, signal.t - record.started_at) / 1000
        line = Text(f"      {seconds // 60:2.0f}:{seconds % 60:04.1f}  ")
        line.append(f"{_NAMES.get(signal.detector, signal.detector):<16}", style=_STYLES.get(signal.detector, ""))
        line.append(_moment(signal))
        console.print(line, no_wrap=True, overflow="ellipsis")


def _moment(signal: Signal) -> str:
    times = f"{signal.count} x " if signal.count and signal.count > 1 else ""
    page = signal.page.partition("://")[2].partition("/")[2]
    if signal.target is None:
        what = f"{times}{signal.evidence.get('error_type', '')}"
        return f"{what}{'  ' if what else ''}on /{page}"
    label = f'"{signal.target.text}"' if signal.target.text else signal.target.tag
    return f"{times}{label} on /{page}  {signal.target.selector}"


async def _serve(services: Services, settings: Settings, port: int, console: Console) -> None:
    """Serve until Ctrl-C, while visitors come. Raises OSError if the port is taken."""
    visitors = Visitors(services.store, settings, services.clock_ms, asyncio.sleep)
    with socket.create_server(("127.0.0.1", port)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        console.print(f"\n[bold]Watch them: {address}/[/bold]  (Ctrl-C to stop)", highlight=False)
        console.print("Recordings are played again as if they happened now: sessions marked Live can be followed.")
        app = create_app(services, ServeOptions(login="none"))
        visiting = asyncio.create_task(visitors.come())
        try:
            await serve_app(app, services.stopping, listener)
        finally:
            visiting.cancel()
            with suppress(asyncio.CancelledError):
                await visiting
