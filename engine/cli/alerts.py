"""`wince alerts`: runs alert rules, over what comes or what was stored, and says how good they are."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
import orjson
from rich.console import Console

from engine.alerts.backtest import Unreadable, in_order, read_items, run_rules
from engine.alerts.core import Item
from engine.alerts.plot import Series, draw
from engine.alerts.rules import RulesFile
from engine.alerts.rules_file import default_rules, read_rules
from engine.alerts.simulation.picture import draw_qualities
from engine.alerts.simulation.report import simulate
from engine.cli import alerts_failed, alerts_list, alerts_resend, alerts_run, alerts_test
from engine.cli._commands import CommandModule, SubParsers
from schemas.alerts import Alert

FAILED = 1
WRONG_USE = 2

_MODULES: Final[dict[str, CommandModule]] = {
    "run": alerts_run,
    "list": alerts_list,
    "test": alerts_test,
    "failed": alerts_failed,
    "resend": alerts_resend,
}


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "alerts",
        help="alert people when a page starts to hurt; try alert rules",
        description="Judge signals as they come and send alerts; list alerts; try rules on signals and activities that "
        "were stored, or on simulated traffic. Without COMMAND this is `wince alerts run`.",
    )
    parser.add_argument(
        "--config", dest="chosen_config", type=Path, metavar="FILE.toml", help="settings file, as COMMAND has it"
    )
    commands = parser.add_subparsers(dest="alerts_command", metavar="COMMAND")
    for module in _MODULES.values():
        module.add_parser(commands)
    backtest = commands.add_parser(
        "backtest",
        help="run rules over stored signals: what would have fired, and when",
        description="Run rules over signals and activities (JSON lines, each source in order of time; - is standard "
        "input) and print one JSON line for each alert: rule, project_id, key, fired_at, resolved_at, and its numbers.",
    )
    backtest.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="JSON lines of signals and activities")
    backtest.add_argument("--plot", type=Path, metavar="FILE.html", help="draw sessions, signals and alerts over time")
    _add_rules_option(backtest)
    simulated = commands.add_parser(
        "simulate",
        help="measure rules on simulated traffic with known incidents",
        description="Make up weeks of traffic with incidents and traps, and say how many of the incidents rules find, "
        "how soon, and how often they cry wolf, beside two simple kinds of rules.",
    )
    simulated.add_argument("--days", type=int, default=14, help="days of traffic, the first week of them calm (14)")
    simulated.add_argument(
        "--seed", type=int, nargs="+", default=[1], help="another number makes other traffic; of several, all (1)"
    )
    simulated.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw delay, precision and recall")
    simulated.add_argument("--json", action="store_true", help="print one JSON object")
    _add_rules_option(simulated)


def _add_rules_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rules", type=Path, metavar="FILE.toml", help="rules file; the shipped rules by default")


def run(args: argparse.Namespace) -> int:
    """Run a command of `wince alerts`; wrong rules are left to the caller."""
    module = _MODULES.get(args.alerts_command or "run")
    if module is not None:
        args.config = getattr(args, "config", None) or args.chosen_config
        return module.run(args)
    if args.chosen_config is not None:
        print(f"wince: {args.alerts_command} has no settings; --rules names a rules file", file=sys.stderr)
        return WRONG_USE
    rules = default_rules() if args.rules is None else read_rules(args.rules)
    if args.alerts_command == "backtest":
        return _backtest(args, rules)
    console = None if args.json else Console(highlight=False)
    qualities = simulate(rules, days=max(args.days, 8), seeds=args.seed, console=console)
    if args.plot is not None:
        args.plot.write_text(draw_qualities(qualities), encoding="utf-8")
    return 0


def _backtest(args: argparse.Namespace, rules: RulesFile) -> int:
    unreadable, series = Unreadable(), Series()
    alerts: dict[str, Alert] = {}
    with ExitStack() as stack:
        try:
            sources = [
                sys.stdin.buffer if str(path) == "-" else stack.enter_context(path.open("rb")) for path in args.inputs
            ]
        except OSError as error:
            print(f"wince: {error}", file=sys.stderr)
            return FAILED
        named = zip(sources, args.inputs, strict=True)
        items = in_order([read_items(source, str(path), unreadable) for source, path in named])
        for alert in run_rules(_seen(items, series), rules):
            alerts[alert.id] = alert
    for alert in alerts.values():
        print(orjson.dumps({**msgspec.to_builtins(alert), "resolved_at": alert.resolved_at}).decode())
    if args.plot is not None:
        args.plot.write_text(draw(series, list(alerts.values())), encoding="utf-8")
    if unreadable.lines:
        print(f"wince: {unreadable.lines} lines were left out, the first: {unreadable.first}", file=sys.stderr)
    return FAILED if unreadable.lines else 0


def _seen(items: Iterator[Item], series: Series) -> Iterator[Item]:
    for item in items:
        series.saw(item)
        yield item
