"""`wince alerts run`: watches signals as they come and sends alerts."""

import argparse
import asyncio
import sys
from typing import Final

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.errors import WinceError
from engine.operate.logs import configure_logs, get_logger
from engine.settings import Settings
from replay.errors import StoreError

FAILED: Final = 1


def add_parser(commands: SubParsers) -> None:
    """Add the command to those of `wince alerts`."""
    parser = commands.add_parser(
        "run",
        help="judge signals as they come, and send alerts",
        description="Join the consumer group of alerters, judge signals and activity by the rules as they come, and "
        "send what fires and what is over. SIGTERM drains and stops. Metrics and health are served on "
        "alerts.http_address.",
    )
    add_config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Work until stopped; exit status 1 after an error that only a restart may mend."""
    from engine.alerts.app.process import run_alerter

    settings = load_chosen_settings(args)
    configure_logs(settings.worker.log_level, settings.worker.log_format, names=_names(settings))
    try:
        asyncio.run(run_alerter(settings))
    except (WinceError, StoreError) as error:
        get_logger().error("alerter_failed", error=error)
        print(f"wince: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        get_logger().error("alerter_failed", error=error)
        print(f"wince: {error.strerror or error}: {settings.alerts.http_address}", file=sys.stderr)
        return FAILED
    return 0


def _names(settings: Settings) -> list[str]:
    kafka, alerts = settings.kafka, settings.alerts
    return [kafka.signals_topic, kafka.activity_topic, alerts.input_topic, alerts.group_id, kafka.client_id]
