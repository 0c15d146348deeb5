import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "choose-python"

Fake = Callable[[str, str], str]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make a command of a name that is a small shell script; return its name, which is found on PATH."""

    def fake(name: str, script: str) -> str:
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        return name

    return fake


def choose(folder: Path, *candidates: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{folder}:{os.defpath}"}
    return subprocess.run([SCRIPT, *candidates], env=environ, check=False, capture_output=True, text=True, timeout=30)


def test_a_real_python_is_chosen_by_its_full_path(tmp_path: Path) -> None:
    chosen = choose(tmp_path, sys.executable)
    assert (chosen.returncode, chosen.stderr) == (0, "")
    assert Path(chosen.stdout.strip()).samefile(sys.executable)


def test_the_newest_is_chosen_wherever_it_stands(tmp_path: Path, fake: Fake) -> None:
    names = [
        fake("older", "echo 11009 /opt/3.11.9/python3"),
        fake("newest", "echo 13000 '/opt/with space/python3'"),
        fake("newer", "echo 12010 /opt/3.12.10/python3"),
    ]
    assert choose(tmp_path, *names).stdout == "/opt/with space/python3\n"


def test_a_command_that_exists_and_fails_is_passed_over(tmp_path: Path, fake: Fake) -> None:
    shim = fake("shim", "echo 'shim: no such version' >&2; exit 127")
    good = fake("good", "echo 11000 /opt/python3")
    assert choose(tmp_path, shim, good).stdout == "/opt/python3\n"


def test_without_a_usable_one_it_says_what_it_found(tmp_path: Path, fake: Fake) -> None:
    old = fake("old", "echo 'is 3.9.18' >&2; exit 1")
    shim = fake("shim", "echo 'shim: no such version' >&2; exit 127")
    chosen = choose(tmp_path, "nowhere", old, shim)
    assert (chosen.returncode, chosen.stdout) == (1, "")
    assert chosen.stderr == (
        "Wince needs Python 3.11, 3.12, 3.13 or 3.14. Looked at:\n"
        "  nowhere: not found\n"
        "  old: is 3.9.18\n"
        "  shim: shim: no such version\n"
        "Name another one with: make PYTHON=/path/to/python\n"
    )
