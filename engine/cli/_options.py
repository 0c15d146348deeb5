"""Options that several commands share."""

import argparse
import os
from pathlib import Path

from engine.settings import Settings, load_settings


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Add `--config FILE.toml` to a command that works with settings."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE.toml", help="settings file; WINCE_* variables are stronger than it"
    )


def load_chosen_settings(args: argparse.Namespace) -> Settings:
    """Load the settings of a command that has the option.

    Raises:
        SettingsError: Anything is wrong with them; `main` prints it and exits with 2.
    """
    from engine.masking.selectors import check_selector

    return load_settings(args.config, os.environ, validate_selectors=check_selector)
