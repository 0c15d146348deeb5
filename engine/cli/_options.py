"""Options that several commands share."""

import argparse
import os
from pathlib import Path

from engine.settings import Settings, SettingsError, SettingsProblem, load_settings


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

    settings = load_settings(args.config, os.environ, validate_selectors=check_selector)
    check_together(settings)
    return settings


def check_together(settings: Settings) -> None:
    """Check what single settings can't tell.

    Raises:
        SettingsError: Selectors or rules of a project can't be used together.
    """
    from detectors.machines import selectors
    from engine.core.projects import Projects
    from engine.masking.policy import PolicyError
    from engine.masking.selectors import SelectorError
    from engine.plugins import PluginError

    told: Exception
    try:
        Projects(settings)
    except (SelectorError, PolicyError) as error:
        key, told = "privacy", error
    except PluginError as error:
        key, told = "detectors.plugins", error
    except selectors.SelectorError as error:
        key, told = "detectors", error
    else:
        return
    raise SettingsError([SettingsProblem(key=key, value="(all)", expected=str(told), source="settings")]) from told
