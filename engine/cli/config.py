"""`wince config`: the settings in force and where each was set; or only a check of them; or the reference of all."""

import argparse
import os

from engine.cli._commands import SubParsers
from engine.cli._options import add_config_option, check_together
from engine.settings import reference_document, render, resolve_settings


def add_parser(subparsers: SubParsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "config",
        help="print the settings in force, check them, or list them all",
        description="Print the settings in force as TOML, each with where it was set. Passwords in URLs are replaced.",
    )
    add_config_option(parser)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="only check them: exit with 2 and all problems, or 0")
    instead.add_argument("--reference", action="store_true", help="print what can be set, as a page of Markdown")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for.

    Raises:
        SettingsError: Anything is wrong with the settings.
    """
    if args.reference:
        print(reference_document(), end="")
        return 0
    from engine.masking.selectors import check_selector

    resolved = resolve_settings(args.config, os.environ, validate_selectors=check_selector)
    check_together(resolved.settings)
    if not args.check:
        print(render(resolved), end="")
    return 0
