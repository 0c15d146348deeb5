"""`wince cohort`: users who met a condition, told to files and other programs: once, on schedule, live."""

import argparse
from pathlib import Path
from typing import Final

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, load_chosen_settings
from engine.settings._units import parse_duration_ms

HIGHEST_PORT: Final = 65_535


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "cohort",
        help="tell other programs which users met a condition",
        description="Tell other programs which users met a condition, and who does no longer: once, on schedule, live. "
        "Cohorts are declared in a file (docs/cohorts.md).",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    for add in (_add_export, _add_run, _add_follow, _add_list, _add_forget):
        add(actions)


def _add_export(actions: SubParsers) -> None:
    export = actions.add_parser(
        "export",
        help="tell all members of a cohort, once",
        description="Write a JSON line for each user who meets a condition now, or with --send tell the webhook of a "
        "cohort of all of them; broken off, the same command goes on. Nothing of it is kept when it is done.",
    )
    export.add_argument("name", nargs="?", metavar="NAME", help="a cohort in the file")
    _add_file_option(export, is_required=False)
    export.add_argument("--project", metavar="ID", help="instead of NAME: the project")
    export.add_argument(
        "--filter",
        metavar="QUERY",
        help="instead of NAME: filters as in the address of the list, such as tag=rage_click",
    )
    export.add_argument(
        "--window", type=_duration, metavar="DURATION", help="with --filter: sessions that began within this (7d)"
    )
    export.add_argument("--out", metavar="FILE", help="file to write, replaced if it exists; - is standard output (-)")
    export.add_argument("--send", action="store_true", help="tell the webhook of the cohort instead")
    export.add_argument("--dry-run", action="store_true", help="show counts only")
    _add_common_options(export)


def _add_run(actions: SubParsers) -> None:
    run_parser = actions.add_parser(
        "run",
        help="tell what changed since the last run",
        description="Look at all sessions of cohorts, and tell each cohort's receiver who came and who left since the "
        "last run. Broken off at any point, the next run goes on; a second one at the same time waits, and gives up.",
    )
    run_parser.add_argument("names", nargs="*", metavar="NAME", help="cohorts in the file; all of them by default")
    _add_file_option(run_parser)
    run_parser.add_argument("--every", type=_duration, metavar="DURATION", help="run again and again, such as 1h")
    run_parser.add_argument("--dry-run", action="store_true", help="show counts only")
    _add_http_option(run_parser, "with --every: ")
    _add_common_options(run_parser)


def _add_follow(actions: SubParsers) -> None:
    follow = actions.add_parser(
        "follow",
        help="tell who comes and who leaves, as it happens",
        description="Tell each cohort's receiver who came and who left, seconds after sessions change (from Kafka). "
        "SIGTERM stops it. A second one waits until the first is gone.",
    )
    follow.add_argument("names", nargs="*", metavar="NAME", help="cohorts in the file; all of them by default")
    _add_file_option(follow)
    _add_http_option(follow)
    add_config_option(follow)


def _add_list(actions: SubParsers) -> None:
    listed = actions.add_parser("list", help="list cohorts, their members, and what waits to be told")
    _add_file_option(listed)
    listed.add_argument("--json", action="store_true", help="print a line of JSON a cohort")
    add_config_option(listed)


def _add_forget(actions: SubParsers) -> None:
    forget = actions.add_parser(
        "forget",
        help="drop what is kept of a cohort that is no longer wanted",
        description="Drop the members of a cohort, and what its receiver was told; nothing is sent. If it is run "
        "again, all members are told anew.",
    )
    forget.add_argument("name", metavar="NAME", help="the cohort; it need not be in a file any more")
    forget.add_argument("--project", required=True, metavar="ID", help="the project it was about")
    add_config_option(forget)


def _add_file_option(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    parser.add_argument(
        "--cohorts", type=Path, required=is_required, metavar="FILE.toml", help="file that declares cohorts"
    )


def _add_http_option(parser: argparse.ArgumentParser, when: str = "") -> None:
    parser.add_argument(
        "--http",
        type=_address,
        metavar="HOST:PORT",
        help=f"{when}serve metrics, /livez and /readyz, such as on 127.0.0.1:9484",
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError("must be HOST:PORT such as 127.0.0.1:9484")
    return host.strip("[]"), int(port)


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print reports as lines of JSON")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_config_option(parser)


def _duration(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError:
        raise argparse.ArgumentTypeError('must be a duration such as "7d" (ms, s, m, h, d)') from None


def run(args: argparse.Namespace) -> int:
    """Do it; exit status 1 if something failed or was not told, 2 if it is not said what to do.

    Raises:
        SettingsError: Anything is wrong with the settings, or with the file of cohorts.
    """
    from engine.cli import _cohort_export, _cohort_follow, _cohort_run, _cohort_state

    actions = {
        "export": _cohort_export.run,
        "run": _cohort_run.run,
        "follow": _cohort_follow.run,
        "list": _cohort_state.run_list,
        "forget": _cohort_state.run_forget,
    }
    return actions[args.action](args, load_chosen_settings(args))
