"""`wince worker`: consumes sessions from Kafka, writes them to Redis, tells signals and activity."""

import argparse
import asyncio
import os
import sys

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.errors import WinceError
from engine.operate.logs import configure_logs, get_logger
from engine.runtime.kafka.process import run_process
from engine.runtime.kafka.supervisor import Supervisor
from engine.settings import Settings
from replay.errors import StoreError

FAILED = 1


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "worker",
        help="consume sessions from Kafka into Redis",
        description="Join the consumer group, process sessions as they arrive, write them to Redis, and tell signals "
        "and activity on their topics. SIGTERM drains and stops. Metrics and health are served on worker.http_address.",
    )
    parser.add_argument(
        "--processes", type=_positive, default=1, metavar="N", help="worker processes, one for each core to use (1)"
    )
    parser.add_argument("--process-number", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=int, default=None, help=argparse.SUPPRESS)
    add_config_option(parser)


def _positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:  # noqa: PLR2004 - more than any machine's cores
        raise argparse.ArgumentTypeError("must be 1 to 256")
    return number


def run(args: argparse.Namespace) -> int:
    """Work until stopped; exit status 1 after an error that only a restart may mend."""
    settings = load_chosen_settings(args)
    configure_logs(settings.worker.log_level, settings.worker.log_format, names=_names(settings))
    try:
        if args.processes > 1:
            return asyncio.run(_supervise(args, settings))
        asyncio.run(run_process(settings, args.process_number, parent=args.parent))
    except (WinceError, StoreError) as error:
        get_logger().error("worker_failed", error=error)
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        get_logger().error("worker_failed", error=error)
        print(f"wince: {_reason(error)}: {settings.worker.http_address}", file=sys.stderr)
        return FAILED
    return 0


def _reason(error: OSError) -> str:
    # What libraries add to it says the address once more.
    return os.strerror(error.errno) if error.errno else str(error)


async def _supervise(args: argparse.Namespace, settings: Settings) -> int:
    config = () if args.config is None else ("--config", str(args.config))
    command = ("-m", "engine.cli", "worker", *config, "--process-number")
    return await Supervisor(command, args.processes, settings.worker.drain_timeout_ms / 1_000).run()


def _names(settings: Settings) -> tuple[str, ...]:
    """Name what logs of the client may show."""
    kafka = settings.kafka
    topics = (kafka.events_topic, kafka.signals_topic, kafka.activity_topic, kafka.dead_letters_topic)
    return (*topics, kafka.group_id, kafka.client_id, *kafka.servers)
