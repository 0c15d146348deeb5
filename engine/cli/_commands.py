"""The commands of `wince`, in the order in which help lists them.

A command is a module with two functions, `add_parser` and `run` (see `CommandModule`). It is imported only when it is
the one asked for, so a command may import what it needs at its top and `wince --help` stays quick.
"""

import argparse
from typing import Final, Protocol, TypeAlias

import msgspec

SubParsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name


class CommandModule(Protocol):
    """What the module of a command provides."""

    def add_parser(self, subparsers: SubParsers) -> None:
        """Add one parser, of the command's name, with its arguments."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do the work and return the exit status.

        Wrong settings may be left to the caller, who prints a `SettingsError` and exits with 2.
        """
        ...


class Command(msgspec.Struct, frozen=True):
    """A command, the module that implements it, and the line about it in `wince --help`."""

    name: str
    module: str
    summary: str


COMMANDS: Final = (
    Command("demo", "engine.cli.demo", "run shipped recordings through the engine and watch the result"),
    Command("process", "engine.cli.process", "run recorded batches through the engine into files"),
    Command("explain", "engine.cli.explain", "say why something of a session is there, or is not"),
    Command("summary", "engine.cli.summary", "tell what happened in a session"),
    Command("export", "engine.cli.export", "write a range of a session as a file that plays anywhere, or as a film"),
    Command("delete", "engine.cli.delete", "delete sessions, with proof"),
    Command("alerts", "engine.cli.alerts", "alert people when a page starts to hurt; try alert rules"),
    Command("errors", "engine.cli.errors", "list script errors of a project, mark them as resolved"),
    Command("reprocess", "engine.cli.reprocess", "judge stored sessions again, under other rules"),
    Command("cohort", "engine.cli.cohort", "tell other programs which users met a condition"),
    Command("worker", "engine.cli.worker", "consume sessions from Kafka into Redis"),
    Command("serve", "engine.cli.serve", "serve the HTTP API and the viewer"),
    Command("token", "engine.cli.token", "make, list and revoke tokens for the HTTP API"),
    Command("topics", "engine.cli.topics", "check the topics in Kafka, create and change them"),
    Command("config", "engine.cli.config", "print the settings in force, check them, or list them all"),
    Command("evaluate", "engine.cli.evaluate", "measure the detectors on labelled recordings"),
    Command("conformance", "engine.cli.conformance", "check presets of vendors' rules against case files"),
    Command("bench", "engine.cli.bench", "measure the speed and memory of the core"),
)
