import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

import engine.cli
from detectors import measuring
from engine.cli import main
from engine.cli._commands import COMMANDS, Command
from engine.settings import SettingsError, SettingsProblem

Run = Callable[[argparse.Namespace], int]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Replace all commands by one, `try`, that does what the test wants."""

    def install(run: Run) -> None:
        module = ModuleType("tests.command_under_test")
        vars(module)["add_parser"] = lambda subparsers: subparsers.add_parser("try").add_argument("--status", type=int)
        vars(module)["run"] = run
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(engine.cli, "COMMANDS", (Command("try", module.__name__, "try it"),))

    return install


def test_the_status_of_a_command_is_the_status_of_the_program(install: Callable[[Run], None]) -> None:
    install(lambda args: int(args.status))
    assert main(["try", "--status", "7"]) == 7


def test_wrong_settings_are_printed_and_exit_with_2(
    install: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise SettingsError([SettingsProblem(key="a.b", value="1", expected="2", source="file")])

    install(fail)
    assert main(["try"]) == 2
    assert capsys.readouterr() == ("", "wince: a setting is wrong:\n  file: a.b = 1: expected 2\n")


def test_an_interrupted_command_exits_as_shells_expect(install: Callable[[Run], None]) -> None:
    def interrupt(_: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    install(interrupt)
    assert main(["try"]) == 130


def test_other_errors_are_not_hidden(install: Callable[[Run], None]) -> None:
    def fail(_: argparse.Namespace) -> int:
        raise ZeroDivisionError

    install(fail)
    with pytest.raises(ZeroDivisionError):
        main(["try"])


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["config", "--nonsense"], ["config", "--check", "--reference"]]
)
def test_wrong_use_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_version_is_that_of_the_package_and_says_whether_it_is_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    compiled = "compiled" if Path(measuring.__file__).suffix == ".so" else "not compiled"
    assert capsys.readouterr().out == f"wince {version('wince')} ({compiled})\n"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    listed = capsys.readouterr().out
    assert [command.name for command in COMMANDS if command.name not in listed.split()] == []


def test_help_imports_no_command() -> None:
    script = (
        "import sys, engine.cli\n"
        "try: engine.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(sum(command.module in sys.modules for command in engine.cli.COMMANDS))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=30)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
class TestEveryCommand:
    def test_its_module_has_the_two_functions(self, command: Command) -> None:
        module = import_module(command.module)
        assert callable(module.add_parser)
        assert callable(module.run)

    def test_it_has_help_of_its_own(self, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            main([command.name, "--help"])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: wince {command.name} ")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    # A pipe whose reading end is closed before anything is written.
    reading, writing = os.pipe()
    os.close(reading)
    script = "import sys; from engine.cli import main; sys.exit(main(['config', '--reference']))"
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", script], check=False, stdout=pipe, stderr=subprocess.PIPE, timeout=30
        )
    assert (done.returncode, done.stderr) == (141, b"")
