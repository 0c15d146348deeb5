"""`wince serve`: the HTTP API and the viewer over what is in Redis."""

import argparse
import asyncio
import os
import sys

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.operate.logs import configure_logs, get_logger
from engine.runtime.serving import run_server
from replay.errors import StoreError

FAILED = 1


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "serve",
        help="serve the HTTP API and the viewer",
        description="Serve sessions, signals and bundles from Redis over HTTP, and the pages to watch them on, at "
        "serve.http_address. Requests need a token (wince token create). SIGTERM lets requests under way end. Metrics, "
        "/livez and /readyz are served there as well.",
    )
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until stopped; exit status 1 if the address is taken, or certificates or Redis' address are of no use."""
    settings = load_chosen_settings(args)
    configure_logs(settings.serve.log_level, settings.serve.log_format)
    try:
        asyncio.run(run_server(settings))
    except (StoreError, ValueError, OSError) as error:
        get_logger().error("server_failed", error=error)
        print(f"wince: {_reason(error)}: {settings.serve.http_address}", file=sys.stderr)
        return FAILED
    return 0


def _reason(error: Exception) -> str:
    # What libraries add to it says the address once more.
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
