"""The command line, `wince`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, cast

from engine.cli._commands import COMMANDS, CommandModule
from engine.settings import SettingsError

__all__ = ["main"]

WRONG_USE: Final = 2
"""Exit status for wrong arguments and wrong settings: nothing was started."""

INTERRUPTED: Final = 130
"""Exit status after Ctrl-C, as shells expect it (128 + SIGINT)."""

READER_GONE: Final = 141
"""Exit status when the reader of our output left, as in `wince config | head` (128 + SIGPIPE)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        argv: Arguments without the program's name; by default those of the process.

    Raises:
        SystemExit: The arguments are wrong (status 2), or only help or the version was asked for (status 0).
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="wince", description="Finds the moments when people wince.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    # The first argument that is no option can only be the command; only its module is imported.
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for command in COMMANDS:
        if command.name == chosen:
            module = cast("CommandModule", import_module(command.module))
            module.add_parser(subparsers)
            subparsers.choices[command.name].set_defaults(run=module.run)
        else:
            subparsers.add_parser(command.name, help=command.summary)
    return _run(parser.parse_args(arguments))


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        # Reading the metadata of a package takes as long as all else that help needs.
        from importlib.metadata import version

        from engine.compiled import is_compiled

        print(f"wince {version('wince')} ({'compiled' if is_compiled() else 'not compiled'})")
        parser.exit()


def _run(args: argparse.Namespace) -> int:
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except SettingsError as error:
        print(f"wince: {error}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at exit and would complain about the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    return status
